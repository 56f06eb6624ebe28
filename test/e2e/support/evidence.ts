/** What the stories saw: kept in parts while they run, put together in test-results/evidence.json at the end. */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const RESULTS = fileURLToPath(new URL('../../../test-results/', import.meta.url));
export const EVIDENCE_PARTS = join(RESULTS, 'evidence');
export const SCREENS = join(RESULTS, 'screens');

const versionsSchema = z.strictObject({ electron: z.string(), chrome: z.string(), node: z.string() });
const lineSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('process'),
    story: z.string(),
    sandboxed: z.boolean(),
    /** Launches until Playwright was attached. */
    attempts: z.number().int(),
    versions: versionsSchema,
  }),
  z.strictObject({
    kind: z.literal('screen'),
    story: z.string(),
    state: z.string(),
    language: z.string(),
    theme: z.string(),
    violations: z.number().int(),
    rules: z.array(z.string()),
  }),
]);
export type EvidenceLine = z.infer<typeof lineSchema>;

export function addEvidence(line: EvidenceLine): void {
  appendFileSync(join(EVIDENCE_PARTS, `${process.pid}.jsonl`), `${JSON.stringify(line)}\n`);
}

export function writeEvidence(): void {
  const lines = existsSync(EVIDENCE_PARTS) ? readdirSync(EVIDENCE_PARTS).flatMap(linesIn) : [];
  const processes = lines.flatMap((line) => (line.kind === 'process' ? [line] : []));
  const screens = lines.flatMap((line) => (line.kind === 'screen' ? [line] : []));
  const states = [...new Set(screens.map((line) => line.state))].sort();
  const evidence = {
    electron: [...new Set(processes.map((line) => line.versions.electron))],
    processes: processes.map(({ kind: _, ...line }) => line),
    axe: {
      runs: screens.length,
      violations: screens.reduce((sum, line) => sum + line.violations, 0),
    },
    states: states.map((state) => ({
      state,
      seen: screens.filter((line) => line.state === state).map(({ kind: _, state: __, ...line }) => line),
    })),
  };
  writeFileSync(join(RESULTS, 'evidence.json'), `${JSON.stringify(evidence, null, 2)}\n`);
}

function linesIn(name: string): EvidenceLine[] {
  return readFileSync(join(EVIDENCE_PARTS, name), 'utf8')
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => lineSchema.parse(JSON.parse(text)));
}
