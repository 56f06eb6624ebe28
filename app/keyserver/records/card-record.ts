/** GET /v1/cards/{identification code}: what happened to a card, who, where, when, with which keys. */
import { z } from 'zod';
import { KaikaError } from '../../protocol/errors.ts';
import {
  API_LEVEL,
  appOutcomeSchema,
  type CardRecord,
  outcomeSchema,
  resultSchema,
  stepNameSchema,
} from '../../protocol/wire.ts';
import { certainKey, type KeySlotState } from '../issuer/key-slots.ts';
import { findCard, readCardState } from '../store/cards.ts';
import type { Store } from '../store/open.ts';
import type { JobsTable } from '../store/tables.ts';

const endSchema = z.union([resultSchema, z.literal('superseded'), z.null()]);

/** @throws KaikaError `not-found` for a card never seen. */
export async function readCardRecord(store: Store, card: string): Promise<CardRecord> {
  const row = await findCard(store, card);
  if (row === undefined) throw new KaikaError('not-found', 'this card was never seen');
  const state = await readCardState(store, card);
  const jobs = await store
    .selectFrom('jobs')
    .selectAll()
    .where('card', '=', card)
    .orderBy('generation')
    .execute();
  const apps = Object.entries(state.apps).map(([app, one]) => ({
    app,
    state: one.state,
    mckVersion: one.keys === null || one.state === 'missing' ? null : issuerVersion(one.keys.mck),
    mtkVersion: one.keys === null || one.state === 'missing' ? null : issuerVersion(one.keys.mtk),
    instance: one.instance,
    loadFileHash: one.loadFileHash,
    inDoubt:
      one.inDoubt ||
      (one.keys !== null && [one.keys.mck, one.keys.mtk].some((slot) => slot.candidates.length > 1)),
  }));
  return {
    apiLevel: API_LEVEL,
    card,
    cardType: row.card_type,
    account: row.account ?? '',
    issued: apps.some((app) => app.state === 'enabled' && app.mckVersion !== null),
    setAside: row.set_aside,
    apps,
    jobs: await Promise.all(jobs.map((job) => readJob(store, job))),
  };
}

async function readJob(store: Store, job: JobsTable): Promise<CardRecord['jobs'][number]> {
  const commands = await store
    .selectFrom('job_commands')
    .selectAll()
    .where('job', '=', job.id)
    .orderBy('seq')
    .orderBy('position')
    .execute();
  const outcome = job.outcome === null ? undefined : outcomeSchema.parse(JSON.parse(job.outcome));
  return {
    job: job.id,
    operator: job.operator,
    station: job.station,
    reader: job.reader,
    started: job.started,
    ended: job.ended,
    result: endSchema.parse(job.result),
    apps: z.array(appOutcomeSchema).parse(outcome?.apps ?? []),
    deleted: outcome?.deleted ?? [],
    steps: commands.map((one) => ({ step: stepNameSchema.parse(one.step), app: one.app, sw: one.sw })),
  };
}

function issuerVersion(slot: KeySlotState): number | null {
  const key = certainKey(slot);
  return key?.origin === 'issuer' ? key.version : null;
}
