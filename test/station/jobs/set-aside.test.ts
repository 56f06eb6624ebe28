/** A card that is set aside, seen from the counter: staff read that it is, why, and what to do; now and at its next visit. */
import { describe, expect, it } from 'vitest';
import { SET_ASIDE_CODES } from '../../../app/protocol/set-aside.ts';
import type { JobState } from '../../../app/station/views.ts';
import { directClient } from '../../support/direct-client.ts';
import { issuerRig, randomDigits } from '../../support/issuer-rig.ts';
import { meddled } from '../../support/meddled.ts';
import { sharedStation } from '../../support/stations.ts';
import { LANGUAGES, messagesIn, textsIn } from '../../support/texts.ts';

const rig = issuerRig();
const station = sharedStation(() => ({ server: () => directClient(rig.context) }));

describe('a card that says that a key is damaged', () => {
  it.each([
    ['at the authentication', EXTERNAL_AUTHENTICATE, 'key-damaged'],
    ['at a key write', WRITE_KEY, 'new-key-damaged'],
    ['at the file', UPDATE_BINARY, 'maintenance-key-damaged'],
  ] as const)(
    '%s: staff are told so, with the reason, at once and when it comes again',
    async (_name, ins, reason) => {
      const { card, identification } = rig.newCard();
      const account = randomDigits(16);
      station.readers.insert(
        'A',
        meddled(card, ins, () => Uint8Array.of(0x62, 0x83)),
      );
      const first = await serve(account);
      const details = { reason, app: 'e-wallet' };
      expect(first).toMatchObject({ kind: 'done', outcome: { error: 'card-set-aside', details } });
      station.readers.remove('A');
      await station.until(() => station.reader().kind === 'empty', 'the reader to be empty');
      station.readers.insert('A', card);
      expect(await serve(account)).toEqual({ kind: 'failed', code: 'card-set-aside', details });
      station.readers.remove('A');
      await station.until(() => station.reader().kind === 'empty', 'the reader to be empty');
      for (const language of LANGUAGES) {
        const text = textsIn(language).error('card-set-aside', details);
        expect(text.detail).toContain(messagesIn(language).reasons[reason]);
        expect(text.detail).not.toContain(reason);
      }
      const row = await rig.context.store
        .selectFrom('cards')
        .select('set_aside')
        .where('id', '=', identification)
        .executeTakeFirstOrThrow();
      expect(JSON.parse(row.set_aside ?? '')).toEqual({ code: reason, app: 'e-wallet' });
    },
  );
});

describe('reasons', () => {
  it('in somebody’s own words: staff read that there is a reason, the words are for the record', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    station.readers.insert('A', card);
    await serve(account);
    station.readers.remove('A');
    await station.until(() => station.reader().kind === 'empty', 'the reader to be empty');
    await rig.context.store
      .updateTable('cards')
      .set({ set_aside: JSON.stringify({ code: 'other', text: 'its owner says so' }) })
      .where('id', '=', identification)
      .execute();
    station.readers.insert('A', card);
    const details = { reason: 'other' };
    expect(await serve(account)).toEqual({ kind: 'failed', code: 'card-set-aside', details });
    for (const language of LANGUAGES)
      expect(textsIn(language).error('card-set-aside', details).detail).toContain(
        messagesIn(language).reasons.other,
      );
  });

  it.each(LANGUAGES)('have words in %s that name no card internals', (language) => {
    const { reasons } = messagesIn(language);
    expect(Object.keys(reasons).sort()).toEqual([...SET_ASIDE_CODES].sort());
    expect(Object.values(reasons).join('\n')).not.toMatch(
      /\b(AID|APDU|MAC|SW1|status word|HSM|KCV)\b|状态字/i,
    );
  });
});

const [EXTERNAL_AUTHENTICATE, WRITE_KEY, UPDATE_BINARY] = [0x82, 0xd4, 0xd6];

async function serve(account: string): Promise<JobState> {
  await station.until(() => station.reader().kind === 'card', 'the card to be read');
  const job = await station.engine.startJob('A', {
    account,
    wishes: [{ app: 'e-wallet', action: 'enable' }],
  });
  return station.until(() => {
    const state = station.job(job)?.state;
    return state?.kind === 'done' || state?.kind === 'failed' ? state : undefined;
  }, 'the job to end');
}
