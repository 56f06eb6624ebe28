/** Both ends of the wire between window and station, with what a broken or hostile other end might send. */
import { describe, expect, it } from 'vitest';
import { KaikaError } from '../../app/protocol/errors.ts';
import {
  channelOf,
  createAnswerer,
  createBridge,
  type Handlers,
  NOTIFICATIONS,
  type Wire,
} from '../../electron/ipc-schema/bridge.ts';
import {
  cardViewSchema,
  jobViewSchema,
  type Notification,
  REQUEST_NAMES,
  requests,
} from '../../electron/ipc-schema.ts';
import { SCENES } from '../../renderer/mock/scenes.ts';
import { card, job, READER } from '../../renderer/mock/values.ts';
import { createMockWire } from '../../renderer/mock/wire.ts';

const NOON = '2026-11-23T12:00:00.000Z';
const SETTINGS = { language: 'en', theme: 'light', sound: false } as const;

function mock(scene = 'choose-new') {
  const found = SCENES[scene];
  if (found === undefined) throw new Error(scene);
  return createMockWire(found, SETTINGS);
}

/** A main process that answers everything with one value. */
function answering(value: unknown): { wire: Wire; asked: string[]; send: (value: unknown) => void } {
  const asked: string[] = [];
  const listeners = new Set<(value: unknown) => void>();
  const wire: Wire = {
    invoke: async (channel) => {
      asked.push(channel);
      return value;
    },
    listen: (channel, listener) => {
      if (channel === NOTIFICATIONS) listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { wire, asked, send: (sent) => listeners.forEach((listener) => void listener(sent)) };
}

describe('the window', () => {
  it('has one function a request, and cannot be given others', () => {
    const bridge = createBridge(mock());
    expect(Object.keys(bridge).sort()).toEqual([...REQUEST_NAMES, 'onNotification'].sort());
    expect(Object.isFrozen(bridge)).toBe(true);
  });

  it.each([
    ['an unknown field', { operator: 'a', secret: 'b', admin: true }],
    ['a missing one', { operator: 'a' }],
    ['too long a name', { operator: 'x'.repeat(65), secret: 'b' }],
    ['nothing at all', undefined],
    ['a function', () => undefined],
  ])('sends no request with %s', async (_, input) => {
    const { wire, asked } = answering({ ok: true, value: null });
    const signIn = createBridge(wire).signIn as (input: unknown) => Promise<unknown>;
    expect(await signIn(input)).toMatchObject({ ok: false, code: 'bad-request' });
    expect(asked).toEqual([]);
  });

  it.each([
    ['no answer', undefined],
    ['another shape', { ok: true, value: { id: 'x' } }],
    ['more than the schema has', { ok: true, value: { id: 'x', name: 'y', expires: NOON, token: 'z' } }],
    ['an error without a code of ours', { ok: false, code: 'SW_6982', details: {} }],
  ])('takes no reply that is %s', async (_, reply) => {
    const { wire } = answering(reply);
    expect(await createBridge(wire).signIn({ operator: 'a', secret: 'b' })).toEqual({
      ok: false,
      code: 'internal',
      details: {},
    });
  });

  it('is told of a refusal by its code', async () => {
    const { wire } = answering({ ok: false, code: 'card-in-use', details: { station: 'Branch 3' } });
    expect(await createBridge(wire).checkServer({})).toEqual({
      ok: false,
      code: 'card-in-use',
      details: { station: 'Branch 3' },
    });
  });

  it('never rejects, also when nobody is there', async () => {
    const wire: Wire = { invoke: () => Promise.reject(new Error('gone')), listen: () => () => undefined };
    expect(await createBridge(wire).signOut({})).toMatchObject({ ok: false, code: 'internal' });
  });

  it('hears whole notifications only, until it listens no more', () => {
    const { wire, send } = answering(null);
    const heard: Notification[] = [];
    const end = createBridge(wire).onNotification((notification) => heard.push(notification));
    send({ at: 2, change: { kind: 'operator', operator: null } });
    send({ at: 3, change: { kind: 'operator', operator: { id: 'a', name: 'b', expires: 'c', token: 'd' } } });
    send({ at: 4, change: { kind: 'apdu', apdu: '00A4' } });
    send('nonsense');
    end();
    send({ at: 5, change: { kind: 'operator', operator: null } });
    expect(heard.map(({ at }) => at)).toEqual([2]);
  });
});

describe('the answering side', () => {
  const faults: string[] = [];
  const answer = (handlers: Partial<Handlers>) =>
    createAnswerer({ ...nothing, ...handlers }, (name, what) => faults.push(`${name} ${what}`));
  const unasked = (): never => {
    throw new Error('not asked for');
  };
  const nothing: Handlers = {
    start: unasked,
    changeSettings: unasked,
    signIn: unasked,
    signOut: unasked,
    confirm: unasked,
    checkServer: unasked,
    previewPlan: unasked,
    startJob: unasked,
    abandonJob: unasked,
    relook: unasked,
    cardHistory: unasked,
  };

  it('checks what comes before anything is done', async () => {
    expect(await answer({})('abandonJob', { job: '' })).toMatchObject({ ok: false, code: 'bad-request' });
    expect(
      await answer({})('startJob', { reader: READER, card: '1', account: '12', wishes: [] }),
    ).toMatchObject({
      code: 'bad-request',
    });
  });

  it('lets out a code and details of ours, and nothing of any other error', async () => {
    const refusing = answer({
      relook: () => {
        throw new KaikaError('no-reader', 'secret path', { reader: 'one' });
      },
    });
    expect(await refusing('relook', { reader: READER })).toEqual({
      ok: false,
      code: 'no-reader',
      details: { reader: 'one' },
    });
    const broken = answer({
      relook: () => {
        throw new Error('/home/clerk/secret');
      },
    });
    expect(await broken('relook', { reader: READER })).toEqual({ ok: false, code: 'internal', details: {} });
  });

  it('lets out no reply that is not in the schema, and says where without saying what', async () => {
    const leaking = answer({
      signIn: () => {
        const person = { id: 'a', name: 'b', expires: NOON, token: 'canary' };
        return person;
      },
    });
    expect(await leaking('signIn', { operator: 'a', secret: 'b' })).toEqual({
      ok: false,
      code: 'internal',
      details: {},
    });
    expect(faults.join('\n')).toContain('signIn reply');
    expect(faults.join('\n')).not.toContain('canary');
  });
});

describe('the views', () => {
  it.each(['facts', 'atr', 'aid', 'identification', 'keyVersion'])('have no place for %s', (name) => {
    expect(cardViewSchema.safeParse({ ...card(), [name]: '3B85' }).success).toBe(false);
    expect(jobViewSchema.safeParse({ ...job({ kind: 'abandoned' }), [name]: '3B85' }).success).toBe(false);
  });

  it.each(Object.keys(SCENES))('of the scene %s pass both ends', async (scene) => {
    const answer = await createBridge(mock(scene)).start({});
    expect(answer.ok).toBe(true);
  });

  it('of every request have their own channel', () => {
    const channels = new Set(REQUEST_NAMES.map(channelOf));
    expect(channels.size).toBe(Object.keys(requests).length);
  });
});
