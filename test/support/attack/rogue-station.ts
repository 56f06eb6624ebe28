/**
 * An enrolled station of an attacker's, with an operator signed in. It has seen every card there is and knows what can be read of it; it asks for
 * what it likes, and answers with whatever a card could say. It holds none of the cards.
 */
import { randomUUID } from 'node:crypto';
import {
  type AnswersRequest,
  answersRequestSchema,
  type Batch,
  type JobReply,
  type JobRequest,
  jobRequestSchema,
  type Wish,
} from '../../../app/protocol/wire.ts';
import { RefusedError, type ServerClient } from '../../../app/station/server/client.ts';
import { request } from '../forwarder.ts';
import { type IssuerRig, randomDigits } from '../issuer-rig.ts';
import type { Dice } from './dice.ts';
import type { HonestCard } from './honest-station.ts';

/** Status words that mean something to somebody: none of them is proven by anything. */
const STATUS_WORDS = [
  ...['9000', '6283', '6A82', '6A88', '6982', '6985', '6983', '6300', '63C0', '63C1', '63C2', '63C3'],
  ...['6A80', '6A81', '6A84', '6D00', '6E00', '6F00', '6700', '9303', '9302', '6A86'],
];

const TOKEN = '';

interface Running {
  readonly job: string;
  batch: Batch;
}

export class RogueStation {
  readonly #rig: IssuerRig;
  readonly #client: ServerClient;
  readonly #dice: Dice;
  readonly #cards: readonly HonestCard[];
  #running: Running[] = [];
  #asked: JobRequest[] = [];
  #receipts: string[] = [];
  #challenge = '00000000';

  constructor(rig: IssuerRig, client: ServerClient, dice: Dice, cards: readonly HonestCard[]) {
    this.#rig = rig;
    this.#client = client;
    this.#dice = dice;
    this.#cards = cards;
  }

  /** One request of its choice. A refusal is an answer too. */
  async strike(): Promise<void> {
    try {
      const running = this.#running.length > 0 && this.#dice.chance(0.7);
      if (running) await this.#answer();
      else if (this.#receipts.length > 0 && this.#dice.chance(0.1)) await this.#handIn();
      else if (this.#asked.length > 0 && this.#dice.chance(0.1)) await this.#repeat();
      else await this.#start();
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }

  async #start(): Promise<void> {
    const dice = this.#dice;
    const victim = dice.one(this.#cards);
    const apps = this.#rig.context.catalogue.apps.map(({ id }) => id);
    const wishes: Wish[] = apps
      .filter(() => dice.chance(0.4))
      .map((app) => ({ app, action: dice.chance(0.6) ? 'enable' : 'delete' }));
    // What can be read of the card, it read when the card was in its own reader, on another day.
    victim.card.reset();
    const asked = await request(victim.card, this.#rig.context, victim.account, []);
    victim.card.reset();
    const accounts = [victim.account, dice.one(this.#cards).account, randomDigits(16)];
    await this.#ask({
      ...asked,
      reader: 'rogue',
      account: dice.one(accounts),
      wishes: wishes.length === 0 ? [{ app: dice.one(apps), action: 'enable' }] : wishes,
      observed: dice.chance(0.3)
        ? asked.observed
        : apps.map((app) => ({
            app,
            state: dice.one(['enabled', 'installed', 'missing'] as const),
            ...(dice.chance(0.5) ? { balance: 0 } : {}),
          })),
      ...(dice.chance(0.5)
        ? {
            opening: {
              app: dice.one(apps),
              select: dice.one(STATUS_WORDS),
              challenge: `${dice.hex(4)}9000`,
            },
          }
        : {}),
    });
  }

  async #ask(wanted: JobRequest): Promise<void> {
    const asked = jobRequestSchema.parse(wanted);
    this.#asked = [...this.#asked.slice(-20), asked];
    const reply = await this.#client.postJob(asked, TOKEN);
    this.#take(reply.job, reply);
  }

  /** A request of before, as it was or with another content. */
  async #repeat(): Promise<void> {
    const before = this.#dice.one(this.#asked);
    const changed = { ...before, account: randomDigits(16) };
    await this.#ask(
      this.#dice.chance(0.5)
        ? before
        : { ...changed, requestId: this.#dice.chance(0.5) ? before.requestId : randomUUID() },
    );
  }

  async #answer(): Promise<void> {
    const { job, batch } = this.#dice.one(this.#running);
    this.#running = this.#running.filter((one) => one.job !== job);
    const seq = this.#dice.chance(0.05) ? batch.seq + this.#dice.number(3) : batch.seq;
    const reply = await this.#client.postAnswers(
      job,
      seq,
      answersRequestSchema.parse(this.#invented(batch)),
      TOKEN,
    );
    this.#take(
      job,
      'batch' in reply ? { batch: reply.batch, receipt: reply.receipt } : { receipt: reply.receipt },
    );
  }

  #take(job: string, { batch, receipt }: Pick<JobReply, 'batch' | 'receipt'>): void {
    if (receipt !== undefined) this.#receipts = [...this.#receipts.slice(-50), receipt];
    if (batch !== undefined) this.#running = [...this.#running.slice(-8), { job, batch }];
  }

  async #handIn(): Promise<void> {
    const receipt = this.#dice.one(this.#receipts);
    const at = this.#dice.number(receipt.length);
    const changed = `${receipt.slice(0, at)}${this.#dice.one(['A', '_', '9'])}${receipt.slice(at + 1)}`;
    await this.#client.postReceipts({ apiLevel: 1, receipts: [this.#dice.chance(0.5) ? receipt : changed] });
  }

  /** Mostly what the server would like to hear, so that it goes far; and then one status word of its choice. */
  #invented(batch: Batch): AnswersRequest {
    const dice = this.#dice;
    if (dice.chance(0.1)) return this.#interrupted(batch);
    const stop = dice.chance(0.5) ? dice.number(batch.commands.length) : batch.commands.length;
    const answers = batch.commands.slice(0, stop).map(({ label, accept, expect }) => {
      if (label.step === 'challenge') this.#challenge = dice.hex(4);
      const data =
        expect?.value ?? (label.step === 'challenge' ? this.#challenge : dice.chance(0.3) ? dice.hex(8) : '');
      return `${data}${accept[0]?.length === 4 ? accept[0] : '9000'}`;
    });
    const report = { apiLevel: 1 as const, cardEpoch: batch.cardEpoch };
    if (stop === batch.commands.length) return { ...report, answers };
    return { ...report, answers: [...answers, dice.one(STATUS_WORDS)], stoppedAt: stop };
  }

  #interrupted(batch: Batch): AnswersRequest {
    const at = this.#dice.number(batch.commands.length);
    return {
      apiLevel: 1,
      cardEpoch: batch.cardEpoch + 1,
      answers: batch.commands.slice(0, at).map(() => '9000'),
      stoppedAt: at,
      reached: this.#dice.chance(0.5),
      cardEvent: this.#dice.one(['removed', 'reset', 'replaced', 'lost'] as const),
    };
  }
}
