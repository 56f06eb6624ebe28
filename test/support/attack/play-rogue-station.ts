/** A rogue station and honest ones on one key server, behind its doors: so many requests of the one, and visits of the others between them. */
import type { JobContext } from '../../../app/keyserver/jobs/context.ts';
import { directClient } from '../direct-client.ts';
import { CALLER, OTHER_CALLER } from '../forwarder.ts';
import type { IssuerRig } from '../issuer-rig.ts';
import { diceOf } from './dice.ts';
import { type HonestCard, type Loss, lossesOf, newHonestCard, visit } from './honest-station.ts';
import { RogueStation } from './rogue-station.ts';

export interface StationDamage {
  readonly requests: number;
  readonly honestCards: number;
  readonly honestJobs: number;
  readonly triesLost: number;
  readonly appsLost: number;
  readonly accountsLost: number;
  readonly jobsLost: number;
  readonly recordsFalse: number;
  /** One sentence for each loss. */
  readonly losses: readonly string[];
}

const REQUESTS_BETWEEN_VISITS = 10;
const CARDS_AT_ONCE = 8;
const APPS = ['e-wallet', 'identity', 'campus-meal', 'transit'];

export async function playRogueStation(
  rig: IssuerRig,
  { requests, seed }: { readonly requests: number; readonly seed: string },
): Promise<StationDamage> {
  const dice = diceOf(seed);
  // Between a request of the rogue's and a visit there is time: what is held for a while only is given back by then.
  let later = 0;
  const context: JobContext = { ...rig.context, now: () => new Date(Date.now() + later) };
  const honest = directClient(context, [], CALLER);
  const cards: HonestCard[] = Array.from({ length: CARDS_AT_ONCE }, () => newHonestCard(rig));
  const all = [...cards];
  const rogue = new RogueStation(rig, directClient(context, [], OTHER_CALLER), dice, cards);
  const losses: Loss[] = [];
  let honestJobs = 0;
  for (let sent = 1; sent <= requests; sent += 1) {
    await rogue.strike();
    if (sent % REQUESTS_BETWEEN_VISITS !== 0) continue;
    later += context.leaseMilliseconds + 1;
    const at = dice.number(cards.length);
    const one = cards[at];
    if (one === undefined) continue;
    const app = APPS.find((name) => !one.enabled.has(name));
    if (app === undefined) {
      const fresh = newHonestCard(rig);
      cards[at] = fresh;
      all.push(fresh);
      continue;
    }
    honestJobs += 1;
    losses.push(...(await visit(rig, honest, one, app)));
  }
  for (const one of all) losses.push(...(await lossesOf(rig, one)));
  const count = (kind: Loss['kind']) => losses.filter((loss) => loss.kind === kind).length;
  return {
    requests,
    honestCards: all.length,
    honestJobs,
    triesLost: count('try'),
    appsLost: count('app'),
    accountsLost: count('account'),
    jobsLost: count('job'),
    recordsFalse: count('record'),
    losses: losses.map(({ kind, what }) => `${kind}: ${what}`),
  };
}
