import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freeMemory } from '../../app/catalogue/recognise.ts';
import { type TestStation, wholeLook } from '../support/station.ts';
import { away, openTestStation, RefusedError, ScriptedCard, WALLET_AID } from '../support/stations.ts';

let station: TestStation;
beforeEach(open);
afterEach(() => station.close());

describe('a reader', () => {
  it('shows what the card says of itself', async () => {
    const look = await shown(new ScriptedCard({ apps: { [WALLET_AID]: 'enabled' } }));
    expect(look.type).toBe('demo-scp03');
    expect(look.identification).toBe('6200000000000001');
    expect(look.freeMemory).toBe(freeMemory(look.facts));
    expect(look.apps).toEqual([
      { app: 'e-wallet', state: 'enabled', balance: 1234 },
      { app: 'identity', state: 'missing' },
      { app: 'campus-meal', state: 'missing' },
      { app: 'transit', state: 'missing' },
    ]);
  });

  it('says when a card is not known, and when none is there', async () => {
    const look = await shown(new ScriptedCard({ atr: '3B00' }));
    expect(look).toMatchObject({ type: null, code: 'unknown-card', apps: [] });
    await expect(station.engine.startJob('A', WISH)).rejects.toMatchObject({ code: 'unknown-card' });
    station.readers.remove('A');
    await station.until(() => station.reader().kind === 'empty', 'empty');
    await expect(station.engine.startJob('A', WISH)).rejects.toMatchObject({ code: 'no-card' });
    await expect(station.engine.startJob('C', WISH)).rejects.toMatchObject({ code: 'no-reader' });
  });

  it('resets a card that answers nonsense and looks once more, then gives up until it is put in again', async () => {
    const once = new ScriptedCard();
    once.mishap = (_, count) => (count === 3 ? { answer: '90' } : undefined);
    await shown(once);
    expect(once.resets).toBeGreaterThan(0);
    station.readers.remove('A');
    await station.until(() => station.reader().kind === 'empty', 'empty');

    const always = new ScriptedCard();
    always.mishap = () => ({ answer: '90' });
    station.readers.insert('A', always);
    const problem = await station.until(() => {
      const state = station.reader();
      return state.kind === 'problem' && state;
    }, 'problem');
    expect(problem.code).toBe('card-communication');
    expect(always.log.length).toBe(2);
  });

  it('shows the new card after a swap that nobody saw in between', async () => {
    await shown(new ScriptedCard());
    station.readers.remove('A');
    station.readers.insert('A', new ScriptedCard({ identification: '6200000000000002' }));
    await station.until(() => {
      const state = station.reader();
      return state.kind === 'card' && state.look.identification === '6200000000000002';
    }, 'the second card');
  });
});

