/** Whole jobs: server, vault and SoftHSM on one side, the virtual card on the other. */
import { describe, expect, it } from 'vitest';
import { issuerRig, onEveryStore, randomDigits } from '../../support/jobs.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);

  describe.each(['demo-scp03', 'demo-scp02'] as const)('on a %s card', (type) => {
    it('enables one installed app in 5 trips, and the record says so', async () => {
      const { card, identification } = rig.newCard({ type });
      const account = randomDigits(16);
      const outcome = await rig.issue(card, account, [{ app: 'e-wallet', action: 'enable' }], 'e-wallet');
      expect(outcome).toMatchObject({
        result: 'complete',
        trips: 5,
        plannedTrips: 5,
        apps: [{ app: 'e-wallet', before: 'installed', after: 'enabled', keyVersions: { mck: 1, mtk: 1 } }],
      });
      const { observed } = await rig.look(card);
      expect(observed.find((one) => one.app === 'e-wallet')?.state).toBe('enabled');
      const record = await rig.record(identification);
      expect(record).toMatchObject({ issued: true, account });
      expect(record.jobs).toHaveLength(1);
    });

    it('loads and enables a missing app in 6 trips', async () => {
      const { card } = rig.newCard({ type });
      const outcome = await rig.issue(card, randomDigits(16), [{ app: 'campus-meal', action: 'enable' }]);
      expect(outcome).toMatchObject({ result: 'complete', trips: 6, plannedTrips: 6 });
    });

    it('does the whole story: two installed, one missing, a fourth deleted', async () => {
      const { card } = rig.newCard({ type });
      const outcome = await rig.issue(card, randomDigits(16), [
        { app: 'e-wallet', action: 'enable' },
        { app: 'identity', action: 'enable' },
        { app: 'campus-meal', action: 'enable' },
        { app: 'transit', action: 'delete' },
      ]);
      expect(outcome.result).toBe('complete');
      expect(outcome.trips).toBe(outcome.plannedTrips);
      const { observed } = await rig.look(card);
      expect(Object.fromEntries(observed.map((one) => [one.app, one.state]))).toEqual({
        'e-wallet': 'enabled',
        identity: 'enabled',
        'campus-meal': 'enabled',
        transit: 'missing',
      });
    });
  });
});
