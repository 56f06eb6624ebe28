/** Tells on standard error what a headless run does, in the language of the person at the terminal. */
import type { Catalogue } from '../catalogue/schema.ts';
import type { ErrorCode, ErrorDetails } from '../protocol/errors.ts';
import type { AppState, StepName } from '../protocol/wire.ts';
import type { HeadlessResult } from '../station/headless/result.ts';
import type { Told } from '../station/headless/run.ts';
import type { Texts } from '../texts/texts.ts';

/** Steps that staff need not hear of: they prepare the next one. */
const QUIET: ReadonlySet<StepName> = new Set([
  'select-app',
  'challenge',
  'read-state',
  'select-security-domain',
  'read-memory',
  'read-card-state',
]);

/** Whether a step is not told: it prepares the next one. */
export function isQuiet(step: StepName): boolean {
  return QUIET.has(step);
}

export class TerminalTeller {
  readonly #texts: Texts;
  readonly #catalogue: Catalogue;
  readonly #write: (line: string) => void;

  constructor(texts: Texts, catalogue: Catalogue, write: (line: string) => void) {
    this.#texts = texts;
    this.#catalogue = catalogue;
    this.#write = write;
  }

  tell(told: Told): void {
    const { t } = this.#texts;
    switch (told.kind) {
      case 'card': {
        const { type: id, freeMemory: bytes, apps } = told.look;
        const profile = this.#catalogue.profiles.find((one) => one.id === id);
        const type = profile === undefined ? '?' : this.#texts.named(profile.name);
        this.#write(
          bytes === null ? t('terminal.card', { type }) : t('terminal.card-memory', { type, bytes }),
        );
        for (const app of apps) this.#write(`  ${this.#app(app.app)}: ${this.#state(app.state)}`);
        break;
      }
      case 'signed-in':
        this.#write(t('terminal.signed-in', { name: told.name }));
        break;
      case 'continues':
        this.#write(t('terminal.continues'));
        break;
      case 'plan': {
        const plan = told.job.progress.plan;
        const steps = (plan?.steps ?? []).map((step) =>
          t(`terminal.${step.kind}`, { app: this.#app(step.app) }),
        );
        if (plan !== null && steps.length > 0)
          this.#write(t('terminal.plan', { steps: this.#texts.list(steps), trips: plan.trips }));
        break;
      }
      case 'step': {
        const { step, app } = told.label;
        if (isQuiet(step)) break;
        this.#write(`  ${app === undefined ? '' : `${this.#app(app)}: `}${this.#texts.step(step)}`);
        break;
      }
      case 'waits':
        this.error(told.code);
        break;
      case 'error':
        this.error(told.code, told.details);
        break;
    }
  }

  error(code: ErrorCode, details: ErrorDetails = {}): void {
    const { detail, ...text } = this.#texts.error(code, details, (app) => this.#app(app));
    const { t } = this.#texts;
    this.#write(
      detail === undefined
        ? t('terminal.error', { ...text })
        : t('terminal.error-detail', { ...text, detail }),
    );
  }

  result(result: HeadlessResult): void {
    const { t } = this.#texts;
    for (const app of result.apps) {
      this.#write(`  ${this.#app(app.app)}: ${this.#state(app.before)} → ${this.#state(app.after)}`);
      if (app.error !== undefined && app.error !== result.error) this.error(app.error);
    }
    for (const app of result.deleted) this.#write(`  ${this.#app(app)}: → ${this.#state('missing')}`);
    this.#write(t(`terminal.${result.outcome}`));
    if (result.trips > 0) {
      const { trips, plannedTrips: planned, milliseconds } = result;
      this.#write(t('terminal.trips', { trips, planned, seconds: (milliseconds / 1000).toFixed(1) }));
    }
  }

  #state(state: AppState): string {
    return this.#texts.t(`terminal.state-${state}`);
  }

  #app(id: string): string {
    const known = this.#catalogue.apps.find((app) => app.id === id);
    return known === undefined ? id : this.#texts.named(known.name);
  }
}