describe('a job', () => {
  it('leaves its end on show until the card is to be served again', async () => {
    await shown(new ScriptedCard());
    const id = await station.engine.startJob('A', WISH);
    await done(id);
    const endIsShown = () => {
      const state = station.reader();
      return state.kind === 'job' && state.job === id && state.look !== null;
    };
    await station.until(endIsShown, 'look after the job');
    station.engine.relook('A');
    const look = await station.until(() => {
      const state = station.reader();
      return state.kind === 'card' && state.look;
    }, 'the card again');
    expect(look.identification).toBe('6200000000000001');
    await station.until(() => station.job(id) === undefined, 'the job forgotten');
  });

  it('runs to its end, and the card is read again afterwards', async () => {
    const card = new ScriptedCard();
    await shown(card);
    const before = card.log.length;
    const writing: boolean[] = [];
    const id = await station.engine.startJob('A', WISH);
    station.engine.subscribe((note) => {
      if (note.kind === 'job' && note.job.state.kind === 'working') writing.push(note.job.state.writing);
    });
    expect(await done(id)).toMatchObject({ result: 'complete', trips: 4 });
    expect([...card.written]).toEqual([1, 2, 3]);
    // SELECT and one challenge opened the job, nothing in between.
    expect(card.log.slice(before, before + 2)).toEqual([`00A4040009${WALLET_AID}00`, '0084000004']);
    expect(writing).toContain(true);
    expect(writing[writing.length - 1]).toBe(false);
    await station.until(() => {
      const state = station.reader();
      return state.kind === 'job' && state.job === id && state.look !== null;
    }, 'look after the job');
    expect(station.job(id)?.progress.steps).toEqual([{ kind: 'enable', app: 'e-wallet', state: 'done' }]);
    station.readers.remove('A');
    await station.until(() => station.job(id) === undefined, 'forgotten');
  });

  it('sends nothing between the opening and the first batch', async () => {
    const card = new ScriptedCard();
    await shown(card);
    const at = card.log.length;
    await done(await station.engine.startJob('A', WISH));
    expect(card.log.slice(at, at + 4)).toEqual([
      `00A4040009${WALLET_AID}00`,
      '0084000004',
      '0084000004',
      '80F00101',
    ]);
  });

  it.each(['before', 'after'] as const)(
    'torn %s the card acted goes on when the same card is back',
    async (when) => {
      const card = new ScriptedCard();
      await shown(card);
      card.mishap = (command) => (command === '80F00202' ? when : undefined);
      const id = await station.engine.startJob('A', WISH);
      await waitsForCard(id);
      await station.until(() => {
        const state = station.reader();
        return state.kind === 'empty' && state.waiting === id;
      }, 'empty, waiting');
      await station.until(() => station.server.log.includes('answers 2'), 'posted at once');
      expect(station.server.answers[1]).toMatchObject({
        cardEpoch: 1,
        answers: ['A1B2C3D49000'],
        stoppedAt: 1,
        reached: true,
        cardEvent: 'removed',
      });
      // In the other reader of this station.
      station.readers.insert('B', card);
      expect((await done(id)).result).toBe('complete');
      expect([...card.written].sort()).toEqual([1, 2, 3]);
      expect(new Set(card.effects).size).toBe(card.effects.length);
      expect(station.job(id)?.reader).toBe('B');
    },
  );

  it('leaves another card alone and goes on with its own', async () => {
    const card = new ScriptedCard();
    const other = new ScriptedCard({ identification: '6200000000000002' });
    await shown(card);
    card.mishap = (command) => (command === '80F00202' ? 'after' : undefined);
    const id = await station.engine.startJob('A', WISH);
    await waitsForCard(id);
    station.readers.insert('A', other);
    const state = await station.until(() => {
      const now = station.reader();
      return now.kind === 'card' && now;
    }, 'the other card');
    expect(state.otherCard).toBe(id);
    expect(other.effects).toEqual([]);
    expect(station.job(id)?.state).toMatchObject({ kind: 'waiting-for-card' });
    station.readers.remove('A');
    await station.until(() => station.reader().kind === 'empty', 'empty');
    station.readers.insert('A', card);
    await done(id);
    expect(other.effects).toEqual([]);
  });

  it('never runs a batch that was made for the card before the swap', async () => {
    const card = new ScriptedCard();
    const other = new ScriptedCard({ identification: '6200000000000002' });
    await shown(card);
    let swap = true;
    station.server.after = async (what) => {
      if (what !== 'answers 1' || !swap) return;
      swap = false;
      station.readers.remove('A');
      station.readers.insert('A', other);
      await station.until(() => station.job(id)?.state.kind === 'waiting-for-card', 'seen to be gone');
    };
    const id = await station.engine.startJob('A', WISH);
    await station.until(() => station.server.log.includes('answers 2'), 'told');
    expect(station.server.answers[1]).toMatchObject({
      cardEpoch: 1,
      answers: [],
      stoppedAt: 0,
      reached: false,
      cardEvent: 'removed',
    });
    await station.until(() => station.reader().kind === 'card', 'the other card is shown');
    expect(other.effects).toEqual([]);
    expect(card.effects).toEqual(['80F00101']);
    station.readers.remove('A');
    station.readers.insert('B', card);
    await done(id);
  });

  it('waits for the server, says so, and goes on', async () => {
    const card = new ScriptedCard();
    await shown(card);
    let lost = 3;
    station.server.after = (what) => {
      if (what === 'answers 1' && lost > 0) {
        lost -= 1;
        throw away(true);
      }
    };
    const id = await station.engine.startJob('A', WISH);
    await station.until(() => station.job(id)?.state.kind === 'waiting-for-server', 'waiting for the server');
    expect(station.engine.snapshot().server).toMatchObject({ state: 'away', code: 'server-away' });
    expect((await done(id)).trips).toBe(4);
    expect(station.engine.snapshot().server.state).toBe('up');
    expect(station.server.memory.outcomes).toHaveLength(1);
  });

  it('is not begun twice on a card, but given up, it makes room', async () => {
    const card = new ScriptedCard();
    await shown(card);
    card.mishap = (command) => (command === '80F00101' ? 'before' : undefined);
    const id = await station.engine.startJob('A', WISH);
    await waitsForCard(id);
    await station.until(() => station.server.log.includes('answers 1'), 'told');
    // The card is back, but the server is away: the job is still in hand.
    station.server.before = () => {
      throw away(false);
    };
    card.mishap = (command) => (command.startsWith('80F2') ? { answer: '01' } : undefined);
    station.engine.abandon(id);
    expect(station.job(id)?.state ?? { kind: 'abandoned' }).toEqual({ kind: 'abandoned' });
    station.server.before = () => undefined;
    card.mishap = () => undefined;
    await shown(card);
    const next = await station.engine.startJob('A', WISH);
    await expect(station.engine.startJob('A', WISH)).rejects.toMatchObject({ code: 'job-in-hand' });
    expect(next).not.toBe(id);
    await done(next);
  });

  it('cannot be given up while its commands run', async () => {
    const card = new ScriptedCard();
    await shown(card);
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    let writing = false;
    card.delay = async (command) => {
      if (command !== '80F00101') return;
      writing = true;
      await gate;
    };
    const id = await station.engine.startJob('A', WISH);
    await station.until(() => writing && station.job(id)?.state.kind === 'working', 'writing');
    expect(station.job(id)?.state).toEqual({ kind: 'working', writing: true, atCard: true });
    expect(() => station.engine.abandon(id)).toThrow('commands are running');
    go();
    await done(id);
  });

  it('ends when the server refuses it, with the card untouched', async () => {
    const card = new ScriptedCard();
    await shown(card);
    station.server.before = (what) => {
      if (what === 'job') throw new RefusedError('card-in-use', '', { station: 'Branch 7' }, 409);
    };
    const id = await station.engine.startJob('A', WISH);
    await station.until(() => station.job(id)?.state.kind === 'failed', 'failed');
    expect(station.job(id)?.state).toEqual({
      kind: 'failed',
      code: 'card-in-use',
      details: { station: 'Branch 7' },
    });
    expect(card.effects).toEqual([]);
    station.server.before = () => undefined;
    await station.until(() => {
      const state = station.reader();
      return state.kind === 'job' && state.look !== null;
    }, 'read again');
    await done(await station.engine.startJob('A', WISH));
  });

  it('given no answer to its first request is given up after the limit', async () => {
    await station.close();
    station = await openTestStation({ startLimitMs: 300 });
    await shown(new ScriptedCard());
    station.server.before = (what) => {
      if (what === 'job') throw away(false);
    };
    const id = await station.engine.startJob('A', WISH);
    await station.until(() => station.job(id)?.state.kind === 'failed', 'failed');
    expect(station.job(id)?.state).toMatchObject({ code: 'server-away' });
  });

  it('given up, its request is only asked after: the server begins nothing from it, however late', async () => {
    await station.close();
    station = await openTestStation({ startLimitMs: 300 });
    await shown(new ScriptedCard());
    station.server.before = (what) => {
      if (what === 'job') throw away(true);
    };
    const id = await station.engine.startJob('A', WISH);
    await station.until(() => station.job(id)?.state.kind === 'failed', 'failed');
    const asked: unknown[] = [];
    const post = station.server.postJob.bind(station.server);
    station.server.postJob = (request) => {
      asked.push(request.givenUp);
      return request.givenUp === true
        ? Promise.reject(new RefusedError('not-found', '', {}, 404))
        : post(request);
    };
    station.server.before = () => undefined;
    await station.until(() => asked.length > 0, 'asked after');
    expect(asked).toEqual([true]);
    expect(station.server.memory.jobs).toEqual({});
  });

  it('waits for a sign-in when the session turns out to be over, and goes on', async () => {
    await station.close();
    station = await openTestStation({ startLimitMs: 300 });
    await shown(new ScriptedCard());
    let over = true;
    station.server.before = (what) => {
      if (what === 'job' && over) throw new RefusedError('session-expired', '', {}, 401);
    };
    const id = await station.engine.startJob('A', WISH);
    await station.until(() => {
      const state = station.job(id)?.state;
      return state?.kind === 'waiting-for-server' && state.code === 'session-expired';
    }, 'waiting for a sign-in');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(station.job(id)?.state).toMatchObject({ kind: 'waiting-for-server' });
    over = false;
    await station.engine.signIn('op1', 'secret');
    expect(await done(id)).toMatchObject({ result: 'complete' });
  });

  it('that ends while its card is out stays on show until another card comes', async () => {
    const card = new ScriptedCard();
    await shown(card);
    let let_go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      let_go = resolve;
    });
    station.server.after = async (what) => {
      if (what === 'answers 3') await gate;
    };
    const id = await station.engine.startJob('A', WISH);
    await station.until(() => station.server.log.includes('answers 3'), 'the last answers');
    station.readers.remove('A');
    await station.until(() => station.reader().kind === 'empty', 'empty');
    let_go();
    await done(id);
    await station.until(() => {
      const state = station.reader();
      return state.kind === 'job' && state.job === id;
    }, 'the end on show');
    station.engine.relook('A');
    await station.until(() => station.reader().kind === 'empty', 'seen');
    await station.until(() => station.job(id) === undefined, 'forgotten');
  });

  it('that goes on in another reader is no longer waited for in the first', async () => {
    const card = new ScriptedCard();
    await shown(card);
    card.mishap = (command) => (command === '80F00101' ? 'before' : undefined);
    const id = await station.engine.startJob('A', WISH);
    await waitsForCard(id);
    const told: (string | undefined)[] = [];
    station.engine.subscribe((note) => {
      if (note.kind === 'reader' && note.reader.name === 'A' && note.reader.state.kind === 'empty')
        told.push(note.reader.state.waiting);
    });
    await station.until(() => told.includes(id), 'waited for');
    card.mishap = () => undefined;
    station.readers.remove('A');
    station.readers.insert('B', card);
    await done(id);
    await station.until(() => told.at(-1) === undefined, 'no longer waited for');
  });

  it('is taken up after a restart', async () => {
    const card = new ScriptedCard();
    await shown(card);
    card.mishap = (command) => (command === '80F00202' ? 'after' : undefined);
    const id = await station.engine.startJob('A', WISH);
    await waitsForCard(id);
    await station.restart();
    expect(station.job(id)?.state.kind).toBe('waiting-for-card');
    station.readers.insert('A', card);
    await done(id);
    expect(new Set(card.effects).size).toBe(card.effects.length);
  });
});

