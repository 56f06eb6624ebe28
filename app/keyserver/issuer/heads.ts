/** How a plan step begins: nothing of it needs an answer yet, so it travels behind the step before. */

import { toHex } from '../../card/bytes.ts';
import { type SecurityDomain, VANISHING_VERSION } from '../../catalogue/domain-schema.ts';
import { identifyingCommands } from '../../catalogue/identification.ts';
import { issuingOf } from '../../dialects/dialect.ts';
import type { Presence } from '../../dialects/key-slots.ts';
import { select } from '../../globalplatform/commands.ts';
import { initializeUpdate } from '../../globalplatform/initialize-update.ts';
import { SCP03_S16 } from '../../globalplatform/security-level.ts';
import { appDrafts, glanceAt, ruleOf } from './app-work.ts';
import { domainOf, isContested } from './card-state.ts';
import { type Draft, type DraftOptions, draft, exactly } from './draft.ts';
import type { Foretold } from './foretell.ts';
import type { IssuerPorts } from './ports.ts';
import { isClean, isFinished, isShown, type JobOnCard } from './progress.ts';
import type { AppStep } from './state.ts';

/** How often a card is asked to show itself in one job. */
export const MOST_UNSHOWN = 2;

/** Commands behind are sent whatever the card answers: as many prefixes as the wire has room for. */
export const ANY_ANSWER = ['90', '62', '63', '67', '69', '6A', '6D', '6E'];

/** Key version of INITIALIZE UPDATE that leaves the choice to the card: versions above 7F cannot be asked for. */
const FIRST_AVAILABLE = 0x00;

/** The beginning of plan step `at`; behind the last one the card shows that it was there. `foretold`: the opening of its channel, where it is known already. */
export function headOf(now: JobOnCard, at: number, ports: IssuerPorts, foretold?: Foretold): Draft[] {
  const step = now.job.steps[at];
  if (step === undefined) return presenceHead(now, at, ports);
  if ('app' in step)
    return [...identify(now, at, ports), ...presenceHead(now, at, ports), ...appHead(now, at, step, ports)];
  if (step.kind === 'domain-keys')
    return [...identify(now, at, ports), ...channelHead(now, at, ports, foretold)];
  if (step.kind === 'clean')
    return isClean(now, step.leftover) ? [] : [...identify(now, at, ports), ...channelHead(now, at, ports)];
  const deletes = step.deletes.filter((app) => !isFinished(now.job, app));
  const loads = step.loads.filter((app) => !isFinished(now.job, app));
  if (deletes.length + loads.length === 0) return [];
  return [
    ...identify(now, at, ports),
    ...deletes.flatMap((app) => deletionHead(now, at, app, ports)),
    ...loads.filter((app) => now.job.apps[app]?.contentInDoubt === true).map((app) => probe(at, app, ports)),
    ...channelHead(now, at, ports, foretold),
  ];
}

/** How the app's dialect begins. */
function appHead(now: JobOnCard, at: number, step: AppStep, ports: IssuerPorts): Draft[] {
  return appDrafts(at, step.app, issuingOf(ruleOf(ports, step.app)).head(glanceAt(now, at, step, ports)));
}

/**
 * A purse of which its station says that it is gone, and nothing else does. It shows no amount, so nobody confirmed any: then its package alone may
 * be removed, which a card refuses that has the purse after all (GPC 2.3.1 §9.5.2), and never a purse with money in it on the station's word.
 */
export function isSaidGone({ job }: JobOnCard, app: string, ports: Pick<IssuerPorts, 'app'>): boolean {
  const asked = ports.app(app).purse && !job.confirmedPurses.includes(app);
  return asked && job.apps[app]?.contentInDoubt === true;
}

/**
 * A purse must show the amount that a second person confirmed. One that a torn deletion may have removed already cannot show any: then it must
 * be gone, and the batch stops if it is not.
 */
function deletionHead(now: JobOnCard, at: number, app: string, ports: IssuerPorts): Draft[] {
  if (!ports.app(app).purse || now.job.confirmedPurses.includes(app)) return [];
  if (isSaidGone(now, app, ports)) {
    const command = select(ports.app(app).instanceAid);
    return [draft(at, 'select-app', command, { kind: 'gone', app }, { app, accept: ['6A82'] })];
  }
  const meaning = { kind: 'balance', app } as const;
  const { balance } = ruleOf(ports, app);
  // The catalogue has no purse without one.
  if (balance === null) throw new Error(`app ${app} is a purse, and its dialect reads no balance`);
  const amount = now.job.confirmedAmounts[app] ?? 0;
  return [
    draft(at, 'select-app', select(ports.app(app).instanceAid), meaning, { app }),
    draft(at, 'read-balance', balance.command, meaning, { app, expect: exactly(balance.data(amount)) }),
  ];
}

