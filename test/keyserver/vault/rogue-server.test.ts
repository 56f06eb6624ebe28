/** A taken-over server asks the vault for whatever it likes: what it gets out, and what it is refused, one by one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { factorFor } from '../../../app/dialects/keys.ts';
import { openVaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import { startVault } from '../../../app/keyserver/vault/client.ts';
import { VaultError } from '../../../app/keyserver/vault/error.ts';
import type { MasterKeyId } from '../../../app/keyserver/vault/keys.ts';
import type { Vault } from '../../../app/keyserver/vault/vault.ts';
import { type AttackedMaster, fillToken } from '../../support/attack/attacked-token.ts';
import { type AttackedVault, attackVault } from '../../support/attack/rogue-server-to-vault.ts';
import { cardKey, ecb, issuersCardKey } from '../../support/known-token.ts';
import { makeSoftToken, type SoftToken } from './soft-token.ts';

let token: SoftToken;
let vault: Vault;
let masters: readonly AttackedMaster[];
beforeAll(openAttackedVault);
afterAll(close);

describe('many calls of any kind', () => {
  test('give no key of another’s card, and no master', async () => {
    const found = await attackVault({ vault, masters }, CALLS);
    expect(found.keysOut).toBe(0);
    // It was an attack: much was carried out, and what went under keys that it knows it could read.
    expect(found.answered).toBeGreaterThan(CALLS / 20);
    expect(found.ownKeys).toBeGreaterThan(0);
  });

  test('to a vault that believes its server give them', async () => {
    expect((await attackVault({ vault: careless(), masters }, CALLS)).keysOut).toBeGreaterThan(0);
  });
});

describe('one call', () => {
  test('never brings one card’s new key under another card’s transport key', async () => {
    const [mine, other] = [CARD, OTHER];
    const mixed = [
      // The account of the other card, by name or by what its keys are diversified with.
      { card: mine, under: transport(mine), newKey: issuers(other) },
      { card: other, under: transport(mine), newKey: issuers(other) },
      { card: { ...mine, account: other.account }, under: transport(mine), newKey: issuers(other) },
      { card: { ...other, account: mine.account }, under: transport(mine), newKey: issuers(other) },
    ];
    for (const keys of mixed) await refused(keyWrite(keys), 'for the card of this call');
    await expect(
      keyWrite({ card: mine, under: transport(mine), newKey: issuers(mine) }),
    ).resolves.toHaveLength(28);
  });

  test('with another’s account gives a key that no card has', async () => {
    const made = { ...CARD, account: OTHER.account };
    const master = masterOf('app/e-wallet/mck', 'issuer');
    expect(issuersCardKey(master, made)).not.toEqual(issuersCardKey(master, OTHER));
    await expect(
      keyWrite({ card: made, under: transport(made), newKey: issuers(made) }),
    ).resolves.toHaveLength(28);
  });

  test('moves a card from the keys of the account that it had to those of the one it has', async () => {
    const before = { ...CARD, account: OTHER.account };
    const had = { ...issuers(before), account: before.account };
    await expect(keyWrite({ card: CARD, under: had, newKey: issuers(CARD, 2) })).resolves.toHaveLength(28);
    await refused(
      keyWrite({ card: CARD, under: issuers(before), newKey: issuers(CARD, 2) }),
      'not diversified so',
    );
  });

  test('never writes a manufacturer’s key, over an issuer’s or over another', async () => {
    const under = [issuers(CARD), transport(CARD)];
    for (const one of under)
      await refused(keyWrite({ card: CARD, under: one, newKey: transport(CARD) }), 'never written');
    const domain = { card: CARD, under: { scp: '03', dek: domainKey('dek', 'issuer') } } as const;
    await refused(vault.wrapDomainKeys({ ...domain, keys: domainKeys('factory') }), 'never written');
    await expect(vault.wrapDomainKeys({ ...domain, keys: domainKeys('issuer', 2) })).resolves.toHaveLength(3);
  });

  test('writes a newer version over an older one, and goes back', async () => {
    for (const [from, to] of [
      [1, 2],
      [2, 1],
    ] as const)
      await expect(
        keyWrite({ card: CARD, under: issuers(CARD, from), newKey: issuers(CARD, to) }),
      ).resolves.toHaveLength(28);
  });

  test.each([
    ['the right to use', { useRight: 0x00 }],
    ['the right to change', { changeRight: 0x00 }],
    ['the state that follows', { nextState: 0x00 }],
    ['the counter', { counter: 0xff }],
  ])('never with another header than the master was made for: %s', async (_what, change) => {
    const call = { card: CARD, under: transport(CARD), newKey: issuers(CARD) };
    await refused(keyWrite(call, change), 'was not made for a key record');
    await refused(keyWrite(call, {}, 0x01), 'was not made for a key record');
  });

  test('never diversifies a master in another way than its own', async () => {
    const context = {
      scp: '03',
      hostChallenge: new Uint8Array(8),
      cardChallenge: new Uint8Array(8),
    } as const;
    const ways = [
      { kind: 'none' },
      { kind: 'kdf3', data: new Uint8Array(10) },
      { kind: 'pboc', factor: Buffer.from(factorFor('identification', OTHER), 'hex') },
    ] as const;
    for (const diversification of ways) {
      const keys = domainKeys('factory');
      const other = { ...keys, enc: { ...keys.enc, diversification } };
      await refused(vault.channelSessionKeys({ card: CARD, keys: other, context }), 'not diversified so');
    }
    await expect(
      vault.channelSessionKeys({ card: CARD, keys: domainKeys('factory'), context }),
    ).resolves.toMatchObject({});
    for (const key of [{ ...transport(CARD), factor: issuers(CARD).factor }, transport(OTHER)])
      await refused(
        vault.ask('fmcosCryptogram', { card: CARD, key, challenge: CHALLENGE }),
        'not diversified so',
      );
  });

  test('says nothing of a master that nothing is fixed with, until that is done; what is fixed stays', async () => {
    const admin = await openVaultAdmin(token.config);
    try {
      const rule = { diversifiedBy: 'identification', records: [] } as const;
      const id = masterId('app/e-wallet/mck', 'issuer', 1);
      await refused(admin.setRule({ id, rule: { ...rule, records: [] } }), 'has its rule already');
      const unfit = { diversifiedBy: 'none', records: [] } as const;
      for (const origin of ['factory', 'issuer'] as const)
        await refused(
          admin.generateMaster({
            id: masterId('app/identity/mck', origin, 1),
            algorithm: 'des3-16',
            rule: { ...unfit, records: [] },
          }),
          'cannot be diversified by none',
        );
    } finally {
      await admin.close();
    }
  });
});

async function openAttackedVault(): Promise<void> {
  token = await makeSoftToken();
  masters = await fillToken(token.config);
  vault = await startVault(token.config);
}

async function close(): Promise<void> {
  await vault?.close();
  token?.remove();
}

/** The bench makes 10,000 of them (`npm run bench -- attack`). */
const CALLS = 1_500;

