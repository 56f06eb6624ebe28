/** From a click to the request that begins a job. */
import { randomUUID } from 'node:crypto';
import { estimatedFree, makePlan } from '../../catalogue/plan.ts';
import type { Catalogue } from '../../catalogue/schema.ts';
import { API_LEVEL, type JobRequest, type Opening, type Wish } from '../../protocol/wire.ts';
import type { CardLink } from './card-link.ts';
import { type CardLook, readOpening } from './look.ts';

/** What staff ask for. */
export interface StartRequest {
  readonly account: string;
  readonly wishes: readonly Wish[];
}

/**
 * The request for a job on the card of `link`, with the opening where the plan begins with an app that is on the card. The
 * caller holds the transaction, and sends nothing between this and the job's first batch.
 * @throws CardError
 */
export async function prepareRequest(
  link: CardLink,
  catalogue: Catalogue,
  look: CardLook,
  start: StartRequest,
): Promise<JobRequest> {
  const opening = await openingFor(link, catalogue, look, start.wishes);
  return {
    apiLevel: API_LEVEL,
    requestId: randomUUID(),
    reader: link.reader,
    cardEpoch: 0,
    card: look.facts,
    observed: [...look.apps],
    account: start.account,
    wishes: [...start.wishes],
    ...(opening === undefined ? {} : { opening }),
  };
}

/** The same planner as the server's says whether the job opens with an app (design §3 "opening"). */
async function openingFor(
  link: CardLink,
  catalogue: Catalogue,
  look: CardLook,
  wishes: readonly Wish[],
): Promise<Opening | undefined> {
  const profile = catalogue.profiles.find((one) => one.id === look.type);
  if (profile === undefined) return undefined;
  const planned = makePlan({
    catalogue,
    profile,
    observed: look.apps,
    wishes,
    free: look.freeMemory ?? estimatedFree(catalogue, profile, look.apps),
  });
  const first = 'plan' in planned ? planned.plan.opensWith : null;
  const app = catalogue.apps.find((one) => one.id === first);
  const rule = app === undefined ? undefined : profile.apps[app.id];
  return app === undefined || rule === undefined ? undefined : readOpening(link, app, rule);
}