/** After an interrupted installation: is the instance there? */
function probe(at: number, app: string, ports: IssuerPorts): Draft {
  const command = select(ports.app(app).instanceAid);
  return draft(at, 'select-app', command, { kind: 'probe', app }, { app, accept: ['9000', '6A82'] });
}

/**
 * SELECT and INITIALIZE UPDATE with the version that the card should have. While a change of keys is in doubt that is the new one: a
 * card without it says so (6A88), which spends no try and settles the doubt.
 */
export function channelHead(now: JobOnCard, at: number, ports: IssuerPorts, foretold?: Foretold): Draft[] {
  const domain = ports.profile.securityDomain;
  if (domain === undefined) return [];
  const { candidates } = domainOf(now.card, ports.profile);
  const older = now.job.scratch.newestMissing === true ? candidates[1] : undefined;
  const version = (older ?? candidates[0])?.keyVersion ?? domain.factoryKeys.keyVersion;
  const hostChallenge = foretold?.hostChallenge ?? ports.random(challengeLength(domain));
  const options: DraftOptions =
    foretold === undefined
      ? candidates.length > 1 && older === undefined
        ? { accept: ['9000', '6A88'] }
        : {}
      : { expect: masked(foretold) };
  return [
    draft(at, 'select-security-domain', select(domain.aid), { kind: 'pass' }),
    draft(
      at,
      'open-secure-channel',
      initializeUpdate(askable(version), hostChallenge),
      {
        kind: 'initialize-update',
        hostChallenge: toHex(hostChallenge),
        foretold: foretold === undefined ? null : toHex(foretold.response),
      },
      options,
    ),
  ];
}

/** Bytes of a host challenge. */
function challengeLength({ scp, i }: SecurityDomain): 8 | 16 {
  return scp === '03' && (i & SCP03_S16) !== 0 ? 16 : 8;
}

/** A key version as INITIALIZE UPDATE can ask for it. */
function askable(version: number): number {
  return version === VANISHING_VERSION ? FIRST_AVAILABLE : version;
}

/**
 * Lets the card show that it is there: SELECT and INITIALIZE UPDATE, whose answer holds a cryptogram over a challenge of ours. Neither changes the
 * card or spends a try, and a refused INITIALIZE UPDATE stops nothing. Nothing where the card has shown it, or has no security domain.
 */
export function presenceHead(now: JobOnCard, at: number, ports: IssuerPorts): Draft[] {
  const domain = ports.profile.securityDomain;
  if (domain === undefined || !mayShow(now)) return [];
  const version = domainOf(now.card, ports.profile).candidates[0]?.keyVersion;
  const hostChallenge = ports.random(challengeLength(domain));
  const command = initializeUpdate(askable(version ?? domain.factoryKeys.keyVersion), hostChallenge);
  const options: DraftOptions = { accept: ANY_ANSWER };
  const meaning = { kind: 'presence', hostChallenge: toHex(hostChallenge) } as const;
  return [
    draft(at, 'select-security-domain', select(domain.aid), { kind: 'presence', hostChallenge: null }),
    draft(at, 'open-secure-channel', command, meaning, options),
  ];
}

/** Whether it is still to show itself. */
function mayShow({ job }: JobOnCard): boolean {
  return !job.held && job.unshown < MOST_UNSHOWN;
}

export function presenceOf(now: JobOnCard, { profile }: Pick<IssuerPorts, 'profile'>): Presence {
  if (isShown(now.job, profile)) return 'shown';
  return mayShow(now) ? 'not-yet' : 'never';
}

/** Whether something was said of the app before this job that only the card can settle: its keys are not judged before. */
export function showsFirst(now: JobOnCard, app: string, { profile }: Pick<IssuerPorts, 'profile'>): boolean {
  const untouched = now.job.apps[app]?.said === 'nothing';
  return profile.securityDomain !== undefined && untouched && mayShow(now) && isContested(now.card.apps[app]);
}

/** What the station is not to compare it is not told. */
function masked({ response, shown }: Foretold): NonNullable<DraftOptions['expect']> {
  return { value: response.map((byte, i) => byte & (shown[i] ?? 0)), mask: shown };
}

/** In a new epoch the card must first show that it is this job's card. */
function identify(now: JobOnCard, at: number, ports: IssuerPorts): Draft[] {
  if (now.job.identified) return [];
  const { securityDomain: domain, identification } = ports.profile;
  const selected =
    domain === undefined ? [] : [draft(at, 'select-security-domain', select(domain.aid), { kind: 'pass' })];
  const shown = identifyingCommands(identification, now.job.identification).map(({ command, expect }) =>
    expect === undefined
      ? draft(at, 'identify-card', command, { kind: 'pass' })
      : draft(at, 'identify-card', command, { kind: 'identify' }, { expect }),
  );
  return [...selected, ...shown];
}
