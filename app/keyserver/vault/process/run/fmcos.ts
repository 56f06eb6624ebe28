/** FMCOS: external authentication, secure messaging MAC, replacing a key (docs/cards/demo-card.md; PBOC 2.0). */
import { concat, wipe } from '../../../../card/bytes.ts';
import { keyRole } from '../../labels.ts';
import { type CardKeyRef, type KeySlotHeader, VaultError } from '../../port.ts';
import { asBuffer, DES_BLOCK } from '../token/session.ts';
import { requireRole, type Workbench, withCardKey, withLeftHalf } from './card-key.ts';
import { padMethod2, retailMac } from './retail-mac.ts';

const MAC_LENGTH = 4;
const KEY_LENGTH = 16;
const MASTER_CONTROL = 0x39;
const PROTECTED = 0xc0;

/** What `Vault.fmcosKeyWrite` takes. */
export interface KeyWriteRequest {
  readonly under: CardKeyRef;
  readonly newKey: CardKeyRef;
  readonly p1: number;
  readonly keyId: number;
  readonly header: KeySlotHeader;
  readonly challenge: Uint8Array;
}

/** A 4-byte challenge as the card completes it: R ‖ 00000000. */
function challengeBlock(challenge: Uint8Array): Uint8Array {
  return concat(challenge, new Uint8Array(DES_BLOCK - challenge.length));
}

/** EXTERNAL AUTHENTICATE: 3DES(MCK, R ‖ 00000000). */
export function cryptogram(bench: Workbench, key: CardKeyRef, challenge: Uint8Array): Uint8Array {
  requireRole(key, 'mck');
  return withCardKey(bench, key, 'des3-16', 'encrypt', (handle) =>
    bench.session.des3Ecb(handle, asBuffer(challengeBlock(challenge))),
  );
}

function mac(bench: Workbench, key: CardKeyRef, challenge: Uint8Array, message: Uint8Array): Uint8Array {
  return withCardKey(bench, key, 'des3-16', 'encrypt', (full) =>
    withLeftHalf(bench, key, (left) =>
      retailMac(bench.session, full, left, challengeBlock(challenge), message).subarray(0, MAC_LENGTH),
    ),
  );
}

/** MAC of an UPDATE BINARY (04 D6 P1 P2 Lc data, Lc including the MAC) under the app's maintenance key. */
export function updateMac(
  bench: Workbench,
  key: CardKeyRef,
  challenge: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  requireRole(key, 'mtk');
  const [cla, ins, , , lc] = message;
  if (cla !== 0x04 || ins !== 0xd6 || message.length < 6 || lc !== message.length - 5 + MAC_LENGTH)
    throw new VaultError('refused', 'only UPDATE BINARY with MAC, 04 D6, is signed');
  return mac(bench, key, challenge, message);
}

/**
 * WRITE KEY (replace), data field: 24 bytes ECB(under, 15 ‖ header ‖ new key ‖ 80 00) and the MAC under the same key. The key
 * stands at offset 6 of the first block: no wrapping mechanism gives that, so its bytes are in `plain` for this call, and
 * nowhere else. They are parity-adjusted as the token derives them; DES ignores parity, so the card agrees.
 */
export function keyWrite(bench: Workbench, request: KeyWriteRequest): Uint8Array {
  const { under, newKey, p1, keyId, header, challenge } = request;
  requireRole(under, 'mck');
  requireRole(newKey, p1 === MASTER_CONTROL ? 'mck' : 'mtk', keyRole(under.master).owner);
  // A type without C0 makes the card take later writes in clear.
  if (header.typeInside !== (p1 | PROTECTED))
    throw new VaultError('refused', 'the key slot must stay protected (type inside F9 or F6)');
  const fields = [header.typeInside, header.useRight, header.changeRight, header.nextState, header.counter];
  const record = Uint8Array.of(fields.length + KEY_LENGTH, ...fields, ...new Uint8Array(KEY_LENGTH));
  const plain = asBuffer(padMethod2(record, DES_BLOCK));
  try {
    const place = plain.subarray(1 + fields.length, record.length);
    withCardKey(bench, newKey, 'des3-16', 'readable', (key) =>
      bench.session.raw.readValue(bench.session.handle, key, place),
    );
    const cipher = withCardKey(bench, under, 'des3-16', 'encrypt', (key) =>
      bench.session.des3Ecb(key, plain),
    );
    const head = Uint8Array.of(0x84, 0xd4, p1, keyId, cipher.length + MAC_LENGTH);
    return concat(cipher, mac(bench, under, challenge, concat(head, cipher)));
  } finally {
    wipe(plain);
  }
}
