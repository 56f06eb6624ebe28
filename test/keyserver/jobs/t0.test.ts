/** Cards that know T=0 only, through the station's own exchange: 61xx and 6Cxx, with R-MAC as well. */
import { describe, expect, it } from 'vitest';
import { exchange } from '../../../app/station/readers/transport.ts';
import { randomDigits, type Wish } from '../../support/jobs.ts';
import { otherTypes, type TypeSpec } from '../../support/other-type.ts';
import type { CardDevice } from '../../support/visits.ts';

const types = otherTypes(typesWithT0());

describe.each(typesWithT0().map(({ id }) => id))('a card with T=0 (%s)', (id) => {
  it('is moved to the issuer’s keys, loaded, enabled and cleared, in as many trips as planned', async () => {
    const { device, crossed } = throughExchange(types.type(id).newCard().card);
    const account = randomDigits(16);
    const stories: Wish[][] = [
      [{ app: 'campus-meal', action: 'enable' }],
      [
        { app: 'e-wallet', action: 'enable' },
        { app: 'campus-meal', action: 'delete' },
      ],
    ];
    for (const wishes of stories) {
      const outcome = await types.issue(device, account, wishes);
      expect(outcome).toMatchObject({ result: 'complete', trips: outcome.plannedTrips });
    }
    const { observed } = await types.look(device);
    expect(observed).toContainEqual({ app: 'e-wallet', state: 'enabled', balance: 0 });
    expect(observed).toContainEqual({ app: 'campus-meal', state: 'missing' });
    // It did speak T=0: answers were fetched.
    expect(crossed.some((one) => / 61..$/.test(one))).toBe(true);
    expect(crossed.some((one) => one.startsWith('00C00000'))).toBe(true);
    // Nothing came between a challenge and the command that used it, and no command with a MAC went out twice.
    for (const [at, one] of crossed.entries())
      if (one.startsWith('0084')) expect(crossed[at + 1]).toMatch(/^(?:0082|84D4|04D6)/);
    const protectedOnes = crossed.filter((one) => one.startsWith('84')).map((one) => one.split(' ')[0]);
    expect(new Set(protectedOnes).size).toBe(protectedOnes.length);
  });
});

/** What crosses the contacts, command and status word, while the station's exchange is asked for whole answers. */
function throughExchange(card: CardDevice): { device: CardDevice; crossed: string[] } {
  const crossed: string[] = [];
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase();
  const contacts = {
    transmit: async (command: Uint8Array) => {
      const answer = await card.transmit(command);
      crossed.push(`${hex(command)} ${hex(answer).slice(-4)}`);
      return answer;
    },
  };
  const device: CardDevice = {
    atr: card.atr,
    powerOn: () => card.powerOn(),
    powerOff: () => card.powerOff(),
    reset: () => card.reset(),
    transmit: (command) => exchange(contacts, command, { repeatable: true }),
  };
  return { device, crossed };
}

function typesWithT0(): readonly TypeSpec[] {
  const factory = { keyVersion: '01', diversification: { kind: 'none' } };
  const moved = { keyVersion: '20', put: 'add', atIssuing: true, secured: true };
  return [
    {
      id: 'two',
      scp: '02',
      i: '75',
      atr: '8101',
      t0: true,
      securityLevel: '13',
      factoryKeys: factory,
      issuerKeys: { ...moved, diversification: { kind: 'visa2' } },
    },
    {
      id: 'three',
      scp: '03',
      i: '70',
      atr: '8202',
      t0: true,
      securityLevel: '33',
      factoryKeys: factory,
      issuerKeys: { ...moved, diversification: { kind: 'kdf3' } },
    },
    {
      id: 'plain',
      scp: '02',
      i: '15',
      atr: '8303',
      t0: true,
      factoryKeys: factory,
      issuerKeys: { ...moved, diversification: { kind: 'emv-cps' } },
    },
  ];
}
