/**
 * What a server may have done to one job's card, from the job's own request and the station's own catalogue; nothing here is the server's
 * word. The bounds are wider than any honest job gets, and narrow enough that a server that was taken over cannot lock a card.
 * Pure.
 */
import { domainKinds } from '../../../catalogue/domain-commands.ts';
import { recognise } from '../../../catalogue/recognise.ts';
import { type Catalogue, RESERVED_APP_ID } from '../../../catalogue/schema.ts';
import type { CommandKind } from '../../../protocol/command-kind.ts';
import type { JobRequest, Wish } from '../../../protocol/wire.ts';

/** What can be selected: an app of the card's type, or its security domain. */
export interface Target {
  /** The app's id; `RESERVED_APP_ID` for the domain. */
  readonly name: string;
  kindOf(command: Parameters<ReturnType<typeof domainKinds>>[0]): CommandKind | undefined;
}

export interface JobRules {
  /** The card's identification code. */
  readonly card: string;
  readonly wishes: readonly Pick<Wish, 'app' | 'action'>[];
  /** Apps as the look saw them before the job. */
  readonly observed: JobRequest['observed'];
  /** By AID, in hexadecimal. */
  readonly targets: ReadonlyMap<string, Target>;
  /** What SELECT without an AID selects. */
  readonly domain: Target | undefined;
  /** What is selected when the first batch comes: the app of the opening. */
  readonly opened: string | null;
  readonly most: { readonly batches: number; readonly bytes: number; readonly attempts: number };
  /** Tries of a key that are never sent: one, or none at a station that is set up to send last tries (station.json, `lastTries`). */
  readonly kept: 0 | 1;
}

/** Batches beyond those of a plan that the server itself allows a job (tears, cards that are put in again). */
const BATCHES_BESIDE = 100;
/** Batches that a plan has for one app, or for the domain, at most. */
const BATCHES_EACH = 8;
/** A load begins twice in a job at most, with 256 blocks at most (GPC 2.3.1 §11.6). */
const LOAD_BYTES = 2 * 256 * 261;
/** Bytes of a batch beside its loads, on average over a job. */
const BATCH_BYTES = 4_096;
/** Attempts with one key in one job: authentication and key writes take three, and each tear in the midst of them begins anew. */
const ATTEMPTS = 32;

/** `card`: the identification code of the job's card. To a card that the catalogue does not know (any more) nothing may be sent. */
export function rulesFor(
  catalogue: Catalogue,
  request: Pick<JobRequest, 'card' | 'wishes' | 'observed' | 'opening'>,
  card: string,
  lastTries = false,
): JobRules {
  const found = recognise(catalogue, request.card);
  const profile = found.known ? found.profile : undefined;
  const securityDomain = profile?.securityDomain;
  const domain: Target | undefined =
    securityDomain === undefined ? undefined : { name: RESERVED_APP_ID, kindOf: domainKinds(securityDomain) };
  const targets = new Map<string, Target>();
  for (const { id, instanceAid } of catalogue.apps) {
    const rule = profile !== undefined && Object.hasOwn(profile.apps, id) ? profile.apps[id] : undefined;
    if (rule !== undefined) targets.set(instanceAid, { name: id, kindOf: (command) => rule.kindOf(command) });
  }
  if (domain !== undefined && securityDomain !== undefined) targets.set(securityDomain.aid, domain);
  const loads = request.wishes.filter(
    ({ app, action }) => action === 'enable' && stateOf(request, app) !== 'enabled',
  );
  const batches = BATCHES_BESIDE + BATCHES_EACH * (targets.size + 1);
  return {
    card,
    wishes: request.wishes,
    observed: request.observed,
    targets,
    domain,
    opened: request.opening?.app ?? null,
    most: { batches, bytes: loads.length * LOAD_BYTES + batches * BATCH_BYTES, attempts: ATTEMPTS },
    kept: lastTries ? 0 : 1,
  };
}

/** As the look saw it; an app that it did not see counts as missing. */
export function stateOf({ observed }: Pick<JobRequest, 'observed'>, app: string) {
  return observed.find((one) => one.app === app)?.state ?? 'missing';
}

export function wishes(rules: JobRules, action: Wish['action'], app: string): boolean {
  return rules.wishes.some((wish) => wish.app === app && wish.action === action);
}
