/** The virtual card that follows GlobalPlatform: a card image under power. */
import type { CardImage } from './image.ts';
import { type CardOptions, type CardProgram, PoweredCard } from './powered-card.ts';
import { processCommand } from './process.ts';
import { endChannel, freshVolatile, type Volatile } from './turn.ts';

/** How a virtual card is run. */
type VirtualCardOptions = CardOptions<CardImage>;

const GLOBAL_PLATFORM: CardProgram<CardImage, Volatile> = {
  fresh: freshVolatile,
  forget: endChannel,
  process: processCommand,
};

/** A card in memory. Power is off until `powerOn`. */
export class VirtualCard extends PoweredCard<CardImage, Volatile> {
  constructor(image: CardImage, options: VirtualCardOptions = {}) {
    super(GLOBAL_PLATFORM, image, options);
  }
}
