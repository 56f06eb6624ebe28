/** Work that is done for one station after the other: nobody who asks more often is served more often. */
import { describe, expect, it, vi } from 'vitest';
import { FairTurns, type TurnRules } from '../../../app/keyserver/api/fair-turns.ts';
import { refusal } from '../../support/issuer-steps.ts';

describe('turns', () => {
  it('are taken in the order in which stations came, one at a time', async () => {
    const { turns, served, begin } = open({});
    const works = ['a', 'b', 'c'].map((name) => begin(name));
    for (const work of works) {
      await vi.waitUntil(() => work.begun);
      expect(works.filter(({ begun, done }) => begun && !done)).toHaveLength(1);
      work.end();
      await work.result;
    }
    expect(served).toEqual(['a', 'b', 'c']);
    expect(await turns.run('d', 'busy', async () => 'free again')).toBe('free again');
  });

  it('of one station that asks again and again come once between those of the others', async () => {
    const { served, begin, turns } = open({});
    const first = begin('rogue');
    const others = ['a', 'b'].map((name) => begin(name));
    for (let time = 0; time < 50; time += 1)
      expect((await refusal(turns.run('rogue', 'busy', async () => undefined))).code).toBe('server-busy');
    first.end();
    await first.result;
    const again = begin('rogue');
    for (const one of [...others, again]) {
      one.end();
      await one.result;
    }
    expect(served).toEqual(['rogue', 'a', 'b', 'rogue']);
  });

  it('do not come for ever: who waits too long, or behind too many, is sent away, and the rest is served', async () => {
    const { begin, turns, served } = open({ waiting: 1, patience: 20 });
    const first = begin('a');
    const late = turns.run('b', 'busy', async () => undefined);
    expect((await refusal(turns.run('c', 'busy', async () => undefined))).code).toBe('server-busy');
    expect((await refusal(late)).code).toBe('server-busy');
    first.end();
    await first.result;
    const next = begin('b');
    next.end();
    await next.result;
    expect(served).toEqual(['a', 'b']);
  });

  it('pass on when the work fails', async () => {
    const { turns } = open({});
    const failing = turns.run('a', 'busy', () => Promise.reject(new Error('of the work')));
    const next = turns.run('b', 'busy', async () => 'served');
    await expect(failing).rejects.toThrow('of the work');
    expect(await next).toBe('served');
  });
});

function open(rules: Partial<TurnRules>) {
  const turns = new FairTurns({ atOnce: 1, ofOne: 1, waiting: 10, patience: 60_000, ...rules });
  const served: string[] = [];
  /** Work of a station that goes on until it is ended. */
  const begin = (station: string) => {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const work = { begun: false, done: false, end: () => end(), result: Promise.resolve() };
    work.result = turns.run(station, 'busy', async () => {
      served.push(station);
      work.begun = true;
      await ended;
      work.done = true;
    });
    return work;
  };
  return { turns, served, begin };
}
