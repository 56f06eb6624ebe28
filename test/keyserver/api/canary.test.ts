/**
 * No master key byte and no card key in the store, the log or on the line, except enciphered for the card: known masters, a whole
 * story over HTTPS, and then every file and every body is searched for every key, in every spelling.
 */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Wish } from '../../support/api.ts';
import { httpsRig, jobReplySchema, randomDigits, SECRET, stepReplySchema } from '../../support/api.ts';
import { findAll, needles } from '../../support/key-search.ts';
import {
  cardKey,
  ecb,
  issuersCardKey,
  type KnownMaster,
  knownToken,
  oddParity,
} from '../../support/known-token.ts';
import { storeFiles } from '../../support/stores.ts';
import { runBatch, slotOnCard, type VirtualCard, WALLET } from '../../support/visits.ts';

const { makeToken, masters, pins } = knownToken();
const https = httpsRig('sqlite', makeToken);
let token: string;
beforeAll(watchSessionKeys);

describe('after a whole story on both card types', () => {
  const digits: string[] = [];
  const seen: Buffer[] = [];
  const cards: { identification: string; account: string }[] = [];
  const find = (purpose: string, origin: 'factory' | 'issuer'): KnownMaster => {
    const master = masters.find((one) => one.purpose === purpose && one.origin === origin);
    if (master === undefined) throw new Error(`no master ${purpose}`);
    return master;
  };

  beforeAll(async () => {
    for (const type of ['demo-scp03', 'demo-scp02'] as const) {
      const { card, identification } = https.rig.newCard({ type });
      const account = randomDigits(19);
      await tell(card, account, seen);
      digits.push(identification, account);
      cards.push({ identification, account });
      // The search is for the right keys: the card has the one computed here.
      const expected = oddParity(
        issuersCardKey(find('app/e-wallet/mck', 'issuer'), { identification, account }),
      );
      expect(slotOnCard(card, WALLET, 0x39).value).toBe(expected.toString('hex').toUpperCase());
      expect((await https.rig.look(card)).observed.filter((one) => one.state === 'enabled')).toHaveLength(3);
    }
    seen.push(
      ...storeFiles(https.rig.store),
      Buffer.from(https.log.join('')),
      Buffer.from(https.captured.join('\n')),
    );
  });

  it('the haystack is the real one', () => {
    const all = Buffer.concat(seen);
    expect(https.captured.length).toBeGreaterThan(40);
    expect(https.log.length).toBeGreaterThan(20);
    for (const one of digits) expect(all.includes(Buffer.from(one)), 'account and identification').toBe(true);
    // Key writes went over the line, 84 D4 …, and never lay open in the store.
    expect(Buffer.from(https.captured.join('')).includes(Buffer.from('84D439001C'))).toBe(true);
    expect(Buffer.concat([...seen.slice(0, -2)]).includes(Buffer.from('84D439001C'))).toBe(false);
  });

  it('no master key, no key of a card, transport or issuer, adjusted or not, and no session key is anywhere', () => {
    expect(masters.length).toBe(22);
    expect(sessionKeys.length).toBeGreaterThanOrEqual(4 * 3);
    const keys = [
      ...masters.map((one) => ({ key: one.value, what: `${one.origin} master ${one.purpose}` })),
      ...masters.flatMap((one) =>
        [...digits.map((d) => cardKey(one, d)), ...cards.map((card) => issuersCardKey(one, card))].map(
          (key) => ({ key, what: `${one.origin} card key of ${one.purpose}` }),
        ),
      ),
      ...sessionKeys.map((key) => ({ key, what: 'session key' })),
    ];
    expect(findAll(seen, keys)).toEqual([]);
  });

  it('no PIN, no operator’s secret in store or log, and no token in the store', () => {
    const store = Buffer.concat(storeFiles(https.rig.store));
    for (const pin of pins) expect(Buffer.concat(seen).includes(Buffer.from(pin))).toBe(false);
    expect(store.includes(Buffer.from(SECRET))).toBe(false);
    expect(store.includes(Buffer.from(token))).toBe(false);
    const log = https.log.join('');
    for (const secret of [SECRET, token, ...digits]) expect(log).not.toContain(secret);
  });

  it('the search finds what it looks for', () => {
    const key = cardKey(find('app/e-wallet/mtk', 'issuer'), '1234567890123456');
    for (const spelling of needles(key)) {
      // Wherever it stands, and also where it is the beginning or the end of what is searched.
      for (const before of ['', '"', '{"', '{"x', '{"x"', '{"x":"']) {
        for (const behind of ['', '"', '"}\n']) {
          const leak = Buffer.concat([Buffer.from(before), spelling, Buffer.from(behind)]);
          expect(findAll([leak], [{ key, what: 'the key' }])).toEqual(['the key']);
        }
      }
    }
    expect(ecb('aes-128', Buffer.alloc(16), Buffer.alloc(16)).toString('hex')).toBe(
      '66e94bd4ef8a2c3b884cfa59ca342b2e',
    );
  });
});

async function watchSessionKeys(): Promise<void> {
  token = await https.signIn();
  const { vault } = https.rig.context;
  const { channelSessionKeys, foretellChannel } = vault;
  const note = (made: object): void => {
    for (const key of Object.values(made)) if (key instanceof Uint8Array) sessionKeys.push(Buffer.from(key));
  };
  vi.spyOn(vault, 'channelSessionKeys').mockImplementation(async (request) => {
    const made = await channelSessionKeys(request);
    note(made);
    return made;
  });
  vi.spyOn(vault, 'foretellChannel').mockImplementation(async (request) => {
    const { cardChallenge, ...made } = await foretellChannel(request);
    note(made);
    return { cardChallenge, ...made };
  });
}

/** Session keys of every secure channel, as they came out of the vault. */
const sessionKeys: Buffer[] = [];

const STORY: Wish[] = [
  { app: 'e-wallet', action: 'enable' },
  { app: 'identity', action: 'enable' },
  { app: 'campus-meal', action: 'enable' },
  { app: 'transit', action: 'delete' },
];

/** The story over HTTPS, with what was captured and what the store held after each step. */
async function tell(card: VirtualCard, account: string, seen: Buffer[]): Promise<void> {
  const client = https.client();
  const asked = await https.rig.request(card, account, STORY);
  const started = jobReplySchema.parse((await client.post('/v1/jobs', asked, token)).body);
  let batch = started.batch;
  while (batch !== undefined) {
    const report = await runBatch(card, batch);
    const next = stepReplySchema.parse(
      (await client.post(`/v1/jobs/${started.job}/answers/${batch.seq}`, report)).body,
    );
    // Also while a key write is out.
    if (batch.seq % 3 === 0) seen.push(...storeFiles(https.rig.store));
    if ('outcome' in next) expect(next.outcome.result).toBe('complete');
    batch = 'batch' in next ? next.batch : undefined;
  }
}
