/** From ticks to a started job, over the real bridge and a mock of the rest. */
import { describe, expect, it } from 'vitest';
import { createBridge, type Wire } from '../../electron/ipc-schema/bridge.ts';
import { channelOf } from '../../electron/ipc-schema/calls.ts';
import {
  accountOf,
  emptyChoice,
  toggled,
  wishesOf,
  withAccount,
} from '../../renderer/features/counter/choice.ts';
import { createChoiceStore } from '../../renderer/features/counter/choice-store.ts';
import { rowsOf } from '../../renderer/features/counter/rows.ts';
import type { Scene } from './mock.ts';
import { ACCOUNT, CATALOGUE, card, createMockWire, HISTORY, NUMBER, READER, SCENES, USED } from './mock.ts';

describe('a card that was put in', () => {
  it('is looked up: known, new, or not to be confirmed', async () => {
    expect((await serving('choose-known')).choice()?.record).toEqual({ kind: 'known', history: HISTORY });
    expect((await serving('choose-new')).choice()?.record).toEqual({ kind: 'new' });
    expect((await serving('choose-unconfirmed')).choice()?.record).toMatchObject({
      kind: 'unconfirmed',
      fault: { code: 'server-away' },
    });
  });

  it('is not looked up again while it stays, unless the server was away', async () => {
    const known = await serving('choose-known');
    await known.store.begin(READER, NUMBER);
    expect(known.inputs('card.history')).toHaveLength(1);
    const away = await serving('choose-unconfirmed');
    await away.store.begin(READER, NUMBER);
    expect(away.inputs('card.history')).toHaveLength(2);
  });

  it('begins anew: ticks of the card before it are gone', async () => {
    const { store, tick, choice } = await serving('choose-known');
    tick('campus-meal');
    const other = '6217009876543210';
    await store.begin(READER, other);
    expect(choice()).toMatchObject({ card: other, wishes: {}, record: { kind: 'new' } });
  });

  it('gets no answer that was meant for the card before it', async () => {
    const { store, choice } = await serving('choose-known');
    const late = store.begin('Other reader', NUMBER);
    store.forget('Other reader');
    await late;
    expect(store.getState()['Other reader']).toBeUndefined();
    expect(choice()?.card).toBe(NUMBER);
  });
});

describe('an account', () => {
  it('is the one on record, whatever is typed', async () => {
    const { store, choice } = await serving('choose-known');
    store.edit(READER, (one) => withAccount(one, '1111222233334444'));
    const now = choice();
    expect(now === undefined ? undefined : accountOf(now)).toBe(ACCOUNT);
  });

  it.each([
    ['6222 0212 3456 7893', '6222021234567893'],
    ['12345678', '12345678'],
    ['1234567', undefined],
    ['', undefined],
    ['account 6222-0212', undefined],
  ])('typed as "%s" is %s', async (typed, account) => {
    const { store, choice } = await serving('choose-new');
    store.edit(READER, (one) => withAccount(one, typed));
    const now = choice();
    expect(now === undefined ? undefined : accountOf(now)).toBe(account);
  });
});

describe('going on', () => {
  it('says what is missing: first the account, then any wish', async () => {
    const { store, tick, choice, inputs } = await serving('choose-new');
    tick('e-wallet');
    expect(await store.review(READER, rows)).toBe('account');
    expect(choice()?.missing).toBe('account');
    tick('e-wallet');
    store.edit(READER, (one) => withAccount(one, ACCOUNT));
    expect(await store.review(READER, rows)).toBe('wishes');
    expect(choice()?.missing).toBe('wishes');
    expect(inputs('job.preview')).toEqual([]);
  });

  it('shows the plan, and forgets it when the choice changes', async () => {
    const { store, tick, choice } = await serving('choose-known');
    tick('campus-meal');
    expect(await store.review(READER, rows)).toBe('planned');
    expect(choice()?.plan).toMatchObject({
      fits: true,
      steps: [
        { kind: 'load', app: 'campus-meal' },
        { kind: 'enable', app: 'campus-meal' },
      ],
    });
    tick('transit');
    expect(choice()?.plan).toBeNull();
  });

  it('asks for what is enabled before what is deleted, in the order of the list', async () => {
    const { tick, choice } = await serving('choose-known');
    tick('e-wallet', 'delete');
    tick('transit');
    tick('campus-meal');
    const now = choice();
    expect(now === undefined ? [] : wishesOf(now, rows)).toEqual([
      { app: 'campus-meal', action: 'enable' },
      { app: 'transit', action: 'enable' },
      { app: 'e-wallet', action: 'delete' },
    ]);
  });
});

