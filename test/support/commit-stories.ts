/** One job of every type on a new card, told to a server that may die at any commit; and what is on record at the end. */
import { answerStep } from '../../app/keyserver/jobs/answer-step.ts';
import { startJob } from '../../app/keyserver/jobs/start-job.ts';
import { readCardRecord } from '../../app/keyserver/records/card-record.ts';
import { readCardState } from '../../app/keyserver/store/cards.ts';
import type { AnswersRequest, JobReply, JobRequest, StepReply, Wish } from '../../app/protocol/wire.ts';
import type { VirtualCard } from '../../app/simulator/virtual-card.ts';
import { CALLER, issue, request, runBatch } from './forwarder.ts';
import { type IssuerRig, randomDigits } from './issuer-rig.ts';
import { activate, addCustodian, importVersion } from './key-versions.ts';
import { MOVING_TYPES } from './moving-types.ts';
import { type OtherTypesRig, openOtherTypes } from './other-type.ts';
import type { StoreKind } from './stores.ts';
import { timeless } from './timeless.ts';

/** What a station asks a server. */
export interface JobServer {
  start(asked: JobRequest): Promise<JobReply>;
  answer(job: string, seq: number, report: AnswersRequest): Promise<StepReply>;
}

export interface CommitStory {
  readonly name: string;
  /** A card, and what its station asks. */
  make(): Promise<{ card: VirtualCard; identification: string; asked: JobRequest }>;
}

const MOVED_APP = 'identity';
const enable = (app: string): Wish => ({ app, action: 'enable' });
const PLAIN: readonly [string, Wish[], string | undefined][] = [
  ['enabling', [enable('e-wallet')], 'e-wallet'],
  ['loading and enabling', [enable('campus-meal')], undefined],
  ['deleting', [{ app: 'transit', action: 'delete' }], undefined],
  ['all of it', [enable('e-wallet'), enable('campus-meal'), { app: 'transit', action: 'delete' }], undefined],
];

export async function openCommitStories(kind: StoreKind): Promise<{
  readonly types: OtherTypesRig;
  readonly stories: readonly CommitStory[];
}> {
  const types = await openOtherTypes(MOVING_TYPES, kind);
  const { context, rig } = types;
  await addCustodian(types);
  await issue(rig.newCard().card, context, randomDigits(16), [enable('e-wallet')]);
  const purposes = ['mck', 'mtk'].map((slot) => `app/${MOVED_APP}/${slot}`);
  await importVersion(rig, purposes, 2);
  const asks = async (made: ReturnType<IssuerRig['newCard']>, wishes: Wish[], opening?: string) => ({
    ...made,
    asked: await request(made.card, context, randomDigits(16), wishes, opening),
  });
  return {
    types,
    stories: [
      ...PLAIN.map(([name, wishes, opening]) => ({
        name,
        make: () => asks(rig.newCard(), wishes, opening),
      })),
      ...(['vanishing', 'added', 'replaced'] as const).map((id) => ({
        name: `the security domain’s own keys (${id})`,
        make: () => asks(types.type(id).newCard(), [{ app: 'transit', action: 'delete' }]),
      })),
      { name: 'moving an app to the next version of its keys', make: () => outdatedCard(types) },
    ],
  };
}

/** A card with an app on the first version, while the second one is active. */
async function outdatedCard(types: OtherTypesRig) {
  const { rig, context } = types;
  const made = rig.newCard();
  const account = randomDigits(16);
  await activate(types, `app/${MOVED_APP}`, 1).catch(() => undefined);
  await issue(made.card, context, account, [enable(MOVED_APP)]);
  await activate(types, `app/${MOVED_APP}`, 2);
  return { ...made, asked: await request(made.card, context, account, [enable(MOVED_APP)]) };
}

/** The server of one process, for stories without one. */
export function directServer(context: OtherTypesRig['context']): JobServer {
  return {
    start: (asked) => startJob(context, CALLER, asked),
    answer: (job, seq, report) => answerStep(context, CALLER, job, seq, report),
  };
}

/** Carries the story's job; `ask` decides whom to ask, and asks again where somebody died. */
export async function tellStory(
  types: OtherTypesRig,
  story: CommitStory,
  ask: <T>(send: (server: JobServer) => Promise<T>) => Promise<T>,
): Promise<object> {
  const { card, identification, asked } = await story.make();
  const started = await ask((server) => server.start(asked));
  let batch = started.batch;
  while (batch !== undefined) {
    const { seq } = batch;
    const report = await runBatch(card, batch);
    const next = await ask((server) => server.answer(started.job, seq, report));
    batch = 'batch' in next ? next.batch : undefined;
  }
  return finalRecord(types, identification);
}

/** Everything on record of the card, without what differs from run to run: names, numbers and times. */
async function finalRecord({ context }: OtherTypesRig, identification: string): Promise<object> {
  const record = await readCardRecord(context, identification);
  const { domain } = await readCardState(context.store, identification);
  const counted = await context.store
    .selectFrom('counters')
    .select(['scope', 'count'])
    .where('subject', '=', identification)
    .orderBy('scope')
    .execute();
  return {
    ...timeless(record),
    domainState: {
      candidates: domain?.candidates.map(({ data: _data, ...set }) => set),
      spent: domain?.spent,
      leaving: domain?.leaving,
    },
    counted,
  };
}
