/** Tells on standard error what a headless run does, in the language of the person at the terminal. */
import type { Catalogue } from '../catalogue/schema.ts';
import type { AppState, StepName } from '../protocol/wire.ts';
import type { HeadlessResult } from '../station/headless/result.ts';
import type { Told } from '../station/headless/run.ts';
import { errorText, type Locale, type Messages, stepText } from '../station/messages.ts';

const WORDS = {
  en: {
    states: { enabled: 'enabled', installed: 'installed, not enabled', missing: 'not installed' },
    card: (type: string, memory: string) => `Card read: ${type}${memory}`,
    memory: (bytes: number) => `, ${bytes.toLocaleString('en')} bytes free`,
    signedIn: (name: string) => `Signed in: ${name}`,
    continues: 'The work begun on this card goes on',
    plan: { load: 'load', enable: 'enable', delete: 'delete', renew: 'renew the keys of' },
    plans: (steps: string, trips: number) => `Plan: ${steps} (${trips} requests to the key server)`,
    result: {
      complete: 'Done: take the card',
      partial: 'Not everything was done',
      refused: 'Nothing was done',
    },
    trips: (trips: number, planned: number, seconds: string) =>
      `${trips} ${trips === 1 ? 'request' : 'requests'} (planned ${planned}), ${seconds} s`,
    separator: ', ',
  },
  'zh-CN': {
    states: { enabled: '已开通', installed: '已安装未开通', missing: '未安装' },
    card: (type: string, memory: string) => `已读卡：${type}${memory}`,
    memory: (bytes: number) => `，剩余空间 ${bytes.toLocaleString('zh-CN')} 字节`,
    signedIn: (name: string) => `已登录：${name}`,
    continues: '继续这张卡上未完成的工作',
    plan: { load: '装入', enable: '开通', delete: '删除', renew: '更新密钥' },
    plans: (steps: string, trips: number) => `计划：${steps}（与密钥服务器往返 ${trips} 次）`,
    result: { complete: '完成：请取卡', partial: '未全部完成', refused: '未做任何改动' },
    trips: (trips: number, planned: number, seconds: string) =>
      `往返 ${trips} 次（计划 ${planned} 次），用时 ${seconds} 秒`,
    separator: '、',
  },
} as const;

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
  readonly #messages: Messages;
  readonly #locale: Locale;
  readonly #catalogue: Catalogue;
  readonly #write: (line: string) => void;

  constructor(locale: Locale, messages: Messages, catalogue: Catalogue, write: (line: string) => void) {
    this.#locale = locale;
    this.#messages = messages;
    this.#catalogue = catalogue;
    this.#write = write;
  }

  tell(told: Told): void {
    const words = WORDS[this.#locale];
    switch (told.kind) {
      case 'card': {
        const { look } = told;
        const type =
          this.#catalogue.profiles.find((profile) => profile.id === look.type)?.name[this.#locale] ?? '?';
        this.#write(words.card(type, look.freeMemory === null ? '' : words.memory(look.freeMemory)));
        for (const app of look.apps) this.#write(`  ${this.#app(app.app)}: ${words.states[app.state]}`);
        break;
      }
      case 'signed-in':
        this.#write(words.signedIn(told.name));
        break;
      case 'continues':
        this.#write(words.continues);
        break;
      case 'plan': {
        const plan = told.job.progress.plan;
        const steps = (plan?.steps ?? []).map((step) => `${words.plan[step.kind]} ${this.#app(step.app)}`);
        if (plan !== null && steps.length > 0)
          this.#write(words.plans(steps.join(words.separator), plan.trips));
        break;
      }
      case 'step': {
        const { step, app } = told.label;
        if (isQuiet(step)) break;
        this.#write(`  ${app === undefined ? '' : `${this.#app(app)}: `}${stepText(this.#messages, step)}`);
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

  error(code: Parameters<typeof errorText>[2], details: Parameters<typeof errorText>[3] = {}): void {
    const text = errorText(this.#messages, this.#locale, code, details, (app) => this.#app(app));
    const parts = [text.what, text.detail, text.card, text.next].filter((part) => part !== undefined);
    this.#write(`! ${parts.join(this.#locale === 'zh-CN' ? '' : ' ')}`);
  }

  result(result: HeadlessResult): void {
    const words = WORDS[this.#locale];
    const state = (state: AppState) => words.states[state];
    for (const app of result.apps) {
      this.#write(`  ${this.#app(app.app)}: ${state(app.before)} → ${state(app.after)}`);
      if (app.error !== undefined && app.error !== result.error) this.error(app.error);
    }
    for (const app of result.deleted) this.#write(`  ${this.#app(app)}: → ${words.states.missing}`);
    this.#write(`${words.result[result.outcome]}`);
    if (result.trips > 0) {
      this.#write(words.trips(result.trips, result.plannedTrips, (result.milliseconds / 1000).toFixed(1)));
    }
  }

  #app(id: string): string {
    return this.#catalogue.apps.find((app) => app.id === id)?.name[this.#locale] ?? id;
  }
}
