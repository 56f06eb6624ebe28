/** FMCOS: external authentication, secure messaging MAC, replacing a key (docs/cards/demo-card.md; PBOC 2.0). */
import { concat, wipe } from '../../../../card/bytes.ts';
import type { CardKeyRef, CardStatement } from '../../keys.ts';
import type { RunsOf } from '../../operation.ts';
import type { FmcosKeyWrite, fmcosOperations } from '../../operations/fmcos.ts';
import { asBuffer, DES_BLOCK } from '../token/session.ts';
import { withCardKey, withLeftHalf } from './card-key.ts';
import { requireOneCard, requireRecord } from './one-card.ts';
import { padMethod2, retailMac } from './retail-mac.ts';
import type { Workbench } from './workbench.ts';

const MAC_LENGTH = 4;
const KEY_LENGTH = 16;

/** A 4-byte challenge as the card completes it: R ‖ 00000000. */
function challengeBlock(challenge: Uint8Array): Uint8Array {
  return concat(challenge, new Uint8Array(DES_BLOCK - challenge.length));
}

/** EXTERNAL AUTHENTICATE: 3DES(MCK, R ‖ 00000000). */
function cryptogram(
  bench: Workbench,
  card: CardStatement,
  key: CardKeyRef,
  challenge: Uint8Array,
): Uint8Array {
  return withCardKey(bench, card, key, 'des3-16', 'encrypt', (handle) =>
    bench.session.des3Ecb(handle, asBuffer(challengeBlock(challenge))),
  );
}

/** MAC over a command that the operation’s own schema let through, or that is made here. */
function mac(
  bench: Workbench,
  card: CardStatement,
  key: CardKeyRef,
  challenge: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  return withCardKey(bench, card, key, 'des3-16', 'encrypt', (full) =>
    withLeftHalf(bench, card, key, (left) =>
      retailMac(bench.session, full, left, challengeBlock(challenge), message).subarray(0, MAC_LENGTH),
    ),
  );
}

/**
 * WRITE KEY (replace), data field: 24 bytes ECB(under, 15 ‖ header ‖ new key ‖ 80 00) and the MAC under the same key. The key
 * stands at offset 6 of the first block: no wrapping mechanism gives that, so its bytes are in `plain` for this call, and
 * nowhere else. They are parity-adjusted as the token derives them; DES ignores parity, so the card agrees.
 */
function keyWrite(bench: Workbench, request: FmcosKeyWrite): Uint8Array {
  const { card, under, newKey, p1, keyId, header, challenge } = request;
  const fields = [header.typeInside, header.useRight, header.changeRight, header.nextState, header.counter];
  requireOneCard(bench, card, under, newKey);
  requireRecord(bench, newKey.master, Uint8Array.of(p1, keyId, ...fields));
  const record = Uint8Array.of(fields.length + KEY_LENGTH, ...fields, ...new Uint8Array(KEY_LENGTH));
  const plain = asBuffer(padMethod2(record, DES_BLOCK));
  try {
    const place = plain.subarray(1 + fields.length, record.length);
    withCardKey(bench, card, newKey, 'des3-16', 'readable', (key) =>
      bench.session.raw.readValue(bench.session.handle, key, place),
    );
    const cipher = withCardKey(bench, card, under, 'des3-16', 'encrypt', (key) =>
      bench.session.des3Ecb(key, plain),
    );
    const head = Uint8Array.of(0x84, 0xd4, p1, keyId, cipher.length + MAC_LENGTH);
    return concat(cipher, mac(bench, card, under, challenge, concat(head, cipher)));
  } finally {
    wipe(plain);
  }
}

export const runs: RunsOf<typeof fmcosOperations, Workbench> = {
  fmcosCryptogram: (bench, { card, key, challenge }) => cryptogram(bench, card, key, challenge),
  fmcosMac: (bench, { card, key, challenge, message }) => mac(bench, card, key, challenge, message),
  fmcosKeyWrite: keyWrite,
};
