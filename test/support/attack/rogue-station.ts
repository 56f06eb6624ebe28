/**
 * An enrolled station of an attacker's, with an operator signed in. It has seen every card there is and knows what can be read of it; it has
 * listened to the honest ones. It asks for what it likes, and answers with whatever a card could say. It holds none of the cards.
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
import type { Dice } from './dice.ts';
import type { Overheard, Sight } from './honest-station.ts';

/** Status words that mean something to somebody: none of them is proven by anything. */
const STATUS_WORDS = [
  ...['9000', '6283', '6A82', '6A88', '6982', '6985', '6983', '6300', '63C0', '63C1', '63C2', '63C3'],
  ...['6A80', '6A81', '6A84', '6D00', '6E00', '6F00', '6700', '9303', '9302', '6A86'],
];

const TOKEN = '';

/** A job of its own, with the batch that is to be answered. */
export interface Running {
  readonly job: string;
  /** Identification code of the card that it names. */
  readonly card: string;
  readonly batch: Batch;
}

/** What an attack is played in. */
export interface Surroundings {
  readonly dice: Dice;
  readonly apps: readonly string[];
  readonly heard: Overheard;
  /** Whom it may name: cards of honest stations, and some that there are not. */
  sights(): readonly Sight[];
  /** A request of the rogue's was answered, and perhaps a job on this card ended with it. */
  asked(ended?: string): Promise<void>;
}

export class RogueStation {
  readonly #client: ServerClient;
  readonly #around: Surroundings;
  #running: Running[] = [];
  #asked: { readonly asked: JobRequest; readonly card: string }[] = [];
  #answered: { readonly job: string; readonly seq: number; readonly report: AnswersRequest }[] = [];
  #receipts: string[] = [];
  #challenge = '00000000';

  constructor(client: ServerClient, around: Surroundings) {
    this.#client = client;
    this.#around = around;
  }

