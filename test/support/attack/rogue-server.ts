/**
 * A key server that was taken over, against an honest station and its virtual cards: it sends random replies, most of them shaped so that a
 * station might take them. Afterwards each card is looked at from the inside. Without the vault's keys; what it could do with them is in docs/security.md.
 */
import { randomUUID } from 'node:crypto';
import { toHex } from '../../../app/card/bytes.ts';
import { makeDelivery } from '../../../app/demo/delivery.ts';
import {
  API_LEVEL,
  type Batch,
  type Command,
  type JobReply,
  type JobRequest,
  type Outcome,
  type PlanSummary,
  type StepName,
  type StepReply,
  stepNameSchema,
  type Wish,
} from '../../../app/protocol/wire.ts';
import { makeCard } from '../../../app/simulator/factory.ts';
import type { CardImage } from '../../../app/simulator/image.ts';
import { VirtualCard } from '../../../app/simulator/virtual-card.ts';
import { RefusedError, type ServerClient } from '../../../app/station/server/client.ts';
import { demoCatalogue, openTestStation, type TestStation } from '../station.ts';

/** `spoiled`: cards on which anything is locked, gone, down to its last try or changed, or of which something false was shown. */
export interface RogueServerFigures {
  readonly replies: number;
  readonly cards: number;
  readonly spoiled: number;
}

/** Jobs on one card before the next one is put in: what a station learns of a card has to outlive a job. */
const JOBS_A_CARD = 12;
const APPS = ['e-wallet', 'identity', 'campus-meal', 'transit'] as const;
const ORDER: readonly string[] = APPS;
const DOMAIN = 'A000000151000000';

/** Sends at least `replies` replies. The same `seed` gives the same ones. */
export async function attackStation(replies: number, seed = 1): Promise<RogueServerFigures> {
  const rogue = new RogueServer(seed);
  const station = await openTestStation({ server: () => rogue, catalogue: demoCatalogue() });
  const delivery = makeDelivery();
  let cards = 0;
  let spoiled = 0;
  try {
    while (rogue.replies < replies) {
      cards += 1;
      const identificationCode = String(6_200_000_000_000_000 + cards);
      const type = cards % 2 === 0 ? 'demo-scp02' : 'demo-scp03';
      const spec = { type, identificationCode, installed: ['e-wallet', 'identity', 'transit'] } as const;
      const card = new VirtualCard(makeCard({ ...spec, installed: [...spec.installed] }, delivery[type]));
      const before = card.image;
      station.readers.insert('A', card);
      let false_ = false;
      for (let job = 0; job < JOBS_A_CARD && rogue.replies < replies; job += 1) {
        false_ = (await oneJob(station, rogue, card)) || false_;
      }
      station.readers.remove('A');
      await station.until(() => station.reader().kind === 'empty', 'the card gone');
      if (false_ || isSpoiled(before, card.image)) spoiled += 1;
    }
  } finally {
    await station.close();
  }
  return { replies: rogue.replies, cards, spoiled };
}

/** One job to whatever end; whether something false was shown of it. */
async function oneJob(station: TestStation, rogue: RogueServer, card: VirtualCard): Promise<boolean> {
  station.engine.relook('A');
  await station.until(() => station.reader().kind === 'card', 'the card read');
  const id = await station.engine.startJob('A', { account: rogue.account(), wishes: rogue.wishes() });
  const job = await station.until(() => {
    const found = station.job(id);
    return found !== undefined && ['done', 'failed', 'abandoned'].includes(found.state.kind) && found;
  }, 'the end of the job');
  await station.until(() => {
    const state = station.reader();
    return state.kind === 'job' && state.look !== null;
  }, 'the look behind the job');
  if (job.state.kind !== 'done' || job.state.outcome.result !== 'complete') return false;
  const { outcome } = job.state;
  return (
    outcome.card !== job.card ||
    job.wishes.some(({ app, action }) => {
      const there = card.image.instances.some(({ aid }) => aid === aidOf(app));
      // The rogue has no keys: it can have enabled nothing.
      return action === 'delete' ? there : true;
    })
  );
}

