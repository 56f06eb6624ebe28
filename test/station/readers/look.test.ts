import { afterEach, expect, it } from 'vitest';
import { fromHex } from '../../../app/card/bytes.ts';
import { CardError } from '../../../app/card/reader-port.ts';
import { makeCard } from '../../../app/simulator/factory.ts';
import { VirtualCard } from '../../../app/simulator/virtual-card.ts';
import { type CardLook, lookAtCard, readOpening } from '../../../app/station/readers/look.ts';
import { codeOfCardFault } from '../../../app/station/readers/machine/card-faults.ts';
import type { VirtualReaders } from '../../support/stations.ts';
import { demoCatalogue, openVirtualReaders, ScriptedCard, WALLET_AID } from '../../support/stations.ts';

let readers: VirtualReaders | undefined;
afterEach(async () => readers?.close());

it.each(['demo-scp03', 'demo-scp02'] as const)(
  '%s: a virtual card as the data sheet delivers it',
  async (type) => {
    const image = makeCard(
      { type, identificationCode: '6200000000000042', balances: { 'e-wallet': 1234 } },
      DELIVERY,
    );
    readers = openVirtualReaders(['A']);
    readers.insert('A', new VirtualCard(image));
    const look = await lookAtCard(await readers.connect('A'), catalogue, now);
    expect(look).toMatchObject({
      type,
      identification: '6200000000000042',
      apps: [
        { app: 'e-wallet', state: 'installed', balance: 1234 },
        { app: 'identity', state: 'installed' },
        { app: 'campus-meal', state: 'missing' },
        { app: 'transit', state: 'installed', balance: 0 },
      ],
      unread: [],
      unforeseen: [],
    });
    expect(look.facts.cplc).toMatch(/^9F7F/);
    expect(look.facts.keyInformation).toMatch(/^E0/);
  },
);

it('what staff wait for is read first, the rest for the server behind it, each once', async () => {
  const card = new ScriptedCard();
  let seen: CardLook | undefined;
  let commandsUntilSeen = 0;
  const look = await lookAtCard(card, catalogue, now, (early) => {
    seen = early;
    commandsUntilSeen = card.log.length;
  });
  const read = (commands: readonly string[]) =>
    commands.filter((command) => command.startsWith('80CA')).map((command) => command.slice(4, 8));
  expect(read(card.log.slice(0, commandsUntilSeen)).sort()).toEqual(['0045', '0066', 'FF21']);
  expect(read(card.log.slice(commandsUntilSeen)).sort()).toEqual([
    ...['0042', '00C1', '00CF', '00E0', '9F7F'],
  ]);
  // After the applications the security domain has to be selected again.
  expect(card.log[commandsUntilSeen]).toBe('00A4040000');
  expect({ ...seen, facts: look.facts }).toEqual(look);
  expect(seen?.facts.cplc).toBeUndefined();
  expect(look.facts.cplc).toMatch(/^9F7F/);
});

it('a type that is recognised by what the card was made as has that read before it is shown', async () => {
  const byMaker = {
    apps: catalogue.apps,
    profiles: catalogue.profiles.map((profile) => ({
      ...profile,
      identification: { source: 'cplc' as const },
    })),
  };
  const card = new ScriptedCard();
  let until = '';
  await lookAtCard(card, byMaker, now, () => {
    until = card.log.join(' ');
  });
  expect(until).toContain('80CA9F7F00');
  expect(until).not.toContain('80CA004500');
});

it.each([
  ['6A82', { apps: 'missing' }],
  ['6283', { apps: 'installed' }],
  ['9303', { apps: 'installed' }],
  ['6F00', { unread: true }],
  ['6999', { unread: true }],
])('SELECT answered %s', async (statusWord, expected) => {
  const card = new ScriptedCard();
  card.mishap = (command) => (command.includes(WALLET_AID) ? { answer: statusWord } : undefined);
  const look = await lookAtCard(card, catalogue, now);
  if ('unread' in expected) expect(look.unread).toEqual(['e-wallet']);
  else expect(look.apps[0]).toMatchObject({ app: 'e-wallet', state: expected.apps });
});

it.each([
  ['a flag that is neither', `${'00'.repeat(8)}02${'00'.repeat(21)}9000`],
  ['a file that is too short', '00009000'],
  ['a refusal', '6982'],
])('%s makes no app enabled', async (_, answer) => {
  const card = new ScriptedCard({ apps: { [WALLET_AID]: 'enabled' } });
  card.mishap = (command) => (command.startsWith('00B0') ? { answer } : undefined);
  expect((await lookAtCard(card, catalogue, now)).apps[0]?.state).toBe('installed');
});

it('a balance that is not 4 bytes is left out', async () => {
  const card = new ScriptedCard();
  card.mishap = (command) => (command.startsWith('805C') ? { answer: '00019000' } : undefined);
  expect((await lookAtCard(card, catalogue, now)).apps[0]).toEqual({ app: 'e-wallet', state: 'installed' });
});