  /** One request of its choice. */
  async strike(): Promise<void> {
    const { dice } = this.#around;
    const running = this.#running.length > 0 && dice.chance(0.7) ? dice.one(this.#running) : undefined;
    if (running !== undefined) await this.answer(running, this.#invented(running.batch));
    else if (this.#receipts.length > 0 && dice.chance(0.1)) await this.handIn();
    else if (this.#asked.length > 0 && dice.chance(0.1)) await this.#repeat();
    else await this.#start();
  }

  /** Asks for a job on a card that it names; undefined where it was refused, or over at once. */
  async begin(
    sight: Sight,
    account: string,
    wishes: readonly Wish[],
    change: Partial<JobRequest> = {},
  ): Promise<Running | undefined> {
    const request: JobRequest = {
      apiLevel: 1,
      requestId: randomUUID(),
      reader: 'rogue',
      cardEpoch: 0,
      card: sight.facts,
      observed: [...sight.observed],
      account,
      wishes: [...wishes],
      ...change,
    };
    return this.#ask(jobRequestSchema.parse(request), sight.identification);
  }

  /** Answers a batch; the job with its next one, undefined when it is over or was refused. */
  async answer(
    { job, card, batch }: Running,
    report: AnswersRequest,
    seq = batch.seq,
  ): Promise<Running | undefined> {
    this.#running = this.#running.filter((one) => one.job !== job);
    this.#answered = [...this.#answered.slice(-20), { job, seq, report }];
    const sent = answersRequestSchema.parse(report);
    const reply = await this.#refusable(() => this.#client.postAnswers(job, seq, sent, TOKEN));
    if (reply === undefined) return this.#over();
    const next = 'batch' in reply ? { batch: reply.batch } : {};
    const running = this.#take(
      job,
      card,
      reply.receipt === undefined ? next : { ...next, receipt: reply.receipt },
    );
    await this.#around.asked(running === undefined ? card : undefined);
    return running;
  }

  /** What an obliging card would say. `flag`: whether the app is said to be enabled already where that is read. */
  obliging({ cardEpoch, commands }: Batch): AnswersRequest {
    const { dice, heard } = this.#around;
    const answers = commands.map(({ label, accept, expect }) => {
      if (label.step === 'challenge') return `${this.#newChallenge()}9000`;
      if (label.step === 'open-secure-channel') {
        const before = heard.answers
          .slice(-20)
          .flatMap(({ answers }) => answers)
          .filter((one) => one.length > 50);
        if (before.length > 0 && dice.chance(0.3)) return dice.one(before);
        return dice.chance(0.5) ? `${dice.hex(29)}9000` : '6A88';
      }
      if (expect !== undefined) return `${expect.value}9000`;
      if (label.step === 'read-state') return dice.one(['009000', '019000']);
      return accept[0]?.length === 4 ? accept[0] : '9000';
    });
    return { apiLevel: 1, cardEpoch, answers: untilRefused(answers, commands), ...stopOf(answers, commands) };
  }

  /** The same, but for the command at `at`: the card is said to have gone there, or to have refused it. */
  breakingOff(batch: Batch, at: number, how: 'removed' | 'unreached' | 'refused'): AnswersRequest {
    const { dice } = this.#around;
    const answers = this.obliging(batch).answers.slice(0, at);
    const report = { apiLevel: 1 as const, cardEpoch: batch.cardEpoch, stoppedAt: answers.length };
    if (how === 'refused') return { ...report, answers: [...answers, dice.one(STATUS_WORDS.slice(1))] };
    const cardEvent = 'removed' as const;
    return { ...report, answers, cardEvent, reached: how === 'removed', cardEpoch: batch.cardEpoch + 1 };
  }

  /** A receipt of its own or of others, as it is or changed. */
  async handIn(): Promise<void> {
    const { dice, heard } = this.#around;
    const all = [...this.#receipts, ...heard.receipts.slice(-20)];
    if (all.length === 0) return;
    const receipt = dice.one(all);
    const at = dice.number(receipt.length);
    const changed = `${receipt.slice(0, at)}${dice.one(['A', '_', '9'])}${receipt.slice(at + 1)}`;
    const receipts = [dice.chance(0.5) ? receipt : changed];
    await this.#refusable(() => this.#client.postReceipts({ apiLevel: 1, receipts }));
    await this.#around.asked();
  }

  /** Answers that were given before: to honest jobs, or its own. */
  async answerAgain(): Promise<void> {
    const { dice, heard } = this.#around;
    const honest = heard.answers.slice(-20).map(({ job, seq, answers }) => ({
      job,
      seq,
      report: { apiLevel: 1 as const, cardEpoch: 0, answers: [...answers] },
    }));
    const all = [...honest, ...this.#answered];
    if (all.length === 0) return;
    const { job, seq, report } = dice.one(all);
    const at = dice.chance(0.5) ? seq : seq + 1;
    await this.#refusable(() => this.#client.postAnswers(job, at, report, TOKEN));
    await this.#around.asked();
  }

  async #start(): Promise<void> {
    const { dice, apps } = this.#around;
    const sights = this.#around.sights();
    const victim = dice.one(sights);
    const wishes: Wish[] = apps
      .filter(() => dice.chance(0.4))
      .map((app) => ({ app, action: dice.chance(0.6) ? 'enable' : 'delete' }));
    const accounts = [victim.account, dice.one(sights).account, dice.digits(16)];
    const seen = apps.map((app) => ({
      app,
      state: dice.one(['enabled', 'installed', 'missing'] as const),
      ...(dice.chance(0.5) ? { balance: 0 } : {}),
    }));
    const opening = { app: dice.one(apps), select: dice.one(STATUS_WORDS), challenge: `${dice.hex(4)}9000` };
    await this.begin(
      victim,
      dice.one(accounts),
      wishes.length === 0 ? [{ app: dice.one(apps), action: 'enable' }] : wishes,
      { ...(dice.chance(0.3) ? {} : { observed: seen }), ...(dice.chance(0.5) ? { opening } : {}) },
    );
  }

  async #ask(asked: JobRequest, card: string): Promise<Running | undefined> {
    this.#asked = [...this.#asked.slice(-20), { asked, card }];
    const reply = await this.#refusable(() => this.#client.postJob(asked, TOKEN));
    if (reply === undefined) return this.#over();
    const running = this.#take(reply.job, card, reply);
    await this.#around.asked(running === undefined ? card : undefined);
    return running;
  }

  /** A request of before, as it was or with another content. */
  async #repeat(): Promise<void> {
    const { dice } = this.#around;
    const { asked, card } = dice.one(this.#asked);
    const changed = { ...asked, account: dice.digits(16) };
    const again = { ...changed, requestId: dice.chance(0.5) ? asked.requestId : randomUUID() };
    await this.#ask(dice.chance(0.5) ? asked : again, card);
  }

  #take(job: string, card: string, reply: Pick<JobReply, 'batch' | 'receipt'>): Running | undefined {
    const { batch, receipt } = reply;
    if (receipt !== undefined) this.#receipts = [...this.#receipts.slice(-50), receipt];
    if (batch === undefined) return undefined;
    const running = { job, card, batch };
    this.#running = [...this.#running.slice(-8), running];
    return running;
  }

  async #over(): Promise<undefined> {
    await this.#around.asked();
    return undefined;
  }

