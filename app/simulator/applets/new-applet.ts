/** What a new instance starts with: the card's own apps by package AID, domains, a plain applet for anything else. */
import { findTlv, TlvError } from '../../card/tlv.ts';
import type { AppletState, CardImage, FmcosState, KeySlot } from '../image.ts';
import { Refusal, SW } from '../status-words.ts';

/** Public file as delivered (data sheet "The public file 0015"): issuer, not enabled, version 01, the rest zero. */
const PUBLIC_FILE = `4B41494B41000000${'00'}${'01'}${'00'.repeat(20)}`;
/** Short file id of the public file 0015. */
const PUBLIC_FILE_ID = 0x15;

/** Executable modules that are supplementary security domains, under the names shop cards have for them. */
const DOMAIN_MODULES: readonly string[] = ['A000000003535041', 'A000000151535041'];

/** Failed authentications in a row that lock a supplementary domain's keys. */
const FAILURE_LIMIT = 10;

/** Whether instances of this module are security domains. */
export function isDomainModule(module: string): boolean {
  return DOMAIN_MODULES.includes(module);
}

/** What is installed, and with which application specific parameters (value of C9). */
interface NewApplet {
  readonly packageAid: string;
  readonly module: string;
  readonly parameters: Uint8Array;
}

/**
 * State of a fresh instance, with the card's transport keys where it is one of its apps.
 * @throws Refusal 6A80 when a domain's parameters ask for a protocol the card has not
 */
export function newApplet(
  image: Pick<CardImage, 'transport' | 'keyWriteAtomic' | 'domain'>,
  { packageAid, module, parameters }: NewApplet,
): AppletState {
  if (isDomainModule(module)) return newDomain(image.domain.protocol, parameters);
  const transport = image.transport[packageAid];
  if (transport === undefined) return { kind: 'plain', data: {} };
  const state = newFmcos(transport, image.keyWriteAtomic);
  return transport.purse ? { ...state, balance: 0 } : state;
}

/** A domain with no keys yet; tag 81 of its parameters names its protocol, which must be the card's. */
function newDomain(protocol: CardImage['domain']['protocol'], parameters: Uint8Array): AppletState {
  const wanted = tagOf(parameters, 0x81);
  const [scp = Number.parseInt(protocol.scp, 16), i = protocol.i] = wanted ?? [];
  // Tools that never learn the option of SCP02 from INITIALIZE UPDATE send 00 for it.
  const isSame = scp === Number.parseInt(protocol.scp, 16) && (i === protocol.i || i === 0);
  if (!isSame) throw new Refusal(SW.wrongData);
  return {
    kind: 'domain',
    protocol: { ...protocol },
    keySets: [],
    publicKeys: [],
    failedAuthentications: 0,
    failureLimit: FAILURE_LIMIT,
    data: {},
  };
}

/** Older tools send parameters that are no data objects (a single byte 45): nothing of ours stands in them, so they ask for nothing. */
function tagOf(parameters: Uint8Array, tag: number): Uint8Array | undefined {
  try {
    return findTlv(parameters, tag);
  } catch (error) {
    if (error instanceof TlvError) return undefined;
    throw error;
  }
}

/** An FMCOS app with its two keys and the public file as delivered. */
export function newFmcos(
  keys: { readonly mck: string; readonly mtk: string },
  keyWriteAtomic: boolean,
): FmcosState {
  const slot = (own: Pick<KeySlot, 'type' | 'inside' | 'nextState' | 'value'>): KeySlot => ({
    id: 0x00,
    useRight: 0xf0,
    changeRight: 0xaa,
    counter: 0x33,
    damaged: false,
    ...own,
  });
  return {
    kind: 'fmcos',
    locked: false,
    keyWriteAtomic,
    keys: [
      slot({ type: 0x39, inside: 0xf9, nextState: 0xaa, value: keys.mck }),
      slot({ type: 0x36, inside: 0xf6, nextState: 0xff, value: keys.mtk }),
    ],
    files: [
      { shortId: PUBLIC_FILE_ID, data: PUBLIC_FILE, writeKey: { type: 0x36, id: 0x00 }, macFailures: 0 },
    ],
  };
}
