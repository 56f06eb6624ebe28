/** Every fault of `npm start -- --fault NAME`, as a clerk meets it: what happened, and what to do next. */
import { afterAll, afterEach, expect, it } from 'vitest';
import { FAULTS, type FaultName } from '../../app/demo/faults.ts';
import type { ErrorCode } from '../../app/protocol/errors.ts';
import { messagesIn } from '../support/texts.ts';
import { Routes } from './routes/index.ts';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow, type StationWindow } from './support/window.ts';

const data = dataFolder();
const TEXTS = messagesIn('en');
let stage: StoryStage | undefined;
let window: StationWindow | undefined;

afterEach(async () => {
  await window?.close();
  await stage?.close();
  expect(window?.complaints ?? []).toEqual([]);
  window = undefined;
  stage = undefined;
});
afterAll(() => data.remove());

/** Faults between the station and its server are met before anybody has signed in. */
const AT_THE_DOOR: Partial<Record<FaultName, ErrorCode>> = {
  'server-away': 'server-away',
  'certificate-refused': 'server-refused-certificate',
  'server-not-trusted': 'server-not-trusted',
  'wrong-clock': 'wrong-clock',
  'service-missing': 'pcsc-not-running',
  'no-reader': 'no-reader',
};

it.each(Object.entries(AT_THE_DOOR))('%s is said before anybody signs in', async (fault, code) => {
  const { window: shown } = await play(fault);
  await says(shown, code);
  await shown.look(`fault-${fault}`);
});

/** Faults of cards show at the counter as soon as the card is in. */
const OF_CARDS: Partial<Record<FaultName, ErrorCode>> = {
  'unknown-card': 'unknown-card',
  'wrong-card-type': 'wrong-card-type',
};

it.each(Object.entries(OF_CARDS))('%s is said at the counter', async (fault, code) => {
  const { window: shown, routes } = await play(fault);
  await routes.entrance.signIn();
  await says(shown, code);
  await shown.look(`fault-${fault}`);
});

it('no-card: the lane asks for one', async () => {
  const { window: shown, routes } = await play('no-card');
  await routes.entrance.signIn();
  await routes.isEmpty();
  await shown.look('fault-no-card');
});

it('card-full: refused in the plan, naming what could go', async () => {
  const { window: shown, routes } = await play('card-full');
  await routes.entrance.signIn();
  await routes.choose.cardIsRead();
  await routes.choose.typeAccount();
  await routes.choose.tick('Campus meal');
  await routes.choose.review();
  await says(shown, 'not-enough-memory');
  await shown.look('fault-card-full');
});

it('app-not-in-catalogue: refused by the server, nothing done', async () => {
  const { window: shown, routes } = await play('app-not-in-catalogue');
  await routes.entrance.signIn();
  await routes.choose.cardIsRead();
  await routes.choose.typeAccount();
  await routes.choose.tick('Loyalty');
  await routes.choose.review();
  await routes.plan.start();
  await says(shown, 'app-not-in-catalogue');
  await shown.look('fault-app-not-in-catalogue');
});

it('hsm-away: the work waits or is refused in words', async () => {
  const { window: shown, routes } = await play('hsm-away');
  await routes.entrance.signIn();
  await routes.choose.cardIsRead();
  await routes.choose.typeAccount();
  await routes.choose.tick('E-wallet');
  await routes.choose.review();
  await routes.plan.start();
  await says(shown, 'hsm-away');
  await shown.look('fault-hsm-away');
});

it('purse-not-empty: deleted only when a second person confirms', async () => {
  const { window: shown, routes } = await play('purse-not-empty');
  await routes.entrance.signIn();
  await routes.choose.cardIsRead();
  await routes.choose.typeAccount();
  await routes.choose.delete('Transit');
  await routes.choose.review();
  await shown.look('plan-purse');
  await routes.plan.start();
  await routes.plan.confirmation.waitFor();
  await shown.look('confirm');
  await routes.plan.confirm();
  await routes.end.takesCard();
});

it('card-pulled: the same card goes on when it is put back', async () => {
  const { stage: set, window: shown, routes } = await play('card-pulled');
  await routes.entrance.signIn();
  await routes.choose.cardIsRead();
  await routes.choose.typeAccount();
  await routes.choose.tick('Campus meal');
  await routes.choose.review();
  await routes.plan.start();
  await routes.job.isWriting();
  await set.readers.remove();
  await says(shown, 'card-removed');
  await shown.look('fault-card-pulled');
  await set.readers.insert(set.cardFile ?? '', 'realistic');
  await routes.end.takesCard();
});

it('every fault there is was met', () => {
  const met = new Set([
    ...Object.keys(AT_THE_DOOR),
    ...Object.keys(OF_CARDS),
    ...['no-card', 'card-full', 'app-not-in-catalogue', 'hsm-away', 'purse-not-empty', 'card-pulled'],
  ]);
  expect(Object.keys(FAULTS).filter((name) => !met.has(name))).toEqual([]);
});

async function play(fault: string, ...args: string[]) {
  stage = await openStage(data.folder, ['--fault', fault, ...args]);
  window = await openWindow({ story: `fault ${fault}`, station: stage.station });
  return { stage, window, routes: new Routes(window, stage) };
}

async function says(shown: StationWindow, code: ErrorCode): Promise<void> {
  const { what, next: own } = TEXTS.errors[code] ?? { what: '?', next: '?' };
  await shown.page.getByText(what).first().waitFor();
  // A job that was refused for it is over: nothing goes on by itself.
  const next = code === 'hsm-away' ? (TEXTS.words['fault.try-later'] ?? '?') : own;
  if (code !== 'server-away') await shown.page.getByText(next).first().waitFor();
}