/** A card's list of its keys, 304 bytes in two goes: 256 with 6130, then 48. */
const LONG_LIST = `E082012C${'C00401018010'.repeat(50)}`;

it('an object that comes in several goes is read whole', async () => {
  const card = new ScriptedCard();
  card.mishap = (command) => {
    if (command === '80CA00E000') return { answer: `${LONG_LIST.slice(0, 512)}6130` };
    return command === '00C0000030' ? { answer: `${LONG_LIST.slice(512)}9000` } : undefined;
  };
  const { facts, apps } = await lookAtCard(card, catalogue, now);
  expect(facts.keyInformation).toBe(LONG_LIST);
  expect(apps).not.toEqual([]);
});

it.each([
  ['longer than anybody can use', '80CA00E0', `${'00'.repeat(256)}6100`],
  ['longer than one response', '80CA00E0', '00'.repeat(300)],
  ['without an end', '80CA00CF', '006101'],
  ['longer than its field', '80CA00CF', `${'00'.repeat(256)}6102`],
])('an object %s is left out, and the look stands', async (_, asked, answer) => {
  const card = new ScriptedCard();
  card.mishap = (command) =>
    command.startsWith(asked) || command.startsWith('00C0') ? { answer } : undefined;
  const look = await lookAtCard(card, catalogue, now);
  expect(look).toMatchObject({ type: 'demo-scp03', identification: '6200000000000001' });
  expect(look.facts.keyInformation ?? look.facts.diversificationData).toBeUndefined();
  expect(look.apps).not.toEqual([]);
});

it.each([
  ['the state of an app', '00B0', { app: 'e-wallet', state: 'installed', balance: 1234 }],
  ['a balance', '805C', { app: 'e-wallet', state: 'installed' }],
])('%s that is too long is not known, and the look stands', async (_, asked, app) => {
  const card = new ScriptedCard();
  card.mishap = (command) => (command.startsWith(asked) ? { answer: '00'.repeat(300) } : undefined);
  expect((await lookAtCard(card, catalogue, now)).apps[0]).toEqual(app);
});

it('a card that says too much of everything is no card of ours, and no crash', async () => {
  const card = new ScriptedCard();
  card.mishap = (command) => (command.startsWith('80CA') ? { answer: '00'.repeat(300) } : undefined);
  expect(await lookAtCard(card, catalogue, now)).toMatchObject({ type: null, code: 'wrong-card-type' });
});

it('a card that gives less than a status word is a fault', async () => {
  const card = new ScriptedCard();
  card.mishap = (command) => (command.startsWith('80CA') ? { answer: '90' } : undefined);
  await expect(lookAtCard(card, catalogue, now)).rejects.toBeInstanceOf(CardError);
  expect(codeOfCardFault('communication')).toBe('card-communication');
});

it('an identification code of nonsense is no card of ours', async () => {
  const card = new ScriptedCard({ identification: 'ABCDEF0000000001' });
  expect(await lookAtCard(card, catalogue, now)).toMatchObject({
    type: null,
    code: 'wrong-card-type',
    identification: null,
  });
});

it('an app on the card that its type does not foresee is shown apart', async () => {
  const files = {
    apps: catalogue.apps,
    profiles: catalogue.profiles.map((profile) => ({
      ...profile,
      apps: Object.fromEntries(Object.entries(profile.apps).filter(([id]) => id !== 'e-wallet')),
    })),
  };
  const look = await lookAtCard(new ScriptedCard(), files, now);
  expect(look.unforeseen).toEqual(['e-wallet']);
  expect(look.apps.map((one) => one.app)).not.toContain('e-wallet');
});

it('the opening is whole or not at all', async () => {
  const [wallet] = catalogue.apps;
  const rule = catalogue.profiles[0]?.apps['e-wallet'];
  if (wallet === undefined || rule === undefined) throw new Error('no app');
  expect(await readOpening(new ScriptedCard(), wallet, rule)).toEqual({
    app: 'e-wallet',
    select: '6F009000',
    challenge: 'A1B2C3D49000',
  });
  const short = new ScriptedCard();
  short.mishap = (command) => (command.startsWith('0084') ? { answer: 'A1B29000' } : undefined);
  expect(await readOpening(short, wallet, rule)).toBeUndefined();
  expect(await readOpening(new ScriptedCard({ apps: {} }), wallet, rule)).toBeUndefined();
  const torn = { atr: fromHex('3B00'), transmit: () => Promise.reject(new CardError('card-removed')) };
  await expect(readOpening(torn, wallet, rule)).rejects.toMatchObject({ fault: 'card-removed' });
});

const catalogue = demoCatalogue();

const now = () => performance.now();

const key = (digit: string) => digit.repeat(32);

const keys = { mck: key('1'), mtk: key('2') };

const DELIVERY = {
  isd: { enc: key('3'), mac: key('4'), dek: key('5') },
  apps: { 'e-wallet': keys, identity: keys, 'campus-meal': keys, transit: keys },
};
