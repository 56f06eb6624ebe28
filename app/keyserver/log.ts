/** The server's log: one JSON object a line, only fields that are listed here. Never data, keys, tokens or bodies. */
import { pino } from 'pino';
import { z } from 'zod';

/** What a line may hold besides time, level and event. What is not here is not written, whatever a caller hands over. */
const fieldsSchema = z.object({
  requestId: z.string(),
  station: z.string(),
  operator: z.string(),
  job: z.string(),
  seq: z.number(),
  method: z.string(),
  route: z.string(),
  status: z.number(),
  code: z.string(),
  milliseconds: z.number(),
  port: z.number(),
  host: z.string(),
  reason: z.string(),
  pid: z.number(),
  /** Where in the program a fault was (`framesOf`). */
  stack: z.array(z.string()),
});
export type LogFields = Readonly<Partial<z.infer<typeof fieldsSchema>>>;

const ALLOWED: ReadonlySet<string> = new Set(Object.keys(fieldsSchema.shape));

export type Log = (level: 'info' | 'warn' | 'error', event: string, fields?: LogFields) => void;

/** A log that writes lines to `sink`, one call a line, before it returns. */
export function openLog(sink: (line: string) => void, now: () => Date = () => new Date()): Log {
  const logger = pino(
    {
      // pino's own members (process id, machine) are not in the list.
      base: null,
      timestamp: () => `,"time":"${now().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    { write: sink },
  );
  return (level, event, fields = {}) => {
    const kept = Object.fromEntries(Object.entries(fields).filter(([name]) => ALLOWED.has(name)));
    logger[level]({ event, ...kept });
  };
}

/** The places of a fault in the program, innermost first; nothing of its message, which may quote what came in. */
export function framesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return (error.stack ?? '')
    .replace(error.message, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^at (?:.* \()?(?:file:|node:|\/)\S*:\d+:\d+\)?$/.test(line))
    .slice(0, 20);
}
