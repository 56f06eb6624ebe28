/** What a station lets through to a Lantern app. */
import type { CommandApdu } from '../../../app/card/apdu.ts';
import { type CommandKind, reads } from '../../../app/protocol/command-kind.ts';
import { DOOR, type LanternRule } from './rule.ts';

export function kindsOf(rule: LanternRule): (command: CommandApdu) => CommandKind | undefined {
  return ({ cla, ins }) => {
    if (cla !== 0x80) return undefined;
    switch (ins) {
      case 0x84:
        return reads('challenge');
      case 0x2a:
        return reads('read-state');
      case 0x20:
        return {
          kind: 'attempt',
          steps: ['authenticate'],
          key: DOOR,
          tries: rule.tries,
          left: (sw, before) => (sw === 0x9f80 ? 0 : sw >> 4 === 0x9f0 ? sw & 0x0f : before),
        };
      case 0x24:
        return { kind: 'change', inChannel: false, steps: ['write-master-control-key'] };
      case 0x28:
        return { kind: 'change', inChannel: false, steps: ['write-enabled-flag'] };
      default:
        return undefined;
    }
  };
}