function isSpoiled(before: CardImage, after: CardImage): boolean {
  const { domain } = after;
  if (domain.failedAuthentications >= domain.failureLimit) return true;
  if (JSON.stringify(before.domain.keySets.map(keysOnly)) !== JSON.stringify(domain.keySets.map(keysOnly)))
    return true;
  if (domain.lifecycle !== before.domain.lifecycle || after.instances.length !== before.instances.length)
    return true;
  return before.instances.some((was) => {
    const is = after.instances.find(({ aid }) => aid === was.aid);
    if (is === undefined || is.lifecycle !== was.lifecycle) return true;
    if (is.applet.kind !== 'fmcos' || was.applet.kind !== 'fmcos') return false;
    const { applet } = is;
    return (
      applet.locked ||
      applet.keys.some(({ counter, damaged }) => damaged || (counter & 0x0f) === 0) ||
      applet.files.some(({ macFailures }) => macFailures >= 3) ||
      JSON.stringify(applet.keys.map(({ value }) => value)) !==
        JSON.stringify(was.applet.keys.map(({ value }) => value)) ||
      JSON.stringify(applet.files.map(({ data }) => data)) !==
        JSON.stringify(was.applet.files.map(({ data }) => data))
    );
  });
}

const keysOnly = ({ version, keys }: CardImage['domain']['keySets'][number]) => ({ version, keys });

function aidOf(app: string): string {
  return `F04B41494B4${['1010001', '1020001', '1030001', '1040001'][ORDER.indexOf(app)] ?? ''}`;
}

/** Answers every request with something that it made up. */
export class RogueServer implements ServerClient {
  replies = 0;
  readonly #random: () => number;
  #asked: JobRequest | undefined;
  #seq = 0;

  constructor(seed: number) {
    this.#random = mulberry32(seed);
  }

  async signIn() {
    const operator = { id: 'op1', name: 'Operator One' };
    const token = 'token-of-twenty-characters';
    return { apiLevel: API_LEVEL, token, expires: '2099-01-01T00:00:00.000Z', operator } as const;
  }

  async currentSession() {
    return { apiLevel: API_LEVEL, session: null } as const;
  }

  card(): Promise<never> {
    return Promise.reject(new RefusedError('not-found', 'none', {}, 404));
  }

  postReceipts(): Promise<never> {
    return Promise.reject(new RefusedError('not-found', 'none', {}, 404));
  }

  close(): void {}