describe('whatever happens at whichever command of a job', () => {
  // Opening (2), then for each of 3 writes its challenge and the write.
  const COMMANDS = [1, 2, 3, 4, 5, 6, 7, 8];

  it.each(COMMANDS.flatMap((at) => [[at, 'before'] as const, [at, 'after'] as const]))(
    'pulled at command %i, %s the card acted: putting the card back is enough',
    async (at, when) => {
      const card = new ScriptedCard();
      await shown(card);
      const first = card.log.length;
      card.mishap = (_, count) => (count === first + at ? when : undefined);
      const start = station.engine.startJob('A', WISH);
      if (at <= 2) {
        await expect(start).rejects.toMatchObject({ code: 'card-removed' });
        expect(station.engine.snapshot().jobs).toEqual([]);
        return;
      }
      const id = await start;
      await waitsForCard(id);
      station.readers.insert('A', card);
      await done(id);
      expect([...card.written].sort()).toEqual([1, 2, 3]);
      expect(new Set(card.effects).size).toBe(card.effects.length);
      expect(station.server.memory.outcomes).toHaveLength(1);
    },
  );

  it.each([3, 4, 5, 6, 7, 8])('nonsense at command %i: reset, and on by itself', async (at) => {
    const card = new ScriptedCard();
    await shown(card);
    const first = card.log.length;
    card.mishap = (_, count) => (count === first + at ? { answer: '90' } : undefined);
    const id = await station.engine.startJob('A', WISH);
    await done(id);
    expect(station.server.answers).toContainEqual(
      expect.objectContaining({ cardEvent: 'reset', cardEpoch: 1, reached: true }),
    );
    expect([...card.written].sort()).toEqual([1, 2, 3]);
    expect(new Set(card.effects).size).toBe(card.effects.length);
  });

  it('a card that keeps failing is left alone until it was taken out', async () => {
    const card = new ScriptedCard();
    await shown(card);
    card.mishap = (command) => (command.startsWith('80F') ? { answer: '90' } : undefined);
    const id = await station.engine.startJob('A', WISH);
    await station.until(() => station.reader().kind === 'problem', 'problem');
    expect(station.job(id)?.state).toEqual({ kind: 'waiting-for-card', code: 'card-communication' });
    card.mishap = () => undefined;
    station.readers.remove('A');
    await station.until(() => station.reader().kind === 'empty', 'empty');
    station.readers.insert('A', card);
    await done(id);
  });

  it('the service stops and comes back', async () => {
    const card = new ScriptedCard();
    await shown(card);
    let once = true;
    card.delay = async (command) => {
      if (command !== '80F00202' || !once) return;
      once = false;
      station.readers.stopService();
    };
    const id = await station.engine.startJob('A', WISH);
    await station.until(() => station.engine.snapshot().service.kind === 'missing', 'service missing');
    expect(station.engine.snapshot()).toMatchObject({ readers: [], service: { code: 'pcsc-not-running' } });
    station.readers.startService();
    await done(id);
    expect(new Set(card.effects).size).toBe(card.effects.length);
  });
});

it('a second engine on the folder is refused, and may come when the first has gone', async () => {
  await expect(openTestStation({ folder: station.folder })).rejects.toMatchObject({
    code: 'station-already-running',
  });
  await station.restart();
});

const WISH = { account: '6222000000000001', wishes: [{ app: 'e-wallet', action: 'enable' as const }] };

/** Puts a card in and waits until it was looked at, to the last of what only the server wants to know. */
async function shown(card: ScriptedCard, reader = 'A') {
  station.readers.insert(reader, card);
  return station.until(() => wholeLook(station.reader(reader)), `card in ${reader}`);
}

function done(id: string) {
  return station.until(() => {
    const state = station.job(id)?.state;
    return state?.kind === 'done' && state.outcome;
  }, 'done');
}

function waitsForCard(id: string) {
  return station.until(() => station.job(id)?.state.kind === 'waiting-for-card', 'waiting for the card');
}

async function open(): Promise<void> {
  station = await openTestStation();
}
