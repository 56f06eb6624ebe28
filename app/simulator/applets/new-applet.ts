/** What a new instance starts with: the card's own apps by package AID, a plain applet for any other package. */
import type { AppletState, CardImage, FmcosState, KeySlot } from '../image.ts';

/** Public file as delivered (data sheet "The public file 0015"): issuer, not enabled, version 01, the rest zero. */
const PUBLIC_FILE = `4B41494B41000000${'00'}${'01'}${'00'.repeat(20)}`;
/** Short file id of the public file 0015. */
export const PUBLIC_FILE_ID = 0x15;

/** State of a fresh instance of `packageAid`, with the card's transport keys where it is one of its apps. */
export function newApplet(
  image: Pick<CardImage, 'transport' | 'keyWriteAtomic'>,
  packageAid: string,
): AppletState {
  const transport = image.transport[packageAid];
  if (transport === undefined) return { kind: 'plain' };
  const slot = (own: Pick<KeySlot, 'type' | 'inside' | 'nextState' | 'value'>): KeySlot => ({
    id: 0x00,
    useRight: 0xf0,
    changeRight: 0xaa,
    counter: 0x33,
    damaged: false,
    ...own,
  });
  const state: FmcosState = {
    kind: 'fmcos',
    locked: false,
    keyWriteAtomic: image.keyWriteAtomic,
    keys: [
      slot({ type: 0x39, inside: 0xf9, nextState: 0xaa, value: transport.mck }),
      slot({ type: 0x36, inside: 0xf6, nextState: 0xff, value: transport.mtk }),
    ],
    files: [
      { shortId: PUBLIC_FILE_ID, data: PUBLIC_FILE, writeKey: { type: 0x36, id: 0x00 }, macFailures: 0 },
    ],
  };
  return transport.purse ? { ...state, balance: 0 } : state;
}
