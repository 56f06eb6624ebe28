/** `unbind` and `forget`: two people take back what a station only claimed. */
import { ConfigError, type ServerConfig } from '../config.ts';
import { forgetCard, unbindCard } from '../recovery/unbind.ts';
import { inStore } from './in-store.ts';
import { LEAST_REASON, prove, reasonOf, type WhoOptions, whoAnswers } from './who.ts';

/** As typed. */
export interface ClaimOptions extends WhoOptions {
  readonly card?: string;
}

export async function unbind(config: ServerConfig, options: ClaimOptions): Promise<number> {
  const { own, decision } = await read('unbind', options);
  const { setAside } = await inStore(config, async (store) => {
    const now = new Date();
    await prove(store, own, 'decide-card', config, now);
    return unbindCard(store, decision, now);
  });
  const further = setAside
    ? ' The record says that it may hold keys of the account, so it is set aside: collect it.'
    : '';
  process.stderr.write(
    `Card ${decision.card} has no account any more; that is on record under ${decision.operator} and ${decision.second}.${further}\n`,
  );
  return 0;
}

export async function forget(config: ServerConfig, options: ClaimOptions): Promise<number> {
  const { own, decision } = await read('forget', options);
  await inStore(config, async (store) => {
    const now = new Date();
    await prove(store, own, 'decide-card', config, now);
    await forgetCard(store, decision, now);
  });
  process.stderr.write(
    `Card ${decision.card} counts as never seen; that is on record under ${decision.operator} and ${decision.second}.\n`,
  );
  return 0;
}

/** @throws ConfigError for what was left out */
async function read(command: string, options: ClaimOptions) {
  const { card, operator, second } = options;
  const reason = reasonOf(options);
  if (card === undefined || operator === undefined || second === undefined || reason.length < LEAST_REASON)
    throw new ConfigError(
      `${command} needs --card ID, --operator ID, --second ID of another supervisor, and --reason TEXT of 5 characters at least.`,
    );
  const { secret, second: agrees } = await whoAnswers(operator, second);
  return {
    own: { operator, secret },
    decision: { card, operator, second, secret: agrees?.secret ?? '', reason },
  };
}
