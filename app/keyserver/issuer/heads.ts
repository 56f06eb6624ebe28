/** How a plan step begins: nothing of it needs an answer yet, so it travels behind the step before. */

import { toHex } from '../../card/bytes.ts';
import { VANISHING_VERSION } from '../../catalogue/domain-schema.ts';
import { identifyingCommands } from '../../catalogue/identification.ts';
import { issuingOf } from '../../dialects/dialect.ts';
import { select } from '../../globalplatform/commands.ts';
import { initializeUpdate } from '../../globalplatform/initialize-update.ts';
import { SCP03_S16 } from '../../globalplatform/security-level.ts';
import { appDrafts, glanceAt, ruleOf } from './app-work.ts';
import { domainOf } from './card-state.ts';
import { type Draft, type DraftOptions, draft, exactly } from './draft.ts';
import type { Foretold } from './foretell.ts';
import type { IssuerPorts } from './ports.ts';
import { isFinished, type JobOnCard } from './progress.ts';
import type { AppStep } from './state.ts';

/** Key version of INITIALIZE UPDATE that leaves the choice to the card: versions above 7F cannot be asked for. */
const FIRST_AVAILABLE = 0x00;

/** The beginning of plan step `at`; empty behind the last one. `foretold`: the opening of its channel, where it is known already. */
export function headOf(now: JobOnCard, at: number, ports: IssuerPorts, foretold?: Foretold): Draft[] {
  const step = now.job.steps[at];
  if (step === undefined) return [];
  if ('app' in step) return [...identify(now, at, ports), ...appHead(now, at, step, ports)];
  if (step.kind === 'domain-keys')
    return [...identify(now, at, ports), ...channelHead(now, at, ports, foretold)];
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
 * A purse must show a balance of zero, unless a second person confirmed its deletion. One that a torn deletion may have removed already
 * cannot show any: then it must be gone, and the batch stops if it is not.
 */
function deletionHead(now: JobOnCard, at: number, app: string, ports: IssuerPorts): Draft[] {
  if (!ports.app(app).purse || now.job.confirmedPurses.includes(app)) return [];
  if (now.job.apps[app]?.contentInDoubt === true) {
    const command = select(ports.app(app).instanceAid);
    return [draft(at, 'select-app', command, { kind: 'gone', app }, { app, accept: ['6A82'] })];
  }
  const meaning = { kind: 'balance', app } as const;
  const { balance } = ruleOf(ports, app);
  // The catalogue has no purse without one.
  if (balance === null) throw new Error(`app ${app} is a purse, and its dialect reads no balance`);
  return [
    draft(at, 'select-app', select(ports.app(app).instanceAid), meaning, { app }),
    draft(at, 'read-balance', balance.command, meaning, { app, expect: exactly(balance.empty) }),
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
  const version = candidates[0]?.keyVersion ?? domain.factoryKeys.keyVersion;
  const s16 = domain.scp === '03' && (domain.i & SCP03_S16) !== 0;
  const hostChallenge = foretold?.hostChallenge ?? ports.random(s16 ? 16 : 8);
  const options: DraftOptions =
    foretold === undefined
      ? candidates.length > 1
        ? { accept: ['9000', '6A88'] }
        : {}
      : { expect: masked(foretold) };
  return [
    draft(at, 'select-security-domain', select(domain.aid), { kind: 'pass' }),
    draft(
      at,
      'open-secure-channel',
      initializeUpdate(version === VANISHING_VERSION ? FIRST_AVAILABLE : version, hostChallenge),
      {
        kind: 'initialize-update',
        hostChallenge: toHex(hostChallenge),
        foretold: foretold === undefined ? null : toHex(foretold.response),
      },
      options,
    ),
  ];
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
