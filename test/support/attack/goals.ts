/**
 * What an attacker sets out to do and carries to its end, where random requests seldom come to any: whole jobs that it invents. Each is one request
 * at a time, so that others come between.
 */
import type { Batch, Wish } from '../../../app/protocol/wire.ts';
import type { Dice } from './dice.ts';
import type { HonestCard, Sight } from './honest-station.ts';
import type { RogueStation, Running } from './rogue-station.ts';

/** What it has to do it with. */
export interface Means {
  readonly dice: Dice;
  readonly apps: readonly string[];
  /** Two stations of its own. */
  readonly rogues: readonly [RogueStation, RogueStation];
  /** Cards of honest stations, those in a job now and those that were torn among them. */
  honest(): readonly HonestCard[];
  /** Cards that there are not, or that nobody has brought yet. */
  ghosts(): readonly Sight[];
  /** Lets time go by, so that what is held for a while is given back. */
  wait(): void;
}

export type Goal = (means: Means) => AsyncGenerator<void>;

/** Where an invented job leaves the way of an obliging card. */
type Twist = 'none' | 'refused' | 'removed' | 'unreached' | 'held' | 'silent';
const TWISTS: readonly Twist[] = [
  'none',
  'none',
  'none',
  'refused',
  'removed',
  'unreached',
  'held',
  'silent',
];

/** Steps that an invention is most worth at. */
const STEPS = ['authenticate', 'write-maintenance-key', 'write-master-control-key', 'write-enabled-flag'];

interface Invention {
  readonly sight: Sight;
  readonly account: string;
  readonly wishes: readonly Wish[];
  readonly twist?: Twist;
}

/** One job, told to its end as an obliging card would; or with one twist at a step of its choice. */
async function* invent(
  means: Means,
  rogue: RogueStation,
  { sight, account, wishes, twist = 'none' }: Invention,
) {
  const { dice } = means;
  const step = dice.one(STEPS);
  const observed = sight.observed.map((seen) => ({ ...seen }));
  let running: Running | undefined = await rogue.begin(sight, account, wishes, { observed });
  yield;
  while (running !== undefined) {
    const at: number = running.batch.commands.findIndex(({ label }) => label.step === step);
    if (at >= 0 && twist === 'silent') return;
    if (at >= 0 && twist === 'held') means.wait();
    running = await rogue.answer(running, report(rogue, running.batch, at, twist));
    yield;
  }
}

function report(rogue: RogueStation, batch: Batch, at: number, twist: Twist) {
  if (at < 0 || twist === 'none' || twist === 'held' || twist === 'silent') return rogue.obliging(batch);
  return rogue.breakingOff(batch, at, twist);
}

const someone = ({ dice, ...means }: Means): Sight =>
  dice.one(dice.chance(0.7) ? means.honest() : means.ghosts());

function someWishes({ dice, apps }: Means): Wish[] {
  if (dice.chance(0.6)) return [{ app: dice.one(apps), action: 'enable' }];
  const some = apps.filter(() => dice.chance(0.5));
  return (some.length === 0 ? [apps[0] ?? ''] : some).map((app) => ({
    app,
    action: dice.chance(0.8) ? 'enable' : 'delete',
  }));
}

function someAccount(means: Means, sight: Sight): string {
  const { dice } = means;
  return dice.one([sight.account, sight.account, someone(means).account, dice.digits(16)]);
}

async function* whole(means: Means) {
  const sight = someone(means);
  const invention = { sight, account: someAccount(means, sight), wishes: someWishes(means) };
  yield* invent(means, means.dice.one(means.rogues), { ...invention, twist: means.dice.one(TWISTS) });
}

/** The same job again and again, each time with another account. */
async function* manyAccounts(means: Means) {
  const sight = someone(means);
  const wishes = someWishes(means);
  const { dice, rogues } = means;
  for (let round = 0; round < 2 + dice.number(2); round += 1) {
    const account = dice.chance(0.3) ? sight.account : dice.digits(16);
    yield* invent(means, dice.one(rogues), { sight, account, wishes, twist: dice.one(TWISTS) });
    if (dice.chance(0.5)) means.wait();
  }
}

/** A card that was torn: the rogue tells the rest, with the account that it was torn with or another. */
async function* forTheTorn(means: Means) {
  const { dice, rogues } = means;
  const torn = means.honest().filter((one) => one.torn !== null);
  const sight = torn.length === 0 ? someone(means) : dice.one(torn);
  const wishes = torn.find((one) => one === sight)?.torn?.wishes ?? someWishes(means);
  means.wait();
  for (let round = 0; round < 1 + dice.number(3); round += 1) {
    const account = dice.chance(0.6) ? sight.account : dice.digits(16);
    yield* invent(means, dice.one(rogues), { sight, account, wishes, twist: dice.one(TWISTS) });
  }
}

/** Two stations that take a card from each other, and both go on. */
async function* inTurns(means: Means) {
  const sight = someone(means);
  const wishes = someWishes(means);
  const [one, other] = means.rogues;
  const first = invent(means, one, { sight, account: someAccount(means, sight), wishes, twist: 'held' });
  const second = invent(means, other, { sight, account: someAccount(means, sight), wishes });
  for (let round = 0; round < 12; round += 1) {
    const { done } = await (round % 2 === 0 ? first : second).next();
    if (done !== true) yield;
    if (means.dice.chance(0.15)) means.wait();
  }
}

/** An account of a customer's, kept for a card that there is not. */
async function* keepAccount(means: Means) {
  const { dice, rogues } = means;
  const sight = dice.one(means.ghosts());
  const { account } = dice.one(means.honest());
  yield* invent(means, dice.one(rogues), {
    sight,
    account,
    wishes: someWishes(means),
    twist: dice.one(TWISTS),
  });
}

/** Answers and receipts of before. */
async function* playBack({ dice, rogues }: Means) {
  for (let round = 0; round < 3; round += 1) {
    const rogue = dice.one(rogues);
    await (dice.chance(0.5) ? rogue.answerAgain() : rogue.handIn());
    yield;
  }
}

export const GOALS: readonly Goal[] = [
  whole,
  whole,
  manyAccounts,
  forTheTorn,
  forTheTorn,
  inTurns,
  keepAccount,
  playBack,
];
