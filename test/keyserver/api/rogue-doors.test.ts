/** The attack on the doors, with fewer rounds than in the benchmark (`npm run bench -- attack`): nothing of it gets through. */
import { expect, it } from 'vitest';
import { onEveryStore } from '../../support/api.ts';
import { attackDoors } from '../../support/attack/rogue-doors.ts';

onEveryStore((kind) => {
  it('deep bodies, bursts of secrets and of cards, ended certificates', async () => {
    const { deepBodiesP95Ratio, ...mustBeNothing } = await attackDoors(kind, {
      honest: 40,
      deepBodies: 4,
      signIns: 40,
      leases: 16,
    });
    expect(mustBeNothing).toEqual({ burstSignIns: 0, burstLeases: 0, endedCertificatesServed: 0 });
    // A share of the machine and not of its speed; the benchmark measures it.
    expect(deepBodiesP95Ratio).toBeGreaterThan(0);
  });
});