const CARD = { identification: '1000000000000001', account: '6222021234567890' };
const OTHER = { identification: '2000000000000002', account: '6222029876543210' };
const CHALLENGE = Buffer.from('9B361B26', 'hex');
type Card = typeof CARD;

const masterId = (purpose: string, origin: MasterKeyId['origin'], version: number): MasterKeyId => ({
  purpose,
  origin,
  version,
});

const transport = (card: Card) => ({
  master: masterId('app/e-wallet/mck', 'factory', 1),
  factor: Buffer.from(factorFor('identification', card), 'hex'),
});

const issuers = (card: Card, version = 1) => ({
  master: masterId('app/e-wallet/mck', 'issuer', version),
  factor: Buffer.from(factorFor('card', card), 'hex'),
});

const domainKey = (role: string, origin: MasterKeyId['origin'], version = 1) => ({
  master: masterId(`isd/demo-scp03/${role}`, origin, version),
  diversification: { kind: 'pboc' as const, factor: Buffer.from(factorFor('identification', CARD), 'hex') },
});

const domainKeys = (origin: MasterKeyId['origin'], version = 1) => ({
  enc: domainKey('enc', origin, version),
  mac: domainKey('mac', origin, version),
  dek: domainKey('dek', origin, version),
});

function keyWrite(
  keys: {
    readonly card: Card;
    readonly under: ReturnType<typeof transport>;
    readonly newKey: ReturnType<typeof transport>;
  },
  change: object = {},
  keyId = 0,
) {
  const header = { typeInside: 0xf9, useRight: 0xf0, changeRight: 0xaa, nextState: 0xaa, counter: 0x33 };
  return vault.ask('fmcosKeyWrite', {
    ...keys,
    p1: 0x39,
    keyId,
    header: { ...header, ...change },
    challenge: CHALLENGE,
  });
}

async function refused(call: Promise<unknown>, why: string): Promise<void> {
  await expect(call).rejects.toMatchObject({ fault: 'refused', message: expect.stringContaining(why) });
}

function masterOf(purpose: string, origin: MasterKeyId['origin'], version = 1): AttackedMaster {
  const found = masters.find(
    (one) => one.purpose === purpose && one.origin === origin && one.version === version,
  );
  if (found === undefined) throw new VaultError('key-missing', purpose);
  return found;
}

/** A vault as it was: whatever key a call names is derived by whatever the call says, and put under any other. */
function careless(): AttackedVault['vault'] {
  const key = ({ master, factor }: ReturnType<typeof transport>) =>
    cardKey(masterOf(master.purpose, master.origin, master.version), Buffer.from(factor).toString('hex'));
  const no = () => Promise.reject(new VaultError('refused', 'not asked here'));
  return {
    channelSessionKeys: no,
    foretellChannel: no,
    wrapDomainKeys: no,
    seal: no,
    unseal: no,
    async ask(operation, request) {
      if (operation !== 'fmcosKeyWrite') return no();
      // The attack builds these; what it exchanged in them is what matters.
      const { under, newKey } = Object(request);
      const record = Buffer.concat([
        Buffer.from('15F9F0AAAA33', 'hex'),
        key(newKey),
        Buffer.from('8000', 'hex'),
      ]);
      return new Uint8Array(Buffer.concat([ecb('des3-16', key(under), record), Buffer.alloc(4)]));
    },
  };
}