describe('the start', () => {
  it('names the card that was on the screen, the account and the wishes', async () => {
    const { store, tick, inputs } = await serving('choose-known');
    tick('campus-meal');
    await store.review(READER, rows);
    await store.start(READER, rows);
    expect(inputs('job.start')).toEqual([
      { reader: READER, card: NUMBER, account: ACCOUNT, wishes: [{ app: 'campus-meal', action: 'enable' }] },
    ]);
  });

  it('happens once, however often Enter is pressed', async () => {
    const { store, tick, inputs } = await serving('choose-known');
    tick('campus-meal');
    await store.review(READER, rows);
    await Promise.all([store.start(READER, rows), store.start(READER, rows), store.start(READER, rows)]);
    expect(inputs('job.start')).toHaveLength(1);
  });

  it('that is refused says why and can be tried again', async () => {
    const { store, tick, choice } = await serving('start-refused');
    tick('campus-meal');
    await store.review(READER, rows);
    await store.start(READER, rows);
    expect(choice()).toMatchObject({
      busy: false,
      fault: { code: 'card-in-use', details: { station: '人民路支行 1 号' } },
    });
  });

  it('that finds the session over sends the clerk to sign in, with the choice kept', async () => {
    const over = { code: 'session-expired', details: {} } as const;
    const { store, tick, choice, expired } = await serving('choose-known', { refuse: { startJob: over } });
    tick('campus-meal');
    await store.review(READER, rows);
    await store.start(READER, rows);
    expect(expired()).toBe(1);
    expect(choice()).toMatchObject({ busy: false, fault: null, wishes: { 'campus-meal': 'enable' } });
  });

  it('cannot be pressed again while the job is on its way to the screen', async () => {
    const { store, tick, inputs } = await serving('choose-known');
    tick('campus-meal');
    await store.review(READER, rows);
    await store.start(READER, rows);
    await store.start(READER, rows);
    expect(inputs('job.start')).toHaveLength(1);
  });

  it('carries a confirmation for each purse that needs one, and for nothing else', async () => {
    const { store, tick, inputs } = await serving('plan-delete');
    tick('campus-meal');
    tick('e-wallet', 'delete');
    await store.review(READER, rows);
    expect(await store.confirm(READER, rows, { operator: 'zhao', secret: 'x' }, NEVER)).toBeNull();
    expect(inputs('session.confirm')).toEqual([
      { operator: 'zhao', secret: 'x', reader: READER, card: expect.any(String), app: 'e-wallet' },
    ]);
    expect(inputs('job.start')).toMatchObject([
      {
        wishes: [
          { app: 'campus-meal', action: 'enable' },
          { app: 'e-wallet', action: 'delete', confirmedBy: expect.any(String) },
        ],
      },
    ]);
  });

  it('does not happen when it is cancelled while the second person is asked for, or another plan is made', async () => {
    const { store, tick, inputs } = await serving('plan-delete');
    tick('e-wallet', 'delete');
    await store.review(READER, rows);
    const cancelled = new AbortController();
    const asked = store.confirm(READER, rows, { operator: 'zhao', secret: 'x' }, cancelled.signal);
    cancelled.abort();
    expect(await asked).toBeNull();
    const again = store.confirm(READER, rows, { operator: 'zhao', secret: 'x' }, NEVER);
    store.edit(READER, (one) => ({ ...one, plan: null }));
    expect(await again).toBeNull();
    expect(inputs('session.confirm')).toHaveLength(2);
    expect(inputs('job.start')).toEqual([]);
  });

  it('does not happen when the second person is refused', async () => {
    const { store, tick, inputs } = await serving('confirm-refused');
    tick('e-wallet', 'delete');
    await store.review(READER, rows);
    expect(await store.confirm(READER, rows, { operator: 'zhao', secret: 'x' }, NEVER)).toEqual({
      code: 'sign-in-failed',
      details: {},
    });
    expect(inputs('job.start')).toEqual([]);
  });
});

const SETTINGS = { language: 'en', theme: 'light', sound: false } as const;

/** A store over a scene, with every request that left the window. */
async function serving(name: string, more: Partial<Scene> = {}) {
  const scene = SCENES[name];
  if (scene === undefined) throw new Error(name);
  const mock = createMockWire({ ...scene, ...more }, SETTINGS);
  const sent: { channel: string; input: unknown }[] = [];
  const wire: Wire = {
    ...mock,
    invoke: (channel, input) => {
      sent.push({ channel, input });
      return mock.invoke(channel, input);
    },
  };
  let expired = 0;
  const store = createChoiceStore(createBridge(wire), () => {
    expired += 1;
  });
  await store.begin(READER, NUMBER);
  const inputs = (request: Parameters<typeof channelOf>[0]) =>
    sent.filter(({ channel }) => channel === channelOf(request)).map(({ input }) => input);
  const tick = (app: string, action: 'enable' | 'delete' = 'enable') =>
    store.edit(READER, (choice) => toggled(choice, app, action));
  return { store, inputs, tick, choice: () => store.getState()[READER], expired: () => expired };
}

describe('the account as it is typed', () => {
  const of = (typed: string) => accountOf(withAccount(emptyChoice('6200000000000001'), typed));

  it.each([
    ['plain', '6222021234567890123', '6222021234567890123'],
    ['in groups', ' 6222 0212 3456 7890 ', '6222021234567890'],
    ['with hyphens', '6222-0212–34567890', '6222021234567890'],
    ['in wide digits', '６２２２０２１２３４５６７８９０１２３', '6222021234567890123'],
    ['in both', '6222０２１２34567890', '6222021234567890'],
  ])('%s', (_what, typed, account) => expect(of(typed)).toBe(account));

  it.each([
    ['with 21 digits', '622202123456789012345'],
    ['with 7', '6222021'],
    ['as a spreadsheet spoils it', '6.22202123456789E+18'],
    ['with a letter', '622202123456789O123'],
    ['with a dot', '6222.0212.3456.7890'],
    ['in digits that are no keyboard’s', '٦٢٢٢٠٢١٢٣٤٥٦'],
    ['with something that is not seen', '6222\u200b0212345678'],
    ['with a digit that is a sign', '6222021②34567'],
    ['empty', ''],
  ])('%s it is none', (_what, typed) => {
    expect(of(typed)).toBeUndefined();
    // Nothing of it is dropped from the field either.
    expect(withAccount(emptyChoice('6200000000000001'), typed).account).toBe(typed);
  });
});

const rows = rowsOf(card(USED), CATALOGUE);

/** Of a confirmation that nobody takes back. */
const NEVER = new AbortController().signal;
