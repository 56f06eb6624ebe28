/** Enabling a Lantern app: open the door, change its key, mark the app. One random serves them all, so they travel in one batch. */
import type { CommandApdu } from '../../../app/card/apdu.ts';
import { fromHex } from '../../../app/card/bytes.ts';
import type {
  AppBatch,
  AppCommand,
  AppGlance,
  AppWork,
  DialectPorts,
} from '../../../app/dialects/dialect.ts';
import {
  attemptOf,
  certainKey,
  intendWrite,
  isCertainly,
  spendTry,
} from '../../../app/dialects/key-slots.ts';
import { slotOf, targetOf, withSlot } from '../../../app/dialects/keys.ts';
import { select } from '../../../app/globalplatform/commands.ts';
import { DOOR, type LanternMeaning, type LanternRule, notesSchema } from './rule.ts';

type LanternCommand = AppCommand & { readonly meaning: LanternMeaning };

const command = (ins: number, more: Partial<CommandApdu> = {}): CommandApdu => ({
  cla: 0x80,
  ins,
  p1: 0,
  p2: 0,
  ...more,
});
export const RANDOM = command(0x84, { le: 8 });
export const STATE = command(0x2a, { le: 1 });

export function head(work: AppGlance): readonly LanternCommand[] {
  const find: LanternCommand = {
    name: 'select-app',
    command: select(work.instanceAid),
    meaning: { kind: 'find' },
  };
  const state: LanternCommand = { name: 'read-state', command: STATE, meaning: { kind: 'state' } };
  const random: LanternCommand = { name: 'challenge', command: RANDOM, meaning: { kind: 'random' } };
  const { keys, targets } = work;
  const target = targets[DOOR];
  const done = keys !== null && target !== undefined && isCertainly(slotOf(keys, DOOR), target);
  const doubtful = work.flagInDoubt || (done && notesSchema.parse(work.notes).stateRead === undefined);
  return [find, ...(work.goal === 'enable' && doubtful ? [state] : []), random];
}

export async function build(
  rule: LanternRule,
  work: AppWork,
  { keys: vault }: DialectPorts,
): Promise<AppBatch | 'from-head' | 'show-first'> {
  const slot = slotOf(work.keys, DOOR);
  const target = targetOf(work.targets, DOOR);
  const { random, ...notes } = notesSchema.parse(work.notes);
  if (slot.refused) return { commands: [], change: { fails: 'card-refused-key' }, last: false };
  if (random === undefined && notes.open !== true) return 'from-head';
  const key = slot.candidates[0];
  if (key === undefined) return 'from-head';
  const commands: LanternCommand[] = [];
  let keys = work.keys;
  if (notes.open !== true) {
    const attempt = attemptOf(slot, rule.tries, work.presence);
    if (attempt === 'show-first') return attempt;
    if (attempt === 'keep') return { commands: [], change: { fails: 'card-tries-low' }, last: false };
    const data = await vault.ask('lanternOpen', {
      key: vault.ref(DOOR, key),
      random: fromHex(random ?? ''),
    });
    commands.push({
      name: 'authenticate',
      command: command(0x20, { data }),
      meaning: { kind: 'open', key, before: [...slot.candidates] },
      effect: true,
    });
    keys = withSlot(keys, DOOR, spendTry);
  }
  // Which of two keys opens the door is found out first.
  const certain = certainKey(slot);
  if (certain === undefined) return { commands, change: { keys, notes }, last: false };
  if (!isCertainly(slot, target)) {
    const data = await vault.ask('lanternChange', {
      under: vault.ref(DOOR, certain),
      newKey: vault.ref(DOOR, target),
    });
    commands.push({
      name: 'write-master-control-key',
      command: command(0x24, { data }),
      meaning: { kind: 'change', key: target, before: [certain] },
      effect: true,
    });
    keys = withSlot(keys, DOOR, (state) => intendWrite(state, target));
  }
  if (work.goal === 'renew') return { commands, change: { keys, notes }, last: true };
  commands.push({
    name: 'write-enabled-flag',
    command: command(0x28, { p1: 1 }),
    meaning: { kind: 'mark' },
    effect: true,
  });
  return { commands, change: { keys, notes, flagInDoubt: true }, last: true };
}
