/** `status`: what an administrator asks first, without keys and without cards' data. */
import { toHex } from '../../card/bytes.ts';
import { type ServerConfig, vaultConfigOf } from '../config.ts';
import { readStoreGeneration } from '../store/generation.ts';
import { openStore } from '../store/open.ts';
import { startVault } from '../vault/client.ts';

export async function printStatus(config: ServerConfig): Promise<number> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const vault = await startVault(vaultConfigOf(config));
  try {
    const status = await vault.status();
    say(`Token    ${status.token} (${status.manufacturer})${status.softwareToken ? ', software token' : ''}`);
    if (status.demo) say('Token    demonstration keys: they protect nothing');
    say(
      status.newKeys === 'inside-token'
        ? 'New keys are wrapped inside the token'
        : 'New keys pass through one wiped buffer of the vault process',
    );
    for (const key of status.masters) {
      say(
        `Key      ${key.purpose} ${key.origin} v${key.version} ${key.algorithm} check value ${toHex(key.checkValue)}`,
      );
    }
  } finally {
    await vault.close();
  }
  const store = await openStore(config.store);
  try {
    say(`Store    ${config.store.kind}, generation ${await readStoreGeneration(store)}`);
    for (const table of ['cards', 'jobs', 'operators', 'stations'] as const) {
      const { count } = await store
        .selectFrom(table)
        .select((select) => select.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      say(`Store    ${count} ${table}`);
    }
  } finally {
    await store.destroy();
  }
  return 0;
}
