/** The commands of a job as a receipt holds them: equal ones in a row (the blocks of a load) are one entry with a count. Pure. */
import { z } from 'zod';
import { LIMITS, type StepName, stepNameSchema } from '../../protocol/wire.ts';

/** A command that was answered, or certainly was not sent: what the record keeps of it. */
export interface AnsweredCommand {
  readonly seq: number;
  readonly step: StepName;
  readonly app: string | null;
  /** Status word, or `none`, `lost`, `unproven`, `unsent`. */
  readonly sw: string;
  /** SHA-256 of what was loaded, with the command that installs it. */
  readonly loadFileHash: string | null;
}

/** seq, step, app, status word, how many in a row, load file hash. A tuple, because names would double a receipt's length. */
export const packedCommandSchema = z.tuple([
  z.number().int(),
  stepNameSchema,
  z.string().nullable(),
  z.string(),
  z.number().int().min(1).max(LIMITS.commands),
  z.string().nullable(),
]);
type PackedCommand = z.infer<typeof packedCommandSchema>;

export function packCommands(commands: readonly AnsweredCommand[]): PackedCommand[] {
  const packed: PackedCommand[] = [];
  for (const { seq, step, app, sw, loadFileHash } of commands) {
    const last = packed.at(-1);
    const one: PackedCommand = [seq, step, app, sw, 1, loadFileHash];
    if (last !== undefined && [0, 1, 2, 3, 5].every((at) => last[at] === one[at])) last[4] += 1;
    else packed.push(one);
  }
  return packed;
}

export function unpackCommands(packed: readonly PackedCommand[]): AnsweredCommand[] {
  return packed.flatMap(([seq, step, app, sw, count, loadFileHash]) =>
    Array.from({ length: count }, () => ({ seq, step, app, sw, loadFileHash })),
  );
}
