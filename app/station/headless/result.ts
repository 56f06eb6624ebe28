/** What a headless run ends with: the last line on standard output with `--json` (docs/guide/headless.md). */
import { z } from 'zod';
import { errorCodeSchema } from '../../protocol/errors.ts';
import {
  appIdSchema,
  appStateSchema,
  keyVersionsSchema,
  type Outcome,
  resultSchema,
} from '../../protocol/wire.ts';

export const headlessResultSchema = z.strictObject({
  outcome: resultSchema,
  /** Identification code; null when no card was read. */
  card: z.string().nullable(),
  apps: z.array(
    z.strictObject({
      app: appIdSchema,
      before: appStateSchema,
      after: appStateSchema,
      keyVersions: keyVersionsSchema,
      error: errorCodeSchema.optional(),
    }),
  ),
  deleted: z.array(appIdSchema),
  trips: z.number().int().min(0),
  plannedTrips: z.number().int().min(0),
  /** From the click to the result. */
  milliseconds: z.number().int().min(0),
  error: errorCodeSchema.optional(),
});
export type HeadlessResult = z.infer<typeof headlessResultSchema>;

export function resultOf(outcome: Outcome, milliseconds: number): HeadlessResult {
  return {
    outcome: outcome.result,
    card: outcome.card,
    apps: outcome.apps,
    deleted: outcome.deleted,
    trips: outcome.trips,
    plannedTrips: outcome.plannedTrips,
    milliseconds: Math.round(milliseconds),
    ...(outcome.error === undefined ? {} : { error: outcome.error }),
  };
}

/** Nothing was done to a card. */
export function refusal(
  error: HeadlessResult['error'],
  card: string | null,
  milliseconds: number,
): HeadlessResult {
  return {
    outcome: 'refused',
    card,
    apps: [],
    deleted: [],
    trips: 0,
    plannedTrips: 0,
    milliseconds: Math.round(milliseconds),
    ...(error === undefined ? {} : { error }),
  };
}
