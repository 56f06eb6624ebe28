/** Commands longer than one APDU: DELETE, INSTALL and PUT KEY with "more commands" in P1 (GPC 2.3.1 §11.1.5.1). */
import type { CommandApdu } from '../../card/apdu.ts';
import { concat } from '../../card/bytes.ts';
import { Refusal, SW } from '../status-words.ts';
import type { Volatile } from '../turn.ts';

const CHAINED: readonly number[] = [0xe4, 0xe6, 0xd8];
const MORE = 0x80;
/** What the card puts up with; more is refused with 6A86. */
const MAX_BYTES = 1024;

/**
 * The whole command, or undefined while more is to come. Protection is over the whole, so this comes before it.
 * @throws Refusal 6985 when a chain is broken by another command, 6A86 when it is too long
 */
export function collectChain(volatile: Volatile, command: CommandApdu): CommandApdu | undefined {
  const { chain } = volatile;
  volatile.chain = undefined;
  const isChained = CHAINED.includes(command.ins);
  const header = [command.cla, command.ins, command.p1 & ~MORE, command.p2].join(' ');
  if (chain !== undefined && (!isChained || chain.header !== header)) throw new Refusal(SW.conditions);
  const isMore = isChained && (command.p1 & MORE) !== 0;
  if (chain === undefined && !isMore) return command;
  const data = concat(chain?.data ?? new Uint8Array(0), command.data ?? new Uint8Array(0));
  if (data.length > MAX_BYTES) throw new Refusal(SW.wrongP1P2);
  if (!isMore) return { ...command, ...(data.length > 0 ? { data } : {}) };
  volatile.chain = { header, data };
  return undefined;
}
