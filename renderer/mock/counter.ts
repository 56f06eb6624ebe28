/** A counter that can be played with: cards come and go, jobs run by themselves. Times are made up. */

import { KaikaError } from '../../app/protocol/errors.ts';
import type { Input } from '../../electron/ipc-schema/calls.ts';
import type {
  CardView,
  Change,
  JobState,
  JobView,
  OperatorView,
  PlanView,
  ReaderState,
  StationView,
  StepView,
  WishView,
} from '../../electron/ipc-schema.ts';
import { CATALOGUE, card, MOMENT, READER } from './values.ts';

const LOOK_MS = 500;
const COMMAND_MS = 40;
const COMMANDS = 60;

export class Counter {
  #view: StationView;
  readonly #tell: (change: Change) => void;
  #card: CardView | null = null;

  constructor(view: StationView, tell: (change: Change) => void) {
    this.#view = view;
    this.#tell = tell;
  }

  get view(): StationView {
    return this.#view;
  }

  /** Someone puts a card into the first reader. */
  putIn(seen: CardView = card()): void {
    this.#card = seen;
    this.#reader({ kind: 'looking' });
    setTimeout(() => this.#reader({ kind: 'card', card: seen }), LOOK_MS);
  }

  takeOut(): void {
    this.#card = null;
    this.#reader({ kind: 'empty' });
  }

  change(change: Change): void {
    if (change.kind === 'server') this.#view = { ...this.#view, server: change.server };
    this.#tell(change);
  }

  signIn(name: string): OperatorView {
    const operator = { id: name, name, expires: '2026-11-23T18:00:00.000Z' };
    this.#view = { ...this.#view, operator };
    this.#tell({ kind: 'operator', operator });
    return operator;
  }

  signOut(): null {
    this.#view = { ...this.#view, operator: null };
    this.#tell({ kind: 'operator', operator: null });
    return null;
  }

  plan(reader: string, wishes: readonly WishView[]): PlanView {
    const state = this.#view.readers.find((one) => one.name === reader)?.state;
    if (state?.kind !== 'card') throw new KaikaError('no-card');
    const seen = (app: string) => state.card.apps.find((one) => one.app === app);
    const enable = wishes.filter((wish) => wish.action === 'enable').map((wish) => wish.app);
    const loads = enable.filter((app) => seen(app)?.state === 'missing');
    const deletes = wishes.filter((wish) => wish.action === 'delete').map((wish) => wish.app);
    const size = (app: string) => CATALOGUE.apps.find((one) => one.id === app)?.size ?? 0;
    return {
      fits: true,
      steps: [
        ...loads.map((app) => ({ kind: 'load' as const, app })),
        ...enable.map((app) => ({ kind: 'enable' as const, app })),
        ...deletes.map((app) => ({ kind: 'delete' as const, app })),
      ],
      memory: { needed: loads.reduce((sum, app) => sum + size(app), 0), free: state.card.freeMemory },
      confirm: deletes.filter((app) => seen(app)?.balance !== undefined),
    };
  }

  start({ reader, card: number, wishes }: Input<'job.start'>): string {
    const plan = this.plan(reader, wishes);
    const steps = plan.fits ? plan.steps.map((step): StepView => ({ ...step, state: 'waiting' })) : [];
    const id = `job-${this.#view.jobs.length + 1}`;
    const job: JobView = {
      id,
      reader,
      card: number,
      created: MOMENT,
      wishes: wishes.map(({ app, action }) => ({ app, action })),
      progress: { steps, current: null, sent: 0, commands: 0 },
      state: { kind: 'working', writing: false },
    };
    this.#job(job);
    this.#reader({ kind: 'job', job: id, card: null });
    this.#run(job, 0, 0);
    return id;
  }

  abandon(id: string): null {
    const job = this.#view.jobs.find((one) => one.id === id);
    if (job === undefined) throw new KaikaError('not-found');
    this.#job({ ...job, state: { kind: 'abandoned' } });
    return null;
  }

  relook(reader: string): null {
    const state = this.#view.readers.find((one) => one.name === reader)?.state;
    const seen = this.#card ?? (state?.kind === 'card' || state?.kind === 'job' ? state.card : null);
    if (seen !== null) this.putIn(seen);
    return null;
  }

  #run(job: JobView, at: number, sent: number): void {
    const step = job.progress.steps[at];
    if (step === undefined) {
      this.#end(job);
      return;
    }
    const steps = job.progress.steps.map((one, place): StepView => {
      const state = place < at ? 'done' : place === at ? 'running' : 'waiting';
      return { ...one, state };
    });
    const current = { step: step.kind === 'load' ? 'load-block' : 'authenticate', app: step.app } as const;
    const state: JobState = { kind: 'working', writing: sent % 20 > 4 };
    const now = { ...job, progress: { steps, current, sent, commands: COMMANDS }, state };
    this.#job(now);
    const last = step.kind === 'load' ? COMMANDS : COMMANDS / 4;
    setTimeout(() => (sent < last ? this.#run(now, at, sent + 1) : this.#run(now, at + 1, 0)), COMMAND_MS);
  }

  #end(job: JobView): void {
    const seen = this.#card ?? card();
    const deleted = job.wishes.filter((wish) => wish.action === 'delete').map((wish) => wish.app);
    const apps = job.wishes.map(({ app, action }) => {
      const before = seen.apps.find((one) => one.app === app)?.state;
      const known = before === 'enabled' || before === 'installed' ? before : 'missing';
      return { app, before: known, after: action === 'enable' ? 'enabled' : 'missing' } as const;
    });
    const after = seen.apps.map((one) => ({
      ...one,
      state: apps.find((app) => app.app === one.app)?.after ?? one.state,
    }));
    this.#card = { ...seen, apps: after };
    const steps = job.progress.steps.map((step): StepView => ({ ...step, state: 'done' }));
    const progress = { ...job.progress, steps, current: null };
    // As the server has it: what was deleted is named apart.
    const left = apps.filter(({ app }) => !deleted.includes(app));
    this.#job({
      ...job,
      progress,
      state: { kind: 'done', result: { result: 'complete', apps: left, deleted } },
    });
    this.#reader({ kind: 'job', job: job.id, card: this.#card });
  }

  #job(job: JobView): void {
    this.#view = { ...this.#view, jobs: [...this.#view.jobs.filter((one) => one.id !== job.id), job] };
    this.#tell({ kind: 'job', job });
  }

  #reader(state: ReaderState): void {
    const reader = { name: this.#view.readers[0]?.name ?? READER, state };
    this.#view = { ...this.#view, readers: [reader, ...this.#view.readers.slice(1)] };
    this.#tell({ kind: 'reader', reader });
  }
}
