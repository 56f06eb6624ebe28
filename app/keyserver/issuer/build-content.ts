/**
 * Loading, installing and deleting over one secure channel with the security domain. Everything behind EXTERNAL AUTHENTICATE is
 * computed in one go and travels in one batch. Each part can be repeated: the package is removed before it is loaded.
 */
import type { CommandApdu } from '../../card/apdu.ts';
import { deleteObject } from '../../globalplatform/commands.ts';
import {
  installForInstallAndMakeSelectable,
  installForLoad,
  loadParameters,
} from '../../globalplatform/install.ts';
import { loadCommands } from '../../globalplatform/load.ts';
import type { SecureChannel } from '../../globalplatform/secure-channel.ts';
import type { StepName } from '../../protocol/wire.ts';
import { type CardAppState, leftovers, withApp } from './card-state.ts';
import { authenticateDraft, openDomainChannel, protectedDraft } from './domain-channel.ts';
import { doubtedApps } from './doubt.ts';
import type { Draft, DraftOptions } from './draft.ts';
import { headOf, isSaidGone } from './heads.ts';
import { lookDrafts } from './look.ts';
import { nextStep } from './next-step.ts';
import type { IssuerPorts } from './ports.ts';
import { failApp, failStep, isFinished, type JobOnCard, type NextCommands, progress } from './progress.ts';
import type { JobState, Meaning } from './state.ts';

type ContentStep = Pick<Extract<JobState['steps'][number], { kind: 'content' }>, 'deletes' | 'loads'>;

/** Removes what the load of an app left behind: leftovers go whenever a channel is open, so it takes nothing but the channel. */
export function buildClean(now: JobOnCard, app: string, ports: IssuerPorts): Promise<NextCommands> {
  const isHead = now.job.scratch.channel?.step !== now.job.at;
  const counted = isHead ? progress(now, app, { cleanings: (now.job.apps[app]?.cleanings ?? 0) + 1 }) : now;
  return buildContent(counted, { deletes: [], loads: [] }, ports);
}

/** How often one app's load may begin in one job; each beginning after the first follows a tear. */
const MOST_LOADS = 2;

/** 6A88: referenced data not found. It was not there, which is what a deletion wants. */
const GONE = ['9000', '6A88'];

/**
 * A leftover is removed by the way: whatever the card says to it (6985: in use after all), the batch goes on to what the job is for. What it says
 * is looked at afterwards.
 */
const GONE_OR_NOT = ['9000', '62', '63', '64', '65', '69', '6A', '6F'];

/** The next commands of a content step; none when nothing of it can go on (the errors are in `next`). */
export async function buildContent(
  now: JobOnCard,
  step: ContentStep,
  ports: IssuerPorts,
): Promise<NextCommands> {
  const at = now.job.at;
  const given = now.job.scratch.channel;
  if (given === undefined || given.step !== at) return { drafts: headOf(now, at, ports), next: now };
  const counted = step.loads
    .filter((app) => !isFinished(now.job, app))
    .reduce((job, app) => countLoad(job, app), now);
  const opened = await openDomainChannel(counted, given, ports);
  if ('failed' in opened) return { drafts: [], next: failStep(counted, at, opened.failed) };
  try {
    return fill(opened.next, step, opened.channel, ports);
  } finally {
    opened.channel.close();
  }
}

function countLoad(now: JobOnCard, app: string): JobOnCard {
  const loads = (now.job.apps[app]?.loads ?? 0) + 1;
  const counted = progress(now, app, { loads });
  return loads > MOST_LOADS ? failApp(counted, app, 'load-failed') : counted;
}

function fill(now: JobOnCard, step: ContentStep, channel: SecureChannel, ports: IssuerPorts): NextCommands {
  const at = now.job.at;
  const drafts: Draft[] = [authenticateDraft(at, channel, { kind: 'channel', finishes: false })];
  const add = (name: StepName, command: CommandApdu, meaning: Meaning, options: DraftOptions) =>
    drafts.push(protectedDraft(at, channel, name, command, meaning, options));

  let next = now;
  const isInHand = (app: string) =>
    [...step.deletes, ...step.loads].includes(app) && !isFinished(now.job, app);
  // Of what is installed here the card's answer to that speaks.
  const doubted = doubtedApps(now, ports).filter(
    (app) => !step.loads.includes(app) || isFinished(now.job, app),
  );
  for (const app of leftovers(now.card)) {
    if (!isInHand(app)) {
      const object = deleteObject(ports.app(app).packageAid, false);
      add('remove-package', object, { kind: 'leftover', app }, { app, accept: GONE_OR_NOT });
    }
  }
  for (const app of step.deletes.filter((one) => !isFinished(now.job, one))) {
    const { packageAid } = ports.app(app);
    const meaning = { kind: 'delete', app, wasInDoubt: now.card.apps[app]?.inDoubt === true } as const;
    if (isSaidGone(now, app, ports))
      add('remove-package', deleteObject(packageAid, false), meaning, { app, accept: GONE });
    else add('delete-app', deleteObject(packageAid, true), meaning, { app, accept: GONE });
    next = doubt(next, app);
  }
  for (const app of step.loads.filter((one) => !isFinished(now.job, one))) {
    const { hash } = addLoad(app, ports, add, next.card.apps[app]);
    next = progress(doubt(next, app, hash), app, { contentInDoubt: true });
  }
  const look = lookDrafts(at, channel, doubted, ports);
  return { drafts: [...drafts, ...look, ...headOf(next, nextStep(next), ports)], next };
}

type Add = (name: StepName, command: CommandApdu, meaning: Meaning, options: DraftOptions) => void;

/**
 * Remove what a torn load may have left, announce, load, install. Never removes an instance: that would be a deletion. A package that the card has
 * said to stand there whole, of this very load file, is only installed.
 */
function addLoad(
  app: string,
  ports: IssuerPorts,
  add: Add,
  known: CardAppState | undefined,
): { readonly hash: string } {
  const domain = ports.profile.securityDomain;
  const { loadFile, hash } = ports.package(app);
  if (domain === undefined) return { hash };
  const { packageAid, appletAid, instanceAid } = ports.app(app);
  const alone = known?.loaded === hash;
  const install = installForInstallAndMakeSelectable({ packageAid, moduleAid: appletAid, instanceAid });
  if (alone) {
    add('install-app', install, { kind: 'install', app, loadFileHash: hash, alone }, { app });
    return { hash };
  }
  const wasInDoubt = known?.inDoubt === true;
  const parameters = loadParameters(loadFile.length);
  add(
    'remove-package',
    deleteObject(packageAid, false),
    { kind: 'clean', app, wasInDoubt },
    { app, accept: GONE },
  );
  add(
    'announce-load',
    installForLoad({ packageAid, securityDomain: domain.aid, parameters }),
    { kind: 'load', app, whole: null },
    { app },
  );
  const blocks = loadCommands(loadFile, domain.blockSize);
  for (const [at, block] of blocks.entries())
    add('load-block', block, { kind: 'load', app, whole: at === blocks.length - 1 ? hash : null }, { app });
  add('install-app', install, { kind: 'install', app, loadFileHash: hash, alone }, { app });
  return { hash };
}

/** The intent: a deletion, or a load of the file with this hash, may have happened from now on. */
function doubt(now: JobOnCard, app: string, hash?: string): JobOnCard {
  const card = withApp(now.card, app, (before) => ({
    ...before,
    inDoubt: true,
    loadFileHash: hash ?? before.loadFileHash,
  }));
  return { ...now, card };
}
