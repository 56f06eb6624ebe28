/**
 * Rogue stations and honest ones on one key server, behind its doors: so many requests of the former, at random and with goals, and visits of the
 * others beside them. The record is held against the cards whenever a job ends, and the clock is the play's own.
 */

import { released } from '../../../app/keyserver/issuer/released.ts';
import type { JobContext } from '../../../app/keyserver/jobs/context.ts';
import { findCard } from '../../../app/keyserver/store/card-rows.ts';
import { readCardState, writeCardState } from '../../../app/keyserver/store/cards.ts';
import { together } from '../../../app/keyserver/store/transaction.ts';
import type { Wish } from '../../../app/protocol/wire.ts';
import { directClient } from '../direct-client.ts';
import { CALLER, OTHER_CALLER } from '../forwarder.ts';
import type { IssuerRig } from '../issuer-rig.ts';
import { type Dice, diceOf } from './dice.ts';
import { GOALS, type Means } from './goals.ts';
import {
  type HonestCard,
  type Loss,
  newHonestCard,
  type Overheard,
  type Sight,
  type Visit,
  visit,
} from './honest-station.ts';
import { RogueStation, type Surroundings } from './rogue-station.ts';
import { falseSentences, lostOnCard, noteKeys } from './truth.ts';

export interface StationDamage {
  readonly requests: number;
  readonly honestCards: number;
  readonly honestJobs: number;
  readonly triesLost: number;
  readonly appsLost: number;
  readonly accountsLost: number;
  readonly jobsLost: number;
  readonly recordsFalse: number;
  /** Torn cards for which people had to allow an attempt. */
  readonly releases: number;
  /** One sentence for each loss. */
  readonly losses: readonly string[];
}

const SECOND_ROGUE = { station: 'third-station', operator: 'third-clerk' };

const REQUESTS_BETWEEN_VISITS = 25;
const CARDS_AT_ONCE = 6;
const GHOSTS = 4;
const GOALS_AT_ONCE = 3;
const APPS = ['e-wallet', 'identity', 'campus-meal', 'transit'];

export async function playRogueStation(
  rig: IssuerRig,
  { requests, seed }: { readonly requests: number; readonly seed: string },
): Promise<StationDamage> {
  const play = new Play(rig, diceOf(seed), seed);
  await play.run(requests);
  return play.damage();
}

class Play {
  readonly #rig: IssuerRig;
  readonly #dice: Dice;
  readonly #context: JobContext;
  readonly #heard: Overheard = { answers: [], receipts: [] };
  readonly #rogues: [RogueStation, RogueStation];
  readonly #losses: string[] = [];
  readonly #seed: string;
  #counts: Record<Loss['kind'], number> = { try: 0, app: 0, account: 0, job: 0, record: 0, release: 0 };
  #cards: HonestCard[] = [];
  #ghosts: Sight[] = [];
  #inHand: HonestCard | undefined;
  #now = Date.now();
  #requests = 0;
  #honestCards = 0;
  #honestJobs = 0;