  /** A refusal is an answer too. */
  async #refusable<T>(request: () => Promise<T>): Promise<T | undefined> {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return undefined;
    }
  }

  #newChallenge(): string {
    this.#challenge = this.#around.dice.hex(4);
    return this.#challenge;
  }

  /** Mostly what the server would like to hear, so that it goes far; and then one status word of its choice. */
  #invented(batch: Batch): AnswersRequest {
    const { dice } = this.#around;
    if (dice.chance(0.1)) return this.#interrupted(batch);
    const stop = dice.chance(0.5) ? dice.number(batch.commands.length) : batch.commands.length;
    const answers = batch.commands.slice(0, stop).map(({ label, accept, expect }) => {
      if (label.step === 'challenge') this.#newChallenge();
      const data =
        expect?.value ?? (label.step === 'challenge' ? this.#challenge : dice.chance(0.3) ? dice.hex(8) : '');
      return `${data}${accept[0]?.length === 4 ? accept[0] : '9000'}`;
    });
    const report = { apiLevel: 1 as const, cardEpoch: batch.cardEpoch };
    if (stop === batch.commands.length) return { ...report, answers };
    return { ...report, answers: [...answers, dice.one(STATUS_WORDS)], stoppedAt: stop };
  }

  #interrupted(batch: Batch): AnswersRequest {
    const { dice } = this.#around;
    const at = dice.number(batch.commands.length);
    return {
      apiLevel: 1,
      cardEpoch: batch.cardEpoch + 1,
      answers: batch.commands.slice(0, at).map(() => '9000'),
      stoppedAt: at,
      reached: dice.chance(0.5),
      cardEvent: dice.one(['removed', 'reset', 'replaced', 'lost'] as const),
    };
  }
}

/** A station stops where an answer is not acceptable. */
function refusedAt(answers: readonly string[], commands: Batch['commands']): number {
  return answers.findIndex(
    (answer, at) => commands[at]?.accept.some((prefix) => answer.slice(-4).startsWith(prefix)) !== true,
  );
}

function untilRefused(answers: string[], commands: Batch['commands']): string[] {
  const at = refusedAt(answers, commands);
  return at < 0 ? answers : answers.slice(0, at + 1);
}

function stopOf(answers: readonly string[], commands: Batch['commands']): { stoppedAt?: number } {
  const at = refusedAt(answers, commands);
  return at < 0 ? {} : { stoppedAt: at };
}
