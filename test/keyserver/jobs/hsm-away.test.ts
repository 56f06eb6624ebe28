/** The token gone at any moment of a job: nothing changes, and the same request goes on when it is back. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { VaultError } from '../../../app/keyserver/vault/error.ts';
import { vaultWith } from '../../../app/keyserver/vault/vault.ts';
import { answerStep, batchOf, newRequestId, randomDigits, storeText, tokenRig } from '../../support/jobs.ts';
import { PATIENT } from '../../support/limit.ts';
import { CALLER, ENABLE, runBatch } from '../../support/visits.ts';

const rig = tokenRig();

describe('hsm-away', () => {
  it('at the start and at every step: nothing changes, and the same request goes on when it is back', async () => {
    const tokens = join(rig.folder, 'token', 'tokens');
    /** Asks while the token's folder is gone, and again when it is back. */
    const through = async <T>(ask: () => Promise<T>): Promise<T> => {
      renameSync(tokens, `${tokens}.away`);
      try {
        const before = await storeText(rig.context);
        await expect(ask()).rejects.toEqual(
          expect.objectContaining({ name: 'VaultError', fault: 'hsm-away' }),
        );
        expect(await storeText(rig.context)).toBe(before);
      } finally {
        renameSync(`${tokens}.away`, tokens);
      }
      await vi.waitFor(() => rig.context.vault.seal({ clear: new Uint8Array(1), context: 'back' }), PATIENT);
      return ask();
    };
    const { card } = rig.newCard();
    const asked = await rig.request(card, randomDigits(16), ENABLE, 'e-wallet');
    const reply = await through(() => rig.start(asked));
    let batch = batchOf(reply);
    for (let step = 1; step < 4; step += 1) {
      const report = await runBatch(card, batch);
      const next = await through(() => rig.answer(reply.job, batch.seq, report));
      // The stored reply cannot be opened without the token, and can again with it.
      expect(await through(() => rig.answer(reply.job, batch.seq, report))).toEqual(next);
      batch = batchOf(next);
    }
    // With the last report the card shows that it was there, which takes a key: it is taken in once the token is back, and its end is
    // told again without.
    const report = await runBatch(card, batch);
    const last = await through(() => rig.answer(reply.job, batch.seq, report));
    expect(last).toMatchObject({ outcome: { result: 'complete', trips: 5 } });
    renameSync(tokens, `${tokens}.away`);
    try {
      expect(await rig.answer(reply.job, batch.seq, report)).toEqual(last);
    } finally {
      renameSync(`${tokens}.away`, tokens);
    }
    await vi.waitFor(() => rig.context.vault.seal({ clear: new Uint8Array(1), context: 'back' }), PATIENT);
  });

  it('in the middle of building a batch changes nothing, whichever call fails', async () => {
    const away = () => Promise.reject(new VaultError('hsm-away', 'gone'));
    for (const call of [
      'fmcosCryptogram',
      'fmcosKeyWrite',
      'fmcosMac',
      'channelSessionKeys',
      'cryptogramKey',
      'seal',
    ]) {
      const vault = vaultWith(rig.context.vault, (operation, ask) => (operation === call ? away() : ask()));
      const context = { ...rig.context, vault };
      const { card } = rig.newCard();
      const asked = await rig.request(card, randomDigits(16), [
        ...ENABLE,
        { app: 'transit', action: 'delete' },
      ]);
      const reply = await rig.start({ ...asked, requestId: newRequestId() });
      let batch = batchOf(reply);
      let refused = 0;
      for (;;) {
        const report = await runBatch(card, batch);
        const before = await storeText(rig.context);
        try {
          await answerStep(context, CALLER, reply.job, batch.seq, report);
        } catch (error) {
          expect(error).toMatchObject({ fault: 'hsm-away' });
          refused += 1;
          expect(await storeText(rig.context)).toBe(before);
        }
        const next = await rig.answer(reply.job, batch.seq, report);
        if ('outcome' in next) {
          expect(next.outcome, call).toMatchObject({ result: 'complete' });
          break;
        }
        batch = next.batch;
      }
      expect(refused, call).toBeGreaterThan(0);
    }
  });
});
