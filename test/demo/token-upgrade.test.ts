/** A demo of an older version: its token's masters have no rules, and the issuer's keys were of an account alone. It goes on with the new. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pkcs11 from 'pkcs11js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bringTokenUp } from '../../app/demo/token-upgrade.ts';
import { factorFor } from '../../app/dialects/keys.ts';
import { openActiveVersions } from '../../app/keyserver/keys/active-versions.ts';
import { openSqliteStore } from '../../app/keyserver/store/open.ts';
import { startVault } from '../../app/keyserver/vault/client.ts';
import type { VaultTokenConfig } from '../../app/keyserver/vault/config.ts';
import { TokenKeeper } from '../../app/keyserver/vault/process/token/token-keeper.ts';
import type { Vault } from '../../app/keyserver/vault/vault.ts';
import { demoToken } from '../support/demo-token.ts';
import { writeOperator } from '../support/operators.ts';
import { scratchFolder } from '../support/temporary.ts';

let folder: string;
let token: VaultTokenConfig;
let vault: Vault;
beforeAll(openOlderDemo);
afterAll(close);

describe('a token of an older version', () => {
  it('does nothing with its masters, and says what is to be done', async () => {
    const said = { fault: 'refused', message: expect.stringContaining('keys fix') };
    for (const key of [transport, issuers('account', 1)])
      await expect(
        vault.ask('fmcosCryptogram', { card: CARD, key, challenge: CHALLENGE }),
      ).rejects.toMatchObject(said);
    expect((await vault.status()).masters.every(({ rule }) => rule === null)).toBe(true);
    await expect(activeMck()).rejects.toMatchObject({ code: 'hsm-key-missing' });
  });

  it('is brought up once: rules, and a version of each app’s keys that is of card and account', async () => {
    const demo = {
      tokenMark: join(folder, 'mark'),
      store: join(folder, 'store'),
      token,
      operator: 'custodian',
    };
    await bringTokenUp(demo);
    const { masters } = await vault.status();
    const ways = (purpose: string) =>
      masters
        .filter((one) => one.purpose === purpose)
        .map(({ origin, version, rule }) => `${origin} ${version} ${rule?.diversifiedBy}`);
    expect(ways('app/transit/mtk').sort()).toEqual([
      'factory 1 identification',
      'issuer 1 account',
      'issuer 2 card',
    ]);
    expect(ways('isd/demo-scp03/dek')).toEqual(['factory 1 identification']);
    expect(await activeMck()).toEqual({ version: 2, factor: 'card' });
    await bringTokenUp(demo);
    expect((await vault.status()).masters).toHaveLength(masters.length);
    // Interrupted behind the last step: the next start finds all of it done.
    rmSync(demo.tokenMark);
    await bringTokenUp(demo);
    expect((await vault.status()).masters).toHaveLength(masters.length);
  });

  it('has cards with the older keys authenticated and moved, and writes those keys to no fresh card', async () => {
    const old = issuers('account', 1);
    await expect(
      vault.ask('fmcosCryptogram', { card: CARD, key: old, challenge: CHALLENGE }),
    ).resolves.toHaveLength(8);
    await expect(keyWrite(old, issuers('card', 2))).resolves.toHaveLength(28);
    await expect(keyWrite(transport, issuers('card', 2))).resolves.toHaveLength(28);
    await expect(keyWrite(transport, old)).rejects.toMatchObject({
      fault: 'refused',
      message: expect.stringContaining('could be written to another card'),
    });
    // Of another account than the card has, an old key is nobody's here.
    const others = { ...old, account: '6222029999999999', factor: factor('account', '6222029999999999') };
    await expect(keyWrite(others, issuers('card', 2))).rejects.toMatchObject({ fault: 'refused' });
  });
});

async function openOlderDemo(): Promise<void> {
  folder = scratchFolder('kaika-older-demo-');
  ({ token } = await demoToken(folder));
  dropRules(token);
  const store = await openSqliteStore(join(folder, 'store'));
  const secret = 'a secret of some length';
  await writeOperator(store, { id: 'custodian', name: 'custodian', role: 'key-custodian', secret });
  await store.destroy();
  vault = await startVault(token);
}

async function close(): Promise<void> {
  await vault?.close();
  rmSync(folder, { recursive: true, force: true });
}

const CARD = { identification: '1000000000000001', account: '6222021234567890' };
const CHALLENGE = Buffer.from('9B361B26', 'hex');

const factor = (kind: 'identification' | 'account' | 'card', account = CARD.account) =>
  Buffer.from(factorFor(kind, { ...CARD, account }), 'hex');

const transport = {
  master: { purpose: 'app/e-wallet/mck', origin: 'factory' as const, version: 1 },
  factor: factor('identification'),
};

const issuers = (kind: 'account' | 'card', version: number) => ({
  master: { purpose: 'app/e-wallet/mck', origin: 'issuer' as const, version },
  factor: factor(kind),
});

function keyWrite(under: object, newKey: object) {
  return vault.ask('fmcosKeyWrite', {
    card: CARD,
    under,
    newKey,
    p1: 0x39,
    keyId: 0,
    header: { typeInside: 0xf9, useRight: 0xf0, changeRight: 0xaa, nextState: 0xaa, counter: 0x33 },
    challenge: CHALLENGE,
  });
}

/** What new writes of the wallet's master control key use. */
async function activeMck() {
  const store = await openSqliteStore(join(folder, 'store'));
  try {
    return (await openActiveVersions({ store, vault, now: () => 0 })())('app/e-wallet/mck');
  } finally {
    await store.destroy();
  }
}

/** As an older program left it: masters, and nothing beside them. */
function dropRules({ module, tokenLabel, pin, softhsmConf }: VaultTokenConfig): void {
  process.env['SOFTHSM2_CONF'] = softhsmConf;
  const keeper = new TokenKeeper({ module, tokenLabel, pin, demo: true }, 'write');
  try {
    keeper.runOnce((open) =>
      open.sessions.use((session) => {
        const rules = session
          .find([{ type: pkcs11.CKA_CLASS, value: pkcs11.CKO_DATA }])
          .filter((object) =>
            session.attribute(object, pkcs11.CKA_LABEL).toString().startsWith('kaika:rule:'),
          );
        expect(rules.length).toBeGreaterThan(10);
        for (const rule of rules) session.p11.C_DestroyObject(session.handle, rule);
      }),
    );
  } finally {
    keeper.drop();
  }
}
