/**
 * The FMCOS commands that a job may send to an app, told apart without keys: by this a station refuses what a server that was taken over
 * sends besides. What is not here (writing keys in clear, creating and erasing files, blocking the app or the card, PINs) is never sent.
 */
import type { CommandApdu } from '../../card/apdu.ts';
import { type Attempt, type CommandKind, reads } from '../../protocol/command-kind.ts';
import { MCK, MTK } from './roles.ts';
import { type FmcosRule, MOST_WRONG_MACS, maximumTries } from './rule.ts';

/** Bytes of data: a cryptogram of 8, a key record of 24 enciphered with its MAC of 4. */
const CRYPTOGRAM = 8;
const KEY_WRITE = 28;

export function kindsOf(rule: FmcosRule): (command: CommandApdu) => CommandKind | undefined {
  const master = (steps: Attempt['steps']): Attempt => ({
    kind: 'attempt',
    steps,
    key: MCK,
    tries: maximumTries(rule.mck),
    left,
  });
  const file = 0x80 | rule.publicFile.shortFileId;
  return ({ cla, ins, p1, p2, data, le }) => {
    switch ((cla << 8) | ins) {
      // 4 bytes: with 8 of them the card would give what could be used elsewhere.
      case 0x0084:
        return p1 === 0 && p2 === 0 && data === undefined && le === 4 ? reads('challenge') : undefined;
      case 0x00b0:
        return data === undefined ? reads('read-state', 'identify-card') : undefined;
      case 0x805c:
        return data === undefined ? reads('read-balance') : undefined;
      case 0x0082:
        return p1 === 0 && p2 === rule.mck.keyId && data?.length === CRYPTOGRAM
          ? master(['authenticate'])
          : undefined;
      // Its MAC is under the master control key, whichever key is written.
      case 0x84d4:
        if (data?.length !== KEY_WRITE) return undefined;
        if (p1 === rule.mck.type && p2 === rule.mck.keyId) return master(['write-master-control-key']);
        return p1 === rule.mtk.type && p2 === rule.mtk.keyId ? master(['write-maintenance-key']) : undefined;
      case 0x04d6:
        return p1 === file && data !== undefined
          ? { kind: 'attempt', steps: ['write-enabled-flag'], key: MTK, tries: MOST_WRONG_MACS, left }
          : undefined;
      default:
        return undefined;
    }
  };
}

/** 63Cx says it; a wrong cryptogram or MAC costs one; 6983 and 9303 leave none. Everything else is about the command, not about the key. */
function left(sw: number, before: number): number {
  if (sw >> 4 === 0x63c) return sw & 0x0f;
  switch (sw) {
    case 0x6300:
    case 0x9302:
    case 0x6988:
      return Math.max(0, before - 1);
    case 0x6983:
    case 0x9303:
      return 0;
    default:
      return before;
  }
}
