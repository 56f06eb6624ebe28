/** `unbind` and `forget`: two people take back what a station only claimed. */
import { ConfigError, type ServerConfig } from '../config.ts';
import { forgetCard, unbindCard } from '../recovery/unbind.ts';
import { inStore, readSecret } from './in-store.ts';

/** As typed. */
export interface ClaimOptions {
  readonly card?: string;
  readonly operator?: string;
  readonly second?: string;
  readonly reason?: string;
}

export async function unbind(config: ServerConfig, options: ClaimOptions): Promise<number> {
  const decision = await read('unbind', options);
  const { setAside } = await inStore(config, (store) => unbindCard(store, decision, new Date()));
  const further = setAside
    ? ' The record says that it may hold keys of the account, so it is set aside: collect it.'
    : '';
  process.stderr.write(
    `Card ${decision.card} has no account any more; that is on record under ${decision.operator} and ${decision.second}.${further}\n`,
  );
  return 0;
}

export async function forget(config: ServerConfig, options: ClaimOptions): Promise<number> {
  const decision = await read('forget', options);
  await inStore(config, (store) => forgetCard(store, decision, new Date()));
  process.stderr.write(
    `Card ${decision.card} counts as never seen; that is on record under ${decision.operator} and ${decision.second}.\n`,
  );
  return 0;
}

/** @throws ConfigError for what was left out */
async function read(command: string, { card, operator, second, reason }: ClaimOptions) {
  const why = reason?.trim().slice(0, 500) ?? '';
  if (card === undefined || operator === undefined || second === undefined || why.length < 5)
    throw new ConfigError(
      `${command} needs --card ID, --operator ID, --second ID of another operator, and --reason TEXT of 5 characters at least.`,
    );
  return { card, operator, second, secret: await readSecret(), reason: why };
}
