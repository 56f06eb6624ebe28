/** What commands share that somebody has to answer for: who they are, who agrees, and why. */
import type { Mandate } from '../access/mandate.ts';
import type { Right } from '../access/rights.ts';
import { proveAtTerminal } from '../access/terminal.ts';
import { requireTwoPeople } from '../access/two-people.ts';
import { ConfigError, type ServerConfig } from '../config.ts';
import type { Store } from '../store/open.ts';
import { inStore } from './in-store.ts';
import { readSecrets } from './secrets.ts';

/** As typed. */
export interface WhoOptions {
  readonly operator?: string;
  readonly second?: string;
  readonly reason?: string;
}

/** Those who answer for a command, with their secrets as typed. */
export interface Answering {
  readonly operator: string;
  readonly secret: string;
  readonly second?: { readonly id: string; readonly secret: string };
}

/** Why, as it goes to the audit. */
export function reasonOf({ reason }: WhoOptions): string {
  return reason?.trim().slice(0, 500) ?? '';
}

export const LEAST_REASON = 5;

/** Asks for the secrets of whoever was named. @throws ConfigError for one that is not given */
export async function whoAnswers(operator: string, second?: string): Promise<Answering> {
  if (second === undefined) {
    const [secret] = await readSecrets([`Secret of ${operator}`]);
    return { operator, secret };
  }
  const [secret, agreed] = await readSecrets([`Secret of ${operator}`, `Secret of ${second}`]);
  return { operator, secret, second: { id: second, secret: agreed } };
}

/** Whoever answers for it signs in for this one command, and another one agrees where one was named. @throws KaikaError as `proveAtTerminal`, `requireTwoPeople` */
export async function prove(
  store: Store,
  who: Answering,
  right: Right,
  { limits }: Pick<ServerConfig, 'limits'>,
  now: Date,
): Promise<void> {
  const { operator, secret, second } = who;
  await proveAtTerminal(store, { operator, secret }, right, now, limits);
  if (second !== undefined)
    await requireTwoPeople(store, { operator, second: second.id, secret: second.secret }, right, now, limits);
}

/** Does something in the store for those who answer for it. @throws ConfigError, KaikaError as `prove`, and what `work` throws */
export async function answeredFor(
  config: Pick<ServerConfig, 'store' | 'limits'>,
  options: WhoOptions,
  right: Right,
  work: (store: Store, mandate: Mandate, now: Date) => Promise<void>,
): Promise<void> {
  const operator = need(options.operator, 'This needs --operator ID of whoever answers for it.');
  const who = await whoAnswers(operator, options.second);
  const reason = reasonOf(options);
  await inStore(config, async (store) => {
    const now = new Date();
    await prove(store, who, right, config, now);
    const mandate = {
      by: operator,
      ...(who.second === undefined ? {} : { second: who.second.id }),
      ...(reason === '' ? {} : { reason }),
    };
    await work(store, mandate, now);
  });
}

/** @throws ConfigError naming the command's options */
export function need<T>(value: T | undefined, sentence: string): T {
  if (value === undefined) throw new ConfigError(sentence);
  return value;
}
