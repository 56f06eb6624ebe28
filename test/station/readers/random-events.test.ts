/** A reader's machine with events in any order in which its runner can give them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CardPresence } from '../../../app/card/reader-port.ts';
import type {
  Order,
  Reader,
  ReaderEffect,
  ReaderEvent,
} from '../../../app/station/readers/machine/states.ts';
import { clickRefused, lookOf, unvisited } from '../../../app/station/readers/machine/states.ts';
import { transition } from '../../../app/station/readers/machine/transition.ts';
import { look } from './samples.ts';

it('every click is answered once, one job at a time has the card, and nothing begins on a card that went', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, reset) => {
      const world = new World(reset);
      for (const one of steps) world.take(one);
      world.close();
      expect(world.reader.place.kind).toBe('closed');
      expect([...world.answers.values()].filter((times) => times !== 1)).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('finish' as const), how: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('click' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('port' as const),
      card: fc.constantFrom<CardPresence>('present', 'present', 'absent', 'mute'),
      moves: fc.nat(1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('lost' as const, 'nudge' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('relook' as const, 'end-away' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('waits' as const), work: fc.boolean() }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What takes time, and is not over. */
type Running = Extract<ReaderEffect, { kind: 'connect' | 'read' | 'open' | 'claim' | 'disconnect' }>;

/** The runner's part: one thing under way at a time, whose end is the next event. What it holds the machine to is in `#do`. */
class World {
  reader: Reader;
  /** How often each click was answered. */
  readonly answers = new Map<number, number>();
  #running: Running | undefined;
  /** The job that has the card. */
  #lent: string | undefined;
  #linked = false;
  /** The link is lost: what is under way on it fails, and no job may get it. */
  #loss = false;
  #workWaits = false;
  #orders = 0;

  constructor(reset: boolean) {
    this.reader = unvisited({ card: 'present', events: 1 }, reset);
    this.#send({ kind: 'rested' });
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'finish':
        this.#finish(step.how);
        return;
      case 'click':
        this.#click();
        return;
      case 'port':
        this.#send({ kind: 'port', card: step.card, events: this.reader.events + step.moves });
        return;
      case 'lost':
        if (!this.#linked || this.#loss) return;
        this.#loss = true;
        this.#send(LOST);
        return;
      case 'waits':
        this.#workWaits = step.work;
        this.#send({ kind: 'nudge' });
        return;
      case 'nudge':
        this.#send({ kind: 'nudge' });
        return;
      case 'relook':
        this.#send({ kind: 'relook', ended: this.#lent === undefined });
        return;
      case 'end-away':
        this.#send({ kind: 'end-away', work: 'job-away' });
        return;
    }
  }

  /** The engine closes, and all that is under way comes to its end. */
  close(): void {
    this.#send({ kind: 'close' });
    for (let left = 20; left > 0 && this.reader.place.kind !== 'closed'; left -= 1) this.#finish(0);
  }

  #click(): void {
    const card = lookOf(this.reader)?.identification ?? null;
    if (clickRefused(this.reader, () => this.#lent !== undefined) !== undefined || card === null) return;
    this.#orders += 1;
    const order: Order = { id: this.#orders, account: '62220000', wishes: [], identification: card };
    this.answers.set(order.id, 0);
    this.#send({ kind: 'click', order });
  }

  #finish(how: number): void {
    if (this.#lent !== undefined) {
      this.#lent = undefined;
      this.#send({ kind: 'released', inHand: how === 1 });
      return;
    }
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) {
      this.#send({ kind: 'rested' });
      return;
    }
    if (running.kind === 'disconnect') {
      this.#linked = false;
      this.#send({ kind: 'left' });
      return;
    }
    const fault =
      how === 1 ? 'communication' : how === 2 ? 'card-removed' : how === 3 ? 'card-held' : undefined;
    const fails = fault !== undefined || this.#loss;
    if (running.kind === 'open') {
      this.#answer(running.order);
      if (fails) this.#send({ kind: 'not-begun' });
      else this.#lend('begun', 'job-new');
      return;
    }
    if (fails) {
      const detail = '';
      this.#send({
        kind: 'failed',
        fault: fault ?? 'card-removed',
        anyInHand: this.#workWaits,
        detail,
      });
      return;
    }
    if (running.kind === 'connect') {
      this.#linked = true;
      this.#send({ kind: 'connected' });
    } else if (running.kind === 'read') {
      this.#send({ kind: 'seen', look, taken: this.#workWaits });
      this.#send({ kind: 'looked', look });
    } else if (this.#workWaits) this.#lend('lent', running.work);
    else this.#send({ kind: 'unwanted' });
  }

  #lend(how: 'begun' | 'lent', work: string): void {
    this.#lent = work;
    this.#workWaits = false;
    this.#send({ kind: how, work });
    expect(this.reader.place.kind).toBe('lent');
  }

  #send(event: ReaderEvent): void {
    const { reader, effects } = transition(this.reader, event);
    this.reader = reader;
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: ReaderEffect): void {
    switch (effect.kind) {
      case 'connect':
        expect(this.#linked).toBe(false);
        this.#loss = false;
        this.#start(effect);
        return;
      case 'open':
      case 'claim':
        expect(this.#loss, 'nothing begins on a card that went').toBe(false);
        this.#start(effect);
        return;
      case 'read':
      case 'disconnect':
        this.#start(effect);
        return;
      case 'seek':
        this.#send({ kind: 'work', ...(this.#workWaits ? { work: 'job-waits' } : {}) });
        return;
      case 'lose':
        if (!this.#linked || this.#loss) return;
        this.#loss = true;
        this.#send(LOST);
        return;
      case 'refuse':
        this.#answer(effect.order);
        return;
      case 'rest':
      case 'tell-problem':
        return;
    }
  }

  #start(running: Running): void {
    expect(this.#running, 'one thing at a time').toBeUndefined();
    expect(this.#lent, 'a job has the card for itself').toBeUndefined();
    this.#running = running;
  }

  #answer({ id }: Order): void {
    this.answers.set(id, (this.answers.get(id) ?? 0) + 1);
  }
}

const LOST: ReaderEvent = {
  kind: 'lost',
  loss: { event: 'removed', fault: 'card-removed', anyInHand: false },
};
