/** What the commands of a batch do, read off their labels and marks. Pure. */
import type { Batch, StepName } from '../../../protocol/wire.ts';

const KEY_WRITES: ReadonlySet<StepName> = new Set<StepName>([
  'write-maintenance-key',
  'write-master-control-key',
  'write-domain-keys',
]);

/** Whether the batch carries new keys, if enciphered ones. */
export function holdsKeyWrite(batch: Batch): boolean {
  return batch.commands.some((command) => KEY_WRITES.has(command.label.step));
}

/** Whether anything in the batch changes the card or spends a try. */
export function holdsEffect(batch: Batch): boolean {
  return batch.commands.some((command) => command.effect === true);
}
