/** INSTALL [for load] and LOAD (GPC 2.3.1 §11.5, §11.6). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, toHex } from '../../card/bytes.ts';
import { requireMemory } from '../memory.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { readLoadFile } from './cap.ts';
import { declaredNeed, readAid, readBerLength, readFields } from './fields.ts';

const RECEIPT_ABSENT = Uint8Array.of(0x00);

/** INSTALL [for load]: load file AID, security domain, hash, parameters, token. */
export function installForLoad(turn: Turn, command: CommandApdu): ResponseApdu {
  const [file, domain, hash, parameters, token] = readFields(command.data, 5);
  const aid = readAid(file);
  if (domain !== undefined && domain.length > 0 && toHex(domain) !== turn.image.domain.aid)
    throw new Refusal(SW.referenceNotFound);
  if (hash === undefined || ![0, 20, 32, 48, 64].includes(hash.length)) throw new Refusal(SW.wrongData);
  if (token === undefined || token.length > 0) throw new Refusal(SW.wrongData);
  if (parameters === undefined) throw new Refusal(SW.wrongData);
  if (taken(turn, aid)) throw new Refusal(SW.conditions);
  requireMemory(turn, declaredNeed(parameters, 0xc6));
  turn.volatile.loading = { aid, nextBlock: 0, received: new Uint8Array(0) };
  return ok(RECEIPT_ABSENT);
}

function taken(turn: Turn, aid: string): boolean {
  const { domain, packages, instances } = turn.image;
  return [domain, ...packages, ...instances].some((known) => known.aid === aid);
}

/** LOAD: P1 80 marks the last block, P2 counts blocks from 00. A refused block ends the load. */
export function load(turn: Turn, command: CommandApdu): ResponseApdu {
  const loading = turn.volatile.loading;
  turn.volatile.loading = undefined;
  if (command.p1 !== 0x00 && command.p1 !== 0x80) throw new Refusal(SW.wrongP1P2);
  if (loading === undefined) throw new Refusal(SW.conditions);
  // Block numbers do not wrap: a 257th block finds no number that is right.
  if (command.p2 !== loading.nextBlock) throw new Refusal(SW.wrongP1P2);
  if (command.data === undefined) throw new Refusal(SW.wrongLength);
  loading.received = concat(loading.received, command.data);
  loading.nextBlock += 1;
  const block = dataBlock(loading.received);
  // Memory fills as blocks come, so that a file too large fails in its middle.
  if (block !== undefined) requireMemory(turn, block.length - block.missing);
  if (command.p1 === 0x00) {
    turn.volatile.loading = loading;
    return ok();
  }
  if (block === undefined || block.missing > 0) throw new Refusal(SW.wrongData);
  const file = readLoadFile(loading.received.slice(block.start));
  if (file === undefined || file.aid !== loading.aid) throw new Refusal(SW.wrongData);
  turn.image.packages.push({ ...file, size: block.length });
  return ok(RECEIPT_ABSENT);
}

/**
 * Where the load file data block C4 stands behind any DAP blocks E2, and how many bytes of it are missing; undefined
 * while its header is not complete.
 */
function dataBlock(
  bytes: Uint8Array,
): { readonly start: number; readonly length: number; readonly missing: number } | undefined {
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at];
    if (tag !== 0xe2 && tag !== 0xc4) throw new Refusal(SW.wrongData);
    const length = readBerLength(bytes, at + 1);
    if (length === undefined) return undefined;
    if (tag === 0xc4) {
      const missing = length.next + length.value - bytes.length;
      if (missing < 0) throw new Refusal(SW.wrongData);
      return { start: length.next, length: length.value, missing };
    }
    at = length.next + length.value;
  }
  return undefined;
}
