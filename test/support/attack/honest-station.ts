/** Honest stations with real virtual cards, beside an attack: what they can still do, and what their cards have lost, told by the cards. */
import type { CardRecord } from '../../../app/protocol/card-record.ts';
import type { Outcome, Wish } from '../../../app/protocol/wire.ts';
import type { VirtualCard } from '../../../app/simulator/virtual-card.ts';
import { RefusedError, type ServerClient } from '../../../app/station/server/client.ts';
import { look, request, runBatch } from '../forwarder.ts';
import { type IssuerRig, randomDigits } from '../issuer-rig.ts';

/** Nobody looks at it behind the doors. */
const TOKEN = '';

export interface HonestCard {
  readonly card: VirtualCard;
  readonly identification: string;
  readonly account: string;
  /** Apps that honest jobs enabled on it. */
  readonly enabled: Set<string>;
}

/** What is lost, by its kind, each with a sentence. */
export type Loss = {
  readonly kind: 'try' | 'app' | 'account' | 'job' | 'record';
  readonly what: string;
};

export function newHonestCard(rig: IssuerRig): HonestCard {
  const { card, identification } = rig.newCard();
  return { card, identification, account: randomDigits(16), enabled: new Set() };
}

/** One visit: the app is asked for and the job carried to its end on the real card. What did not come about is a loss. */
export async function visit(
  rig: IssuerRig,
  client: ServerClient,
  one: HonestCard,
  app: string,
): Promise<Loss[]> {
  const wishes: Wish[] = [{ app, action: 'enable' }];
  one.card.reset();
  const asked = await request(one.card, rig.context, one.account, wishes);
  try {
    const outcome = await carryOver(client, one.card, asked);
    if (outcome.result === 'complete') {
      one.enabled.add(app);
      return [];
    }
    return [{ kind: 'job', what: `${one.identification}, ${app}: ${outcome.result}, ${outcome.error}` }];
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const kind = error.code === 'account-taken' || error.code === 'account-mismatch' ? 'account' : 'job';
    return [{ kind, what: `${one.identification}, ${app}: refused, ${error.code}` }];
  }
}

async function carryOver(
  client: ServerClient,
  card: VirtualCard,
  asked: Awaited<ReturnType<typeof request>>,
): Promise<Outcome> {
  const started = await client.postJob(asked, TOKEN);
  let outcome = started.outcome;
  let batch = started.batch;
  while (outcome === undefined && batch !== undefined) {
    const next = await client.postAnswers(started.job, batch.seq, await runBatch(card, batch), TOKEN);
    outcome = 'outcome' in next ? next.outcome : undefined;
    batch = 'batch' in next ? next.batch : undefined;
  }
  if (outcome === undefined) throw new Error('the job had no end');
  return outcome;
}

/** What a card lost, by the card itself: tries of its keys, apps; and what its record says that is not so. */
export async function lossesOf(rig: IssuerRig, one: HonestCard): Promise<Loss[]> {
  const losses: Loss[] = [];
  const say = (kind: Loss['kind'], what: string) =>
    losses.push({ kind, what: `${one.identification}: ${what}` });
  for (const { aid, applet } of one.card.image.instances) {
    if (applet.kind !== 'fmcos') continue;
    for (const { type, counter } of applet.keys) {
      const [most, left] = [counter >> 4, counter & 0x0f];
      if (left < most) say('try', `${most - left} of key ${type} of ${aid}`);
    }
  }
  one.card.reset();
  const { observed } = await look(one.card, rig.context);
  for (const app of one.enabled) {
    const state = observed.find((seen) => seen.app === app)?.state;
    if (state !== 'enabled') say('app', `${app} is ${state}`);
  }
  if (one.enabled.size === 0) return losses;
  const record = await rig.record(one.identification);
  if (record.account !== one.account) say('account', `the record says ${record.account}`);
  return [...losses, ...falseSentences(record, one, new Map(observed.map(({ app, state }) => [app, state])))];
}

function falseSentences(record: CardRecord, one: HonestCard, onCard: ReadonlyMap<string, string>): Loss[] {
  const found: Loss[] = [];
  const say = (what: string) => found.push({ kind: 'record', what: `${one.identification}: ${what}` });
  if (!record.issued) say('not issued, the record says');
  for (const { app, state, inDoubt, keyVersions } of record.apps) {
    if (!inDoubt && onCard.get(app) !== state)
      say(`${app} is ${onCard.get(app)} on the card, ${state} on record`);
    if (one.enabled.has(app) && !inDoubt && Object.keys(keyVersions).length === 0)
      say(`no key of ${app} on record, which the card has`);
  }
  return found;
}
