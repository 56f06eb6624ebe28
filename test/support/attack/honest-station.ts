/** Honest stations with real virtual cards, beside an attack: what they do, and what they can still do. */
import type { KeyCandidate } from '../../../app/dialects/key-slots.ts';
import type { JobContext } from '../../../app/keyserver/jobs/context.ts';
import type { CardFacts, ObservedApp, Outcome, Wish } from '../../../app/protocol/wire.ts';
import { type Tear, TearingDevice } from '../../../app/simulator/tear.ts';
import type { VirtualCard } from '../../../app/simulator/virtual-card.ts';
import { RefusedError, type ServerClient } from '../../../app/station/server/client.ts';
import { look, request, runBatch } from '../forwarder.ts';
import type { IssuerRig } from '../issuer-rig.ts';
import type { Dice } from './dice.ts';

/** Nobody looks at it behind the doors. */
const TOKEN = '';

/** What can be read of a card: whoever had it once may know it, and claim to have it. */
export interface Sight {
  readonly identification: string;
  readonly account: string;
  facts: CardFacts;
  observed: readonly ObservedApp[];
}

export interface HonestCard extends Sight {
  readonly card: VirtualCard;
  /** Its apps' keys, as they are. */
  slots: readonly SlotOnCard[];
  /** Apps that honest jobs enabled on it. */
  readonly enabled: Set<string>;
  /** Issuer's keys that honest jobs wrote, by app, slot and what the card has there. */
  readonly written: Map<string, KeyCandidate>;
  /** Apps of jobs that were torn: who enabled them another may have claimed as well. */
  readonly onceTorn: Set<string>;
  /** Its last visit ended before its job did: what that job was to do, and when (clock of the play). */
  torn: { readonly wishes: readonly Wish[]; readonly at: number } | null;
}

/** One key of an app, with its tries: how many there are, and how many are left. */
export interface SlotOnCard {
  readonly app: string;
  readonly role: string;
  readonly value: string;
  readonly most: number;
  readonly left: number;
}

/**
 * What is lost, by its kind, each with a sentence. `release`: nothing is yet, but people have to allow an attempt, because a lost one and one that a
 * rogue had counted came together.
 */
export type Loss = {
  readonly kind: 'try' | 'app' | 'account' | 'job' | 'record' | 'release';
  readonly what: string;
};

/** What honest stations have sent: an attacker may have listened. */
export interface Overheard {
  /** Jobs with the numbers of their steps and what was answered. */
  readonly answers: { readonly job: string; readonly seq: number; readonly answers: readonly string[] }[];
  readonly receipts: string[];
}

export async function newHonestCard(rig: IssuerRig, dice: Dice): Promise<HonestCard> {
  const { card, identification } = rig.newCard();
  const { facts, observed } = await look(card, rig.context);
  const account = dice.digits(16);
  return {
    ...{ card, identification, account, facts, observed },
    ...{
      slots: slotsOn(card, rig.context),
      enabled: new Set(),
      written: new Map(),
      onceTorn: new Set(),
      torn: null,
    },
  };
}

const ROLES: Readonly<Record<number, string>> = { 57: 'mck', 54: 'mtk' };

function slotsOn({ image }: VirtualCard, { catalogue }: JobContext): SlotOnCard[] {
  return image.instances.flatMap(({ aid, applet }) => {
    const app = catalogue.apps.find(({ instanceAid }) => instanceAid === aid)?.id;
    if (app === undefined || applet.kind !== 'fmcos') return [];
    return applet.keys.flatMap(({ type, value, counter }) => {
      const role = ROLES[type];
      return role === undefined ? [] : [{ app, role, value, most: counter >> 4, left: counter & 0x0f }];
    });
  });
}

/** One visit, which ends where the card is torn out, if it is. */
export interface Visit {
  readonly wishes: readonly Wish[];
  readonly opening?: string;
  /** `reported`: the station tells the server that the card has gone; otherwise it is gone with the answers. */
  readonly tear?: Tear & { readonly reported: boolean };
}

/**
 * One visit, a trip to the server at a time. The job is carried to its end on the real card, and what did not come about is a loss; one that is torn is
 * not, but what it leaves behind must be served by the next.
 */
export async function* visit(
  context: JobContext,
  client: ServerClient,
  one: HonestCard,
  { wishes, opening, tear }: Visit,
  heard: Overheard,
): AsyncGenerator<void, Loss[]> {
  one.card.powerOn();
  const asked = await request(one.card, context, one.account, [...wishes], opening);
  const device = tear === undefined ? one.card : new TearingDevice(one.card, tear);
  const what = `${one.identification}, ${wishes.map(({ action, app }) => `${action} ${app}`).join(', ')}`;
  const { torn } = one;
  try {
    const started = await client.postJob(asked, TOKEN);
    let { outcome, batch } = started;
    while (outcome === undefined && batch !== undefined) {
      yield;
      const report = await runBatch(device, batch);
      const isTorn = report.cardEvent !== undefined;
      if (isTorn) one.torn = { wishes, at: context.now().getTime() };
      if (isTorn) for (const { app } of wishes) one.onceTorn.add(app);
      if (isTorn && tear?.reported !== true) break;
      heard.answers.push({ job: started.job, seq: batch.seq, answers: report.answers });
      const next = await client.postAnswers(started.job, batch.seq, report, TOKEN);
      if (next.receipt !== undefined) heard.receipts.push(next.receipt);
      if (isTorn) break;
      outcome = 'outcome' in next ? next.outcome : undefined;
      batch = 'batch' in next ? next.batch : undefined;
    }
    await seeAgain(context, one);
    if (outcome === undefined) return [];
    if (outcome.error !== 'card-tries-low') one.torn = null;
    return cameOf(one, wishes, outcome, `${what}${torn ? ' (torn before)' : ''}`, torn !== null);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    await seeAgain(context, one);
    const kind = error.code === 'account-taken' || error.code === 'account-mismatch' ? 'account' : 'job';
    return [{ kind, what: `${what}${torn ? ' (torn before)' : ''}: refused, ${error.code}` }];
  }
}

async function seeAgain(context: JobContext, one: HonestCard): Promise<void> {
  one.card.powerOn();
  const { facts, observed } = await look(one.card, context);
  Object.assign(one, { facts, observed, slots: slotsOn(one.card, context) });
}

function cameOf(
  one: HonestCard,
  wishes: readonly Wish[],
  outcome: Outcome,
  what: string,
  torn: boolean,
): Loss[] {
  for (const { app, action } of wishes) {
    const is = one.observed.find((seen) => seen.app === app)?.state;
    if (action === 'enable' && is === 'enabled') one.enabled.add(app);
    if (action === 'delete' && is === 'missing') one.enabled.delete(app);
  }
  if (outcome.result === 'complete') return [];
  if (torn && outcome.error === 'card-tries-low') return [{ kind: 'release', what }];
  return [{ kind: 'job', what: `${what}: ${outcome.result}, ${outcome.error}` }];
}
