/** Both ends of the wire between window and station, with what a broken or hostile other end might send. */
import { describe, expect, it } from 'vitest';
import { KaikaError } from '../../app/protocol/errors.ts';
import { createAnswerer, type Run, runWith } from '../../electron/ipc-schema/answerer.ts';
import { createBridge, type Wire } from '../../electron/ipc-schema/bridge.ts';
import { CALLS, channelOf, type Handlers, NOTIFICATIONS } from '../../electron/ipc-schema/calls.ts';
import { cardViewSchema, jobViewSchema, type Notification } from '../../electron/ipc-schema.ts';
import { card, createMockWire, job, READER, SCENES } from './mock.ts';

describe('the window', () => {
  it('has one function a call, in its group, and cannot be given others', () => {
    const { onNotification, ...groups } = createBridge(mock());
    const names = Object.entries(groups).flatMap(([group, calls]) =>
      Object.keys(calls).map((call) => `${group}.${call}`),
    );
    expect(names).toEqual(CALLS.map(({ name }) => name));
    expect(Object.isFrozen(createBridge(mock()))).toBe(true);
    for (const group of Object.values(groups)) expect(Object.isFrozen(group)).toBe(true);
    expect(onNotification).toBeTypeOf('function');
  });

  it.each([
    ['an unknown field', { operator: 'a', secret: 'b', admin: true }],
    ['a missing one', { operator: 'a' }],
    ['too long a name', { operator: 'x'.repeat(65), secret: 'b' }],
    ['nothing at all', undefined],
    ['a function', () => undefined],
  ])('sends no request with %s', async (_, input) => {
    const { wire, asked } = answering({ ok: true, value: null });
    const signIn = createBridge(wire).session.signIn as (input: unknown) => Promise<unknown>;
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
    expect(await createBridge(wire).session.signIn({ operator: 'a', secret: 'b' })).toEqual({
      ok: false,
      code: 'internal',
      details: {},
    });
  });

  it('is told of a refusal by its code', async () => {
    const { wire } = answering({ ok: false, code: 'card-in-use', details: { station: 'Branch 3' } });
    expect(await createBridge(wire).server.check({})).toEqual({
      ok: false,
      code: 'card-in-use',
      details: { station: 'Branch 3' },
    });
  });

  it('never rejects, also when nobody is there', async () => {
    const wire: Wire = { invoke: () => Promise.reject(new Error('gone')), listen: () => () => undefined };
    expect(await createBridge(wire).session.signOut({})).toMatchObject({ ok: false, code: 'internal' });
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
  const unasked = (): never => {
    throw new Error('not asked for');
  };
  const engine: Handlers<'engine'> = {
    session: { signIn: unasked, signOut: unasked, confirm: unasked },
    server: { check: unasked },
    card: { relook: unasked, history: unasked },
    job: { preview: unasked, start: unasked, abandon: unasked },
  };
  const answer = (handlers: Partial<Handlers<'engine'>>) =>
    createAnswerer(runWith<'engine'>({ ...engine, ...handlers }), (name, what) =>
      faults.push(`${name} ${what}`),
    );

  it('checks what comes before anything is done', async () => {
    expect(await answer({})('job.abandon', { job: '' })).toMatchObject({ ok: false, code: 'bad-request' });
    expect(
      await answer({})('job.start', { reader: READER, card: '1', account: '12', wishes: [] }),
    ).toMatchObject({ code: 'bad-request' });
  });

  it.each(['shell.start', 'card.eject', 'card', 'constructor.name', '__proto__.toString', ''])(
    'does nothing for a call that is not its own: %s',
    async (name) => {
      expect(await answer({})(name, {})).toEqual({ ok: false, code: 'bad-request', details: {} });
    },
  );

  it('lets out a code and details of ours, and nothing of any other error', async () => {
    const refusing = answer({
      card: {
        ...engine.card,
        relook: () => {
          throw new KaikaError('no-reader', 'secret path', { reader: 'one' });
        },
      },
    });
    expect(await refusing('card.relook', { reader: READER })).toEqual({
      ok: false,
      code: 'no-reader',
      details: { reader: 'one' },
    });
    const broken = answer({
      card: {
        ...engine.card,
        relook: () => {
          throw new Error('/home/clerk/secret');
        },
      },
    });
    expect(await broken('card.relook', { reader: READER })).toEqual({
      ok: false,
      code: 'internal',
      details: {},
    });
  });

  it('lets out no reply that is not in the schema, and says where without saying what', async () => {
    const leaking = answer({
      session: {
        ...engine.session,
        signIn: () => {
          const person = { id: 'a', name: 'b', expires: NOON, token: 'canary' };
          return person;
        },
      },
    });
    expect(await leaking('session.signIn', { operator: 'a', secret: 'b' })).toEqual({
      ok: false,
      code: 'internal',
      details: {},
    });
    expect(faults.join('\n')).toContain('session.signIn reply');
    expect(faults.join('\n')).not.toContain('canary');
  });
});

describe('main', () => {
  /** As in electron/main/index.ts, with an engine that answers everything with one value. */
  const forwarding = (value: unknown) => {
    const asked: unknown[] = [];
    const engine: Run = (name, input) => {
      asked.push([name, input]);
      return value;
    };
    const settings = SETTINGS;
    const own: Handlers<'main'> = {
      shell: {
        start: () => {
          throw new KaikaError('internal');
        },
        changeSettings: () => settings,
      },
    };
    return { asked, answer: createAnswerer(runWith(own, engine)) };
  };

  it('answers its own calls, and passes each of the others on', async () => {
    const { asked, answer } = forwarding(null);
    expect(await answer('shell.changeSettings', {})).toEqual({ ok: true, value: SETTINGS });
    expect(asked).toEqual([]);
    const person = { operator: 'a', secret: 'b' };
    const wishes = [{ app: 'e-wallet', action: 'enable' }];
    const inputs: Readonly<Record<string, unknown>> = {
      'session.signIn': person,
      'session.signOut': {},
      'session.confirm': { ...person, reader: READER, card: '1', app: 'e-wallet' },
      'server.check': {},
      'card.relook': { reader: READER },
      'card.history': { card: '1' },
      'job.preview': { reader: READER, wishes },
      'job.start': { reader: READER, card: '1', account: '12345678', wishes },
      'job.abandon': { job: 'j' },
    };
    for (const { name, by } of CALLS) {
      if (by === 'main') continue;
      await answer(name, inputs[name]);
      expect(asked.at(-1)).toEqual([name, inputs[name]]);
    }
    expect(asked).toHaveLength(CALLS.filter(({ by }) => by === 'engine').length);
  });

  it('passes nothing on that is not in the schema, and takes nothing back', async () => {
    const { asked, answer } = forwarding({ id: 'a', token: 'canary' });
    expect(await answer('card.relook', { reader: '' })).toMatchObject({ code: 'bad-request' });
    expect(asked).toEqual([]);
    expect(await answer('session.signIn', { operator: 'a', secret: 'b' })).toMatchObject({
      code: 'internal',
    });
  });
});

describe('the views', () => {
  it.each(['facts', 'atr', 'aid', 'identification', 'keyVersion'])('have no place for %s', (name) => {
    expect(cardViewSchema.safeParse({ ...card(), [name]: '3B85' }).success).toBe(false);
    expect(jobViewSchema.safeParse({ ...job({ kind: 'abandoned' }), [name]: '3B85' }).success).toBe(false);
  });

  it.each(Object.keys(SCENES))('of the scene %s pass both ends', async (scene) => {
    const answer = await createBridge(mock(scene)).shell.start({});
    expect(answer.ok).toBe(true);
  });

  it('of every call have their own channel', () => {
    const channels = new Set(CALLS.map(({ name }) => channelOf(name)));
    expect(channels.size).toBe(CALLS.length);
  });
});

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