  async postJob(request: JobRequest): Promise<JobReply> {
    this.#asked = request;
    this.#seq = 1;
    this.replies += 1;
    const common = {
      apiLevel: API_LEVEL,
      job: `job-${randomUUID()}`,
      generation: 1,
      plan: this.#plan(),
    } as const;
    return this.#one(12)
      ? { ...common, outcome: this.#outcome() }
      : { ...common, batch: this.#batch(request.cardEpoch) };
  }

  async postAnswers(_job: string, seq: number, { cardEpoch }: { cardEpoch: number }): Promise<StepReply> {
    this.#seq = this.#one(40) ? seq : seq + 1;
    this.replies += 1;
    return this.#one(8)
      ? { apiLevel: API_LEVEL, outcome: this.#outcome() }
      : { apiLevel: API_LEVEL, batch: this.#batch(cardEpoch) };
  }

  account(): string {
    return String(6_217_000_000_000_000 + this.#below(1_000_000_000));
  }

  wishes(): Wish[] {
    const apps = APPS.filter(() => this.#one(2));
    const [first = 'e-wallet'] = apps;
    return [...new Set([first, ...apps])].map((app) => ({
      app,
      action: app !== 'campus-meal' && this.#one(6) ? 'delete' : 'enable',
    }));
  }

  #plan(): PlanSummary {
    const steps = (this.#asked?.wishes ?? []).map(({ app, action }) => ({
      kind: action,
      app: this.#one(40) ? 'campus-meal' : app,
    }));
    return { steps, trips: this.#one(50) ? 100_000 : 5, memory: { needed: 0, free: null } };
  }

  #outcome(): Outcome {
    const wishes = this.#asked?.wishes ?? [];
    const own = this.#asked?.card.cin?.slice(4) ?? '';
    return {
      result: this.#pick(['complete', 'partial', 'refused']),
      card: this.#one(3) ? '6200000000000099' : own,
      apps: wishes
        .filter(({ action }) => action === 'enable')
        .map(({ app }) => ({ app, before: 'installed', after: 'enabled', keyVersions: { mck: 1, mtk: 1 } })),
      deleted: wishes.filter(({ action }) => action === 'delete').map(({ app }) => app),
      trips: 1,
      plannedTrips: 1,
    };
  }

  #batch(cardEpoch: number): Batch {
    const commands = this.#one(3) ? this.#noise() : this.#shaped();
    return { seq: this.#seq, cardEpoch: this.#one(30) ? cardEpoch + 1 : cardEpoch, commands };
  }

  /** What an honest server would send, with cryptograms that are none, now and then with more of them or with less truth in it. */
  #shaped(): Command[] {
    const app = this.#pick(APPS.filter((one) => one !== 'campus-meal'));
    const select = this.#command(`00A4040009${aidOf(app)}00`, 'select-app', app);
    const challenge = this.#command('0084000004', 'challenge', app);
    const authenticate = this.#command(`0082000008${this.#bytes(8)}`, 'authenticate', app, true);
    const mac = this.#command(`04D695081A${this.#bytes(26)}`, 'write-enabled-flag', app, true);
    const domain = [
      this.#command(`00A4040008${DOMAIN}00`, 'select-security-domain'),
      this.#command(`8050000008${this.#bytes(8)}00`, 'open-secure-channel'),
      this.#command(
        `8482${this.#level()}0010${this.#bytes(16)}`,
        'authenticate-secure-channel',
        undefined,
        true,
      ),
    ];
    const batches: Command[][] = [
      [select, challenge, authenticate],
      [select, challenge, authenticate, challenge],
      [select, challenge, mac],
      [select, challenge, authenticate, challenge, mac],
      [authenticate],
      domain,
      [...domain, ...domain],
      [...domain, this.#command(`84E4008010${this.#bytes(16)}00`, 'delete-app', app, true)],
      [...domain, this.#command('84F0807F', 'secure-card', undefined, true)],
      APPS.flatMap((one) => [
        this.#command(`00A4040009${aidOf(one)}00`, 'select-app', one),
        this.#command(`0082000008${this.#bytes(8)}`, 'read-state', one, true),
      ]),
    ];
    return this.#pick(batches);
  }

  #noise(): Command[] {
    const shapes = [
      () => `0020000008${this.#bytes(8)}`,
      () => `841E000004${this.#bytes(4)}`,
      () => `8416000004${this.#bytes(4)}`,
      () => `80D4010015${this.#bytes(21)}`,
      () => `84D439001C${this.#bytes(28)}`,
      () => `84D436001C${this.#bytes(28)}`,
      () => '800E000000',
      () => `80F080${this.#bytes(1)}`,
      () => `84E4000010${this.#bytes(16)}`,
      () => this.#bytes(5),
      () => '0084000008',
      () => '00B0950000',
    ];
    return Array.from({ length: 1 + this.#below(6) }, () =>
      this.#command(
        this.#pick(shapes)(),
        this.#pick(stepNameSchema.options),
        this.#one(2) ? this.#pick(APPS) : undefined,
        this.#one(2),
      ),
    );
  }

  #command(apdu: string, step: StepName, app?: string, effect = false): Command {
    return {
      apdu,
      accept: this.#one(3) ? ['90', '63', '69', '6A'] : ['9000'],
      label: app === undefined || this.#one(40) ? { step } : { step, app },
      ...(effect && !this.#one(10) ? { effect } : {}),
    };
  }

  /** Of the demo's card types, and now and then another one. */
  #level(): string {
    return this.#pick(['03', '03', '03', '01', '33']);
  }

  #bytes(count: number): string {
    return toHex(Uint8Array.from({ length: count }, () => this.#below(256)));
  }

  #one(of: number): boolean {
    return this.#below(of) === 0;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(from: readonly T[]): T {
    const one = from[this.#below(from.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }
}

/** Small, seeded and good enough to make replies with (Tommy Ettinger's mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
