/** Where the work on cards comes from, as readers see it: today from clicks, one day from a list as well. */
import type { JobRequest } from '../../protocol/wire.ts';
import type { JobState } from '../views.ts';
import type { CardLink } from './card-link.ts';

/** One piece of work on one card. */
export interface Work {
  readonly id: string;
  /** Whether staff still have to do with it. */
  readonly inHand: boolean;
  /** Whether it may have its card now. */
  readonly wantsCard: boolean;
  /** Where it stands, as staff see it. */
  readonly state: JobState['kind'];
  /** Gives it its card. Resolves when it needs the card no more, or the card is lost. */
  attach(link: CardLink): Promise<void>;
}

/** Cards are named by their identification codes. */
export interface WorkSource {
  get(id: string): Work | undefined;
  /** Work for this card that has none at the moment. */
  claim(identification: string): Work | undefined;
  /** Work in hand for this card. */
  inHandFor(identification: string): Work | undefined;
  /** Work begun in this reader that waits for its card. */
  waitingIn(reader: string): Work | undefined;
  anyInHand(): boolean;
  /** @throws KaikaError station-disk-full when none may be begun. */
  checkRoom(): void;
  /** Writes new work down; its card is to be attached in the same turn. @throws KaikaError station-disk-full */
  begin(request: JobRequest, identification: string): Work;
}
