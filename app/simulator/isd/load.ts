/** INSTALL [for load] and LOAD (GPC 2.3.1 §9.3.5, §11.5, §11.6). */
import { createHash } from 'node:crypto';
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, equalBytes } from '../../card/bytes.ts';
import type { CardImage } from '../image.ts';
import { requireMemory } from '../memory.ts';
import type { SecurityDomain } from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Loading, Turn } from '../turn.ts';
import { isBefore22 } from './before-22.ts';
import { readLoadFile } from './cap.ts';
import { installFields, isTaken, receivingDomain, requireManagement } from './content.ts';
import { requireDaps } from './dap.ts';
import { declaredNeed, readAid, readBerLength } from './fields.ts';
import { RECEIPT_ABSENT, receiptOf } from './receipt.ts';

/** Hash algorithms of the load file data block, by length. */
const HASHES = new Map([
  [20, 'sha1'],
  [32, 'sha256'],
  [48, 'sha384'],
  [64, 'sha512'],
]);

/** INSTALL [for load]: load file AID, security domain, hash, parameters, token. */
export function installForLoad(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const [file, target, hash, parameters] = installFields(turn, domain, command, 5);
  const aid = readAid(file);
  const receiver =
    target === undefined || target.length === 0 ? domain : receivingDomain(turn.image, readAid(target));
  if (hash === undefined || (hash.length > 0 && hashAlgorithm(turn.image, hash) === undefined))
    throw new Refusal(SW.wrongData);
  if (parameters === undefined) throw new Refusal(SW.wrongData);
  if (isTaken(turn.image, aid)) throw new Refusal(SW.conditions);
  requireMemory(turn, declaredNeed(parameters, 0xc6));
  turn.volatile.loading = {
    aid,
    domain: receiver.aid,
    hash,
    nextBlock: 0,
    received: new Uint8Array(0),
  };
  return ok(RECEIPT_ABSENT);
}

/** LOAD: P1 80 marks the last block, P2 counts blocks from 00. A refused block ends the load. */
export function load(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const loading = turn.volatile.loading;
  turn.volatile.loading = undefined;
  requireManagement(domain);
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
    return ok(RECEIPT_ABSENT);
  }
  if (block === undefined || block.missing > 0) throw new Refusal(SW.wrongData);
  const content = loading.received.slice(block.start);
  requireHash(loading, content);
  requireDaps(turn.image, loading, block.daps);
  const file = readLoadFile(content);
  if (file === undefined || file.aid !== loading.aid) throw new Refusal(SW.wrongData);
  const own = loading.domain === turn.image.domain.aid ? {} : { domain: loading.domain };
  turn.image.packages.push({ ...file, size: block.length, ...own });
  return ok(receiptOf(turn.image, domain, loading.aid, loading.domain));
}

/** By the hash's length; before 2.2 there was SHA-1 alone. */
function hashAlgorithm(image: CardImage, { length }: Uint8Array): string | undefined {
  return isBefore22(image) && length !== 20 ? undefined : HASHES.get(length);
}

/** The hash named when the load began is the one of what came. @throws Refusal 6A80 */
function requireHash({ hash }: Loading, content: Uint8Array): void {
  const algorithm = HASHES.get(hash.length);
  if (algorithm === undefined) return;
  const computed = createHash(algorithm).update(content).digest();
  if (!equalBytes(new Uint8Array(computed), hash)) throw new Refusal(SW.wrongData);
}

/**
 * Where the load file data block C4 stands behind any DAP blocks E2, and how many bytes of it are missing; undefined
 * while its header is not complete.
 */
function dataBlock(bytes: Uint8Array):
  | {
      readonly start: number;
      readonly length: number;
      readonly missing: number;
      readonly daps: readonly Uint8Array[];
    }
  | undefined {
  const daps: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at];
    if (tag !== 0xe2 && tag !== 0xc4) throw new Refusal(SW.wrongData);
    const length = readBerLength(bytes, at + 1);
    if (length === undefined) return undefined;
    if (tag === 0xc4) {
      const missing = length.next + length.value - bytes.length;
      if (missing < 0) throw new Refusal(SW.wrongData);
      return { start: length.next, length: length.value, missing, daps };
    }
    at = length.next + length.value;
    if (at <= bytes.length) daps.push(bytes.slice(length.next, at));
  }
  return undefined;
}