  constructor(rig: IssuerRig, dice: Dice, seed: string) {
    this.#rig = rig;
    this.#dice = dice;
    this.#seed = seed;
    this.#context = { ...rig.context, now: () => new Date(this.#now) };
    const around: Surroundings = {
      dice,
      apps: APPS,
      heard: this.#heard,
      sights: () => [...this.#cards, ...this.#ghosts],
      asked: (ended) => this.#asked(ended),
    };
    const rogue = (caller: typeof OTHER_CALLER) =>
      new RogueStation(directClient(this.#context, undefined, caller), around);
    this.#rogues = [rogue(OTHER_CALLER), rogue(SECOND_ROGUE)];
  }

  async run(requests: number): Promise<void> {
    for (let made = 0; made < CARDS_AT_ONCE; made += 1) this.#cards.push(await this.#newCard());
    for (let made = 0; made < GHOSTS; made += 1)
      this.#ghosts.push(await newHonestCard(this.#rig, this.#dice));
    const goals: AsyncGenerator<void>[] = [];
    let visited = 0;
    while (this.#requests < requests) {
      await this.#strike(goals);
      if (this.#requests - visited < REQUESTS_BETWEEN_VISITS) continue;
      visited = this.#requests;
      await this.#visit(goals);
    }
    for (const one of this.#cards) await this.#check(one, 'at the end');
  }

  damage(): StationDamage {
    return {
      requests: this.#requests,
      honestCards: this.#honestCards,
      honestJobs: this.#honestJobs,
      triesLost: this.#counts.try,
      appsLost: this.#counts.app,
      accountsLost: this.#counts.account,
      jobsLost: this.#counts.job,
      recordsFalse: this.#counts.record,
      releases: this.#counts.release,
      losses: this.#losses,
    };
  }

  async #newCard(): Promise<HonestCard> {
    this.#honestCards += 1;
    return newHonestCard(this.#rig, this.#dice);
  }

  async #strike(goals: AsyncGenerator<void>[]): Promise<void> {
    const dice = this.#dice;
    if (dice.chance(0.3)) return dice.one(this.#rogues).strike();
    if (goals.length < GOALS_AT_ONCE) goals.push(dice.one(GOALS)(this.#means()));
    const goal = dice.one(goals);
    const { done } = await goal.next();
    if (done === true) goals.splice(goals.indexOf(goal), 1);
  }

  #means(): Means {
    return {
      dice: this.#dice,
      apps: APPS,
      rogues: this.#rogues,
      honest: () => this.#cards,
      ghosts: () => this.#ghosts,
      wait: () => {
        // While an honest station is at work nobody else's time goes by.
        if (this.#inHand === undefined) this.#now += this.#dice.one([31_000, 61_000, 11 * 60_000]);
      },
    };
  }

  /** Between a request of the rogue's and a visit there is time: what is held for a while only is given back by then. */
  async #visit(goals: AsyncGenerator<void>[]): Promise<void> {
    const dice = this.#dice;
    this.#now += this.#context.leaseMilliseconds + 1;
    const at = dice.number(this.#cards.length);
    const one = this.#cards[at];
    if (one === undefined) return;
    const wanted = this.#wanted(one);
    if (wanted === undefined) {
      await this.#check(one, 'before it goes');
      this.#cards[at] = await this.#newCard();
      return;
    }
    this.#honestJobs += 1;
    this.#inHand = one;
    const client = directClient(this.#context);
    const visiting = visit(this.#context, client, one, wanted, this.#heard);
    for (;;) {
      this.#now += 20;
      const { done, value } = await visiting.next();
      if (done === true) {
        this.#lose(await this.#released(one, wanted.wishes, value), 'at the visit');
        break;
      }
      for (let strikes = dice.number(3); strikes > 0; strikes -= 1) await this.#strike(goals);
    }
    this.#inHand = undefined;
    if (one.torn === null) await noteKeys(this.#rig, one);
    await this.#check(one, 'behind a visit');
  }

  /** A card whose tries are low is released by one person, by two where that does not do, and served at once: a rogue could use up what they allow. */
  async #released(
    one: HonestCard,
    wishes: readonly Wish[],
    found: readonly Loss[],
  ): Promise<readonly Loss[]> {
    let losses = found;
    for (const people of ['one', 'two'] as const) {
      if (!losses.some(({ kind }) => kind === 'release')) return losses;
      await this.#release(one, people);
      losses = await this.#visitAlone(one, wishes);
    }
    return losses.map((loss) => ({ ...loss, kind: loss.kind === 'release' ? 'job' : loss.kind }));
  }

  async #release(one: HonestCard, people: 'one' | 'two'): Promise<void> {
    const { store, catalogue } = this.#context;
    this.#counts.release += 1;
    const row = await findCard(store, one.identification);
    const before = await readCardState(store, one.identification);
    const profile = catalogue.profiles.find(({ id }) => id === row?.card_type);
    const { card } = released(before, profile, people);
    const at = this.#context.now().toISOString();
    await together(store, (db) => writeCardState(db, one.identification, before, card, at));
  }

  async #visitAlone(one: HonestCard, wishes: readonly Wish[]): Promise<Loss[]> {
    const visiting = visit(this.#context, directClient(this.#context), one, { wishes }, this.#heard);
    for (;;) {
      const { done, value } = await visiting.next();
      if (done === true) return value;
    }
  }

  #wanted(one: HonestCard): Visit | undefined {
    const dice = this.#dice;
    const wishes = one.torn?.wishes ?? this.#newWishes(one);
    const [first] = wishes;
    if (first === undefined) return undefined;
    const there = one.observed.some(({ app, state }) => app === first.app && state === 'installed');
    const opens = first.action === 'enable' && there && dice.chance(0.5);
    const commands = 1 + dice.number(16);
    const tear = {
      at: commands,
      when: dice.one(['before', 'during', 'after'] as const),
      reported: dice.chance(0.5),
    };
    return {
      wishes,
      ...(opens ? { opening: first.app } : {}),
      ...(dice.chance(one.torn === null ? 0.3 : 0.15) ? { tear } : {}),
    };
  }

  #newWishes(one: HonestCard): readonly Wish[] {
    const dice = this.#dice;
    if (one.enabled.has('identity') && dice.chance(0.1)) return [{ app: 'identity', action: 'delete' }];
    const left = APPS.filter((app) => !one.enabled.has(app));
    const [first] = left;
    if (first === undefined) return [];
    return (dice.chance(0.2) ? left.slice(0, 2) : [first]).map((app) => ({ app, action: 'enable' }));
  }

  async #asked(ended: string | undefined): Promise<void> {
    this.#requests += 1;
    this.#now += 20;
    const one = this.#cards.find(({ identification }) => identification === ended);
    if (one !== undefined && one !== this.#inHand) await this.#check(one, 'behind a job of the rogue’s');
  }

  async #check(one: HonestCard, when: string): Promise<void> {
    this.#lose([...lostOnCard(one), ...(await falseSentences(this.#rig, one, CALLER.station))], when);
  }

  #lose(losses: readonly Loss[], when: string): void {
    for (const { kind, what } of losses) {
      this.#counts[kind] += 1;
      this.#losses.push(`${kind}: ${what} (${when}, request ${this.#requests} of seed ${this.#seed})`);
    }
  }
}
