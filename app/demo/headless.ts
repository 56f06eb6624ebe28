/** `npm start -- --headless`: brings the demo up, issues one card along the whole real path, and takes everything down again. */
import { KaikaError } from '../protocol/errors.ts';
import type { Wish } from '../protocol/wire.ts';
import type { Engine } from '../station/engine.ts';
import type { HeadlessResult } from '../station/headless/result.ts';
import { runHeadless, type Told } from '../station/headless/run.ts';
import { openStation } from '../station/open-station.ts';
import { systemClock } from '../station/ports.ts';
import { randomDigits } from './cards.ts';
import type { Fault } from './faults.ts';
import type { Options } from './options.ts';
import { RESOURCES } from './resources.ts';
import { type Stage, type StageContext, setStage } from './stage.ts';
import { isQuiet, type TerminalTeller } from './teller.ts';

const CARD_LIMIT_MS = 10_000;
const HALT_LIMIT_MS = 30_000;
const FAULT_HALT_LIMIT_MS = 15_000;
const FAULT_CARD_LIMIT_MS = 4_000;
const REAL_CARD_LIMIT_MS = 60_000;
const PUT_BACK_MS = 2_000;

interface HeadlessContext extends StageContext {
  readonly teller: TerminalTeller;
}

/** @throws Error in a sentence for the person at the terminal when the demo cannot be brought up */
export async function headless(context: HeadlessContext): Promise<HeadlessResult> {
  const { options, cleanup, teller } = context;
  const { fault } = options;
  const stage = await setStage(context);
  const { people } = stage;
  const station = await openStation({ folder: stage.station, resources: RESOURCES });
  cleanup.add(() => station.close());
  const { engine } = station;

  const played = playOn(fault, stage);
  const ports = {
    engine,
    clock: systemClock,
    cardLimitMs:
      fault !== undefined ? FAULT_CARD_LIMIT_MS : options.pcsc ? REAL_CARD_LIMIT_MS : CARD_LIMIT_MS,
    haltLimitMs: fault === undefined ? HALT_LIMIT_MS : FAULT_HALT_LIMIT_MS,
    tell: (told: Told) => {
      played.onTold(told);
      teller.tell(told);
    },
  };
  const result = await runHeadless(ports, {
    wishes: wishesOf(options),
    operator: people.clerk.operator,
    secret: people.clerk.secret,
    account: async (look) =>
      options.account ?? (await boundAccount(engine, look.identification)) ?? randomDigits(16),
    ...(options.confirm ? { confirmer: people.supervisor } : {}),
  });
  await played.settled();
  return result;
}

interface Played {
  readonly onTold: (told: Told) => void;
  /** Resolves when the hands that play the fault have come to rest. */
  readonly settled: () => Promise<void>;
}

/** The hands that pull the card at the told step. */
function playOn(fault: Fault | undefined, stage: Stage): Played {
  let hands: Promise<void> = Promise.resolve();
  let step = 0;
  return {
    settled: () => hands,
    onTold: (told) => {
      if (fault?.name !== 'card-pulled' || told.kind !== 'step' || isQuiet(told.label.step)) return;
      step += 1;
      if (step === fault.step) hands = pullAndPutBack(stage);
    },
  };
}

/** The virtual card keeps its state in its file, as a card keeps it in its memory. */
async function pullAndPutBack({ readers, cardFile }: Pick<Stage, 'readers' | 'cardFile'>): Promise<void> {
  await readers.remove();
  await systemClock.sleep(PUT_BACK_MS);
  if (cardFile !== undefined) await readers.insert(cardFile, 'realistic');
}

function wishesOf(options: Options): Wish[] {
  const asked =
    options.fault?.name === 'app-not-in-catalogue' ? [...options.enable, 'loyalty'] : options.enable;
  return [
    ...asked.map((app): Wish => ({ app, action: 'enable' })),
    ...options.delete.map((app): Wish => ({ app, action: 'delete' })),
  ];
}

/** The account that the server knows the card by; undefined for a card it has never seen or not bound yet. */
async function boundAccount(engine: Engine, identification: string | null): Promise<string | undefined> {
  if (identification === null) return undefined;
  try {
    const { account } = await engine.card(identification);
    return account === '' ? undefined : account;
  } catch (error) {
    if (error instanceof KaikaError && error.code === 'not-found') return undefined;
    throw error;
  }
}
