/** Every fault of `npm start -- --fault NAME`, as a clerk meets it: what happened, and what to do next. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FAULTS, type FaultName } from '../../app/demo/faults.ts';
import { type ServerIdentity, takeTokenAway } from '../../app/demo/site.ts';
import type { ErrorCode } from '../../app/protocol/errors.ts';
import { messagesIn } from '../support/texts.ts';
import { Routes } from './routes/index.ts';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow, type StationWindow } from './support/window.ts';

const data = dataFolder();
const TEXTS = messagesIn('en');
/** What is to be closed. */
let opened: { readonly stage: StoryStage; readonly window?: StationWindow } | undefined;

afterAll(() => data.remove());

/** Of a station that was enrolled nowhere, or has no reader: each is a station of its own. */
const OF_STATIONS: Partial<Record<FaultName, ErrorCode>> = {
  'certificate-refused': 'server-refused-certificate',
  'no-reader': 'no-reader',
};

describe('of a station', () => {
  afterEach(close);

  it.each(Object.entries(OF_STATIONS))('%s is said before anybody signs in', async (fault, code) => {
    const { window } = await play(fault);
    await says(window, code);
    await window.look(`fault-${fault}`);
  });

  it('app-not-in-catalogue: refused by the server, nothing done', async () => {
    const { window, routes } = await play('app-not-in-catalogue');
    await routes.entrance.signIn();
    await routes.choose.cardIsRead();
    await routes.choose.typeAccount();
    await routes.choose.tick('Loyalty');
    await routes.choose.review();
    await routes.plan.start();
    await says(window, 'app-not-in-catalogue');
    await window.look('fault-app-not-in-catalogue');
  });
});

/** What happens around a station: the window is opened, and says it before anybody has signed in. */
const AROUND_IT: Partial<Record<FaultName, readonly [ErrorCode, (stage: StoryStage) => Promise<void>]>> = {
  'server-away': ['server-away', (stage) => stage.stopServer()],
  'server-not-trusted': ['server-not-trusted', (stage) => stage.startServer('impostor')],
  'wrong-clock': ['wrong-clock', (stage) => restartServer(stage, 'early')],
  'service-missing': ['pcsc-not-running', withoutReaders],
};

describe('around a station', () => {
  let stage: StoryStage;
  beforeAll(async () => {
    stage = await openStage(data.folder, ['--fault', 'no-card']);
  });
  afterAll(() => stage.close());

  it.each(Object.entries(AROUND_IT))('%s is said before anybody signs in', async (fault, [code, begin]) => {
    await begin(stage);
    const window = await openWindow({ story: `fault ${fault}`, station: stage.station });
    try {
      await says(window, code);
      await window.look(`fault-${fault}`);
    } finally {
      await window.close();
    }
    expect(window.complaints).toEqual([]);
  });
});

/** Faults of cards show at the counter as soon as the card is in. */
const OF_CARDS: Partial<Record<FaultName, ErrorCode>> = {
  'unknown-card': 'unknown-card',
  'wrong-card-type': 'wrong-card-type',
};
const isFault = (name: string): name is FaultName => Object.hasOwn(FAULTS, name);

/** One clerk, one card after the other: a story goes on in the window of the one before, unless that one failed. */
describe('of a card', () => {
  let stage: StoryStage;
  let window: StationWindow;
  let routes: Routes;

  beforeEach(async () => {
    if (opened !== undefined) return;
    ({ stage, window, routes } = await play('no-card'));
    await routes.entrance.signIn();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await close();
    else expect(window.complaints).toEqual([]);
  });
  afterAll(close);

  it('no-card: the lane asks for one', async () => {
    await routes.isEmpty();
    await window.look('fault-no-card');
  });

  it.each(Object.entries(OF_CARDS))('%s is said at the counter', async (fault, code) => {
    if (!isFault(fault)) throw new Error(`no fault: ${fault}`);
    await stage.changeCardFor(fault);
    await says(window, code);
    await window.look(`fault-${fault}`);
  });

  it('card-full: refused in the plan, naming what could go', async () => {
    await stage.changeCardFor('card-full');
    await chooseToEnable('Campus meal');
    await says(window, 'not-enough-memory');
    await window.look('fault-card-full');
  });

  it('purse-not-empty: deleted only when a second person confirms', async () => {
    await stage.changeCardFor('purse-not-empty');
    await routes.choose.cardIsRead();
    await routes.choose.typeAccount();
    await routes.choose.delete('Transit');
    await routes.choose.review();
    await window.look('plan-purse');
    await routes.plan.start();
    await routes.plan.confirmation.waitFor();
    await window.look('confirm');
    await routes.plan.confirm();
    await routes.end.takesCard();
  });

  it('card-pulled: the same card goes on when it is put back', async () => {
    const card = await stage.changeCardFor('card-pulled');
    await chooseToEnable('Campus meal');
    await routes.plan.start();
    await routes.job.isWriting();
    await stage.readers.remove();
    await says(window, 'card-removed');
    await window.look('fault-card-pulled');
    await stage.readers.insert(card, 'realistic');
    await routes.end.takesCard();
  });

  it('hsm-away: the work waits or is refused in words', async () => {
    await stage.changeCardFor('hsm-away');
    const putBack = takeTokenAway(stage.site);
    try {
      await chooseToEnable('E-wallet');
      await routes.plan.start();
      await says(window, 'hsm-away');
      await window.look('fault-hsm-away');
    } finally {
      putBack();
    }
  });

  async function chooseToEnable(app: string): Promise<void> {
    await routes.choose.cardIsRead();
    await routes.choose.typeAccount();
    await routes.choose.tick(app);
    await routes.choose.review();
  }
});

it('every fault there is was met', () => {
  const met = new Set([
    ...Object.keys(OF_STATIONS),
    ...Object.keys(AROUND_IT),
    ...Object.keys(OF_CARDS),
    ...['no-card', 'card-full', 'app-not-in-catalogue', 'hsm-away', 'purse-not-empty', 'card-pulled'],
  ]);
  expect(Object.keys(FAULTS).filter((name) => !met.has(name))).toEqual([]);
});

async function play(fault: string) {
  const stage = await openStage(data.folder, ['--fault', fault]);
  opened = { stage };
  const window = await openWindow({ story: `fault ${fault}`, station: stage.station });
  opened = { stage, window };
  return { stage, window, routes: new Routes(window, stage) };
}

async function withoutReaders(stage: StoryStage): Promise<void> {
  await restartServer(stage, 'server');
  await stage.readers.stopService();
}

async function restartServer(stage: StoryStage, identity: ServerIdentity): Promise<void> {
  await stage.stopServer();
  await stage.startServer(identity);
}

async function close(): Promise<void> {
  const last = opened;
  opened = undefined;
  await last?.window?.close();
  await last?.stage.close();
  expect(last?.window?.complaints ?? []).toEqual([]);
}

async function says(shown: StationWindow, code: ErrorCode): Promise<void> {
  const { what, next: own } = TEXTS.errors[code] ?? { what: '?', next: '?' };
  await shown.page.getByText(what).first().waitFor();
  // A job that was refused for it is over: nothing goes on by itself.
  const next = code === 'hsm-away' ? (TEXTS.words['fault.try-later'] ?? '?') : own;
  if (code !== 'server-away') await shown.page.getByText(next).first().waitFor();
}
