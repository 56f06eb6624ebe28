/** A server that was taken over, against an honest station and its virtual cards: no card is locked or spoiled, and nothing false is shown. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDelivery } from '../../../app/demo/delivery.ts';
import { API_LEVEL } from '../../../app/protocol/wire.ts';
import { makeCard } from '../../../app/simulator/factory.ts';
import { VirtualCard } from '../../../app/simulator/virtual-card.ts';
import { attackStation, RogueServer } from '../../support/attack/rogue-server.ts';
import { triesLeft, WALLET } from '../../support/issuer-steps.ts';
import { TEST_LIMIT } from '../../support/limit.ts';
import type { Command, JobReply, Outcome, StepReply, TestStation } from '../../support/stations.ts';
import { demoCatalogue, openTestStation } from '../../support/stations.ts';

let server: Scripted;
let station: TestStation;
let card: VirtualCard;

beforeEach(insertCard);
afterEach(() => station.close());

describe('a server that was taken over', () => {
  it('locks no apps with one batch that it calls reading', async () => {
    const wrong = AIDS.flatMap((aid) => [
      { apdu: `00A4040009${aid}00`, accept: ['9000'], label: { step: 'select-app' as const } },
      ...Array.from({ length: 3 }, () => [
        { apdu: '0084000004', accept: ['9000'], label: { step: 'read-state' as const } },
        {
          apdu: '00820000080011223344556677',
          accept: ['63', '69', '90'],
          label: { step: 'read-state' as const },
        },
      ]).flat(),
    ]);
    server.reply = { batch: wrong };
    expect(await ended()).toEqual({ kind: 'failed', code: 'server-reply-refused', details: {} });
    for (const aid of AIDS) expect(triesLeft(card, aid)).toBe(3);
  });

  it('does not lock the security domain, however often it tries', async () => {
    server.reply = {
      batch: [
        { apdu: '00A4040008A00000015100000000', accept: ['9000'], label: { step: 'select-security-domain' } },
        { apdu: '8050000008001122334455667700', accept: ['9000'], label: { step: 'open-secure-channel' } },
        {
          apdu: `8482030010${'00'.repeat(16)}`,
          accept: ['9000'],
          effect: true,
          label: { step: 'authenticate-secure-channel' },
        },
      ],
    };
    expect(await ended()).toMatchObject({ kind: 'failed', code: 'last-try-kept' });
    const { failedAuthentications, failureLimit } = card.image.domain;
    expect(failureLimit - failedAuthentications).toBe(1);
  });

  it('does not lock an app over many jobs, nor over restarts of the station', async () => {
    server.reply = { batch: [select(), challenge(), authenticate()] };
    for (let job = 0; job < 4; job += 1) {
      expect(await ended()).toMatchObject({ kind: 'failed' });
      await station.restart();
    }
    expect(triesLeft(card)).toBe(1);
    expect(await ended()).toMatchObject({ kind: 'failed', code: 'last-try-kept' });
    expect(triesLeft(card)).toBe(1);
  });

  it('shows no outcome of another card, and none of work that was not done', async () => {
    const app = { app: 'e-wallet', before: 'installed', after: 'enabled', keyVersions: {} } as const;
    const outcome = {
      result: 'complete',
      card: CARD,
      apps: [app],
      deleted: [],
      trips: 5,
      plannedTrips: 5,
    } as const;
    const said = { ...outcome, apps: [...outcome.apps], deleted: [] };
    for (const false_ of [{ ...said, card: '6200000000000099' }, said]) {
      server.reply = { outcome: false_ };
      expect(await ended()).toMatchObject({ kind: 'failed', code: 'server-reply-refused' });
    }
  });

  it('has staff leave the card as long as anything may be written', async () => {
    const shown: boolean[] = [];
    station.engine.subscribe((note) => {
      if (note.kind === 'job' && note.job.state.kind === 'working' && note.job.progress.current !== null)
        shown.push(note.job.state.writing);
    });
    server.reply = { batch: [select(), challenge(), authenticate()] };
    await ended();
    expect(shown.length).toBeGreaterThan(2);
    expect(shown.slice(0, 3)).toEqual([true, true, true]);
  });
});

it(
  'spoils no card with 10,000 random replies',
  async () => {
    const figures = await attackStation(10_000, SEED);
    expect({ ...figures, seed: SEED }).toMatchObject({ spoiled: 0 });
    expect(figures.replies).toBeGreaterThanOrEqual(10_000);
    expect(figures.cards).toBeGreaterThan(100);
  },
  3 * TEST_LIMIT,
);

/** Another one: KAIKA_ATTACK_SEED=7 npm test -- test/station/jobs/rogue-server. */
const SEED = Number(process.env['KAIKA_ATTACK_SEED'] ?? '1');

async function insertCard(): Promise<void> {
  server = new Scripted(1);
  station = await openTestStation({ server: () => server, catalogue: demoCatalogue() });
  const spec = { type: 'demo-scp03', identificationCode: CARD } as const;
  card = new VirtualCard(
    makeCard({ ...spec, installed: ['e-wallet', 'identity', 'transit'] }, makeDelivery()['demo-scp03']),
  );
  station.readers.insert('A', card);
}

const CARD = '6200000000000001';
const AIDS = [WALLET, 'F04B41494B41020001', 'F04B41494B41040001'];

/** A server that says what a test gives it, again and again. */
class Scripted extends RogueServer {
  reply: { batch: Command[] } | { outcome: Outcome } = { batch: [] };
  #seq = 1;

  override async postJob(): Promise<JobReply> {
    const memory = { needed: 0, free: null };
    const plan = { steps: [], trips: 5, memory };
    return { apiLevel: API_LEVEL, job: 'job-00000001', generation: 1, plan, ...this.#next(0) };
  }

  override async postAnswers(
    _job: string,
    seq: number,
    { cardEpoch }: { cardEpoch: number },
  ): Promise<StepReply> {
    this.#seq = seq + 1;
    return { apiLevel: API_LEVEL, ...this.#next(cardEpoch) };
  }

  #next(cardEpoch: number) {
    const { reply } = this;
    return 'outcome' in reply ? reply : { batch: { seq: this.#seq, cardEpoch, commands: reply.batch } };
  }
}

const label = (step: Command['label']['step']) => ({ step, app: 'e-wallet' });
const select = (): Command => ({
  apdu: `00A4040009${WALLET}00`,
  accept: ['9000'],
  label: label('select-app'),
});
const challenge = (): Command => ({ apdu: '0084000004', accept: ['9000'], label: label('challenge') });
const authenticate = (): Command => ({
  apdu: '00820000080011223344556677',
  accept: ['9000'],
  effect: true,
  label: label('authenticate'),
});

/** One job; how it ended for staff. */
async function ended() {
  await station.until(() => ['card', 'job'].includes(station.reader().kind), 'a card');
  station.engine.relook('A');
  await station.until(() => station.reader().kind === 'card', 'the card read');
  const wishes = [{ app: 'e-wallet', action: 'enable' } as const];
  const id = await station.engine.startJob('A', { account: '6217001234567890', wishes });
  return station.until(() => {
    const state = station.job(id)?.state;
    return state !== undefined && ['done', 'failed', 'abandoned'].includes(state.kind) && state;
  }, 'the end of the job');
}
