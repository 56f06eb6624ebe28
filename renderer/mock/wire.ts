/** Plays main and the engine: the same schema and the same answerer, with made-up answers. */
import { KaikaError } from '../../app/protocol/errors.ts';
import { createAnswerer, runWith } from '../../electron/ipc-schema/answerer.ts';
import type { Wire } from '../../electron/ipc-schema/bridge.ts';
import {
  CALLS,
  channelOf,
  type Handlers,
  type Input,
  NOTIFICATIONS,
} from '../../electron/ipc-schema/calls.ts';
import type { Change, FaultView, Settings } from '../../electron/ipc-schema.ts';
import { Counter } from './counter.ts';
import type { Scene } from './scenes.ts';
import { CATALOGUE, NUMBER } from './values.ts';

export interface MockWire extends Wire {
  readonly counter: Counter;
}

export function createMockWire(scene: Scene, first: Settings): MockWire {
  let settings = first;
  let at = 1;
  const listeners = new Set<(value: unknown) => void>();
  const tell = (change: Change) => {
    at += 1;
    for (const listener of [...listeners]) listener({ at, change });
  };
  const counter = new Counter(scene.station, tell);
  const { later } = scene;
  let started = false;
  const refuse = (fault: FaultView | undefined) => {
    if (fault !== undefined) throw new KaikaError(fault.code, fault.code, fault.details);
  };

  const handlers: Handlers = {
    shell: {
      start: () => {
        if (later !== undefined && !started) setTimeout(() => counter.change(later.change), later.after);
        started = true;
        return { version: '0.1.0', settings, catalogue: CATALOGUE, station: counter.view, at };
      },
      changeSettings: (change) => {
        settings = { ...settings, ...defined(change) };
        tell({ kind: 'settings', settings });
        return settings;
      },
    },
    session: {
      signIn: ({ operator }) => {
        refuse(scene.refuse?.signIn);
        return counter.signIn(operator);
      },
      signOut: () => counter.signOut(),
      confirm: () => {
        refuse(scene.refuse?.confirm);
        return '7f8b7f1e-5f65-4f1b-9f0e-3a4bb1c5a001';
      },
    },
    server: { check: () => counter.view.server },
    card: {
      relook: ({ reader }) => counter.relook(reader),
      history: ({ card }) => historyOf(scene, card),
    },
    job: {
      preview: ({ reader, wishes }) => scene.plan ?? counter.plan(reader, wishes),
      start: (input) => {
        refuse(scene.refuse?.startJob);
        return counter.start(input);
      },
      abandon: ({ job }) => counter.abandon(job),
    },
  };
  const answer = createAnswerer(runWith(handlers));
  const names = new Map(CALLS.map(({ name }) => [channelOf(name), name]));

  return {
    counter,
    invoke: async (channel, input) => {
      const name = names.get(channel);
      return name === undefined ? undefined : answer(name, input);
    },
    listen: (channel, listener) => {
      if (channel !== NOTIFICATIONS) return () => undefined;
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function historyOf({ history }: Scene, card: string) {
  if (history === undefined || 'code' in history || card !== NUMBER) {
    const code = history !== undefined && 'code' in history ? history.code : 'not-found';
    throw new KaikaError(code);
  }
  return history;
}

function defined(change: Input<'shell.changeSettings'>): Partial<Settings> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
