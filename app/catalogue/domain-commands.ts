/**
 * The commands that a job may send to a card's security domain, told apart without keys. What is not here (ending or locking the card,
 * giving privileges, handing an app to another domain, STORE DATA) is never sent, whoever asks for it. Pure.
 */
import type { CommandApdu } from '../card/apdu.ts';
import { R_MAC } from '../globalplatform/security-level.ts';
import { type Change, type CommandKind, reads } from '../protocol/command-kind.ts';
import type { SecurityDomain } from './domain-schema.ts';

/** The key set by which the domain's channel is opened; counted as one key. */
const CHANNEL = 'channel';

/** Lifecycle states that a job may bring a card to: INITIALIZED, SECURED. */
const STATES: readonly number[] = [0x07, 0x0f];

/** With DELETE: also the instances made from the package. */
const WITH_INSTANCES = 0x80;

export function domainKinds(
  domain: Pick<SecurityDomain, 'securityLevel' | 'maximumTries' | 'issuerKeys'>,
): (command: CommandApdu) => CommandKind | undefined {
  return ({ cla, ins, p1, p2, data }) => {
    switch ((cla << 8) | ins) {
      case 0x80ca:
        return data === undefined ? reads('identify-card', 'read-memory') : undefined;
      case 0x8050:
        return p2 === 0 && (data?.length === 8 || data?.length === 16)
          ? { kind: 'opening', steps: ['open-secure-channel'] }
          : undefined;
      case 0x8482:
        return (p1 === domain.securityLevel || p1 === (domain.securityLevel | R_MAC)) && p2 === 0
          ? {
              kind: 'attempt',
              steps: ['authenticate-secure-channel'],
              key: CHANNEL,
              tries: domain.maximumTries,
              left,
            }
          : undefined;
      case 0x84e4:
        if (p1 !== 0) return undefined;
        if (p2 === WITH_INSTANCES) return change('delete-app');
        return p2 === 0 ? change('remove-package', 'remove-domain-keys') : undefined;
      case 0x84e6:
        if (p1 === 0x02) return change('announce-load');
        return p1 === 0x0c ? change('install-app') : undefined;
      case 0x84e8:
        return change('load-block');
      case 0x84d8:
        return domain.issuerKeys === undefined ? undefined : change('write-domain-keys');
      case 0x84f0:
        return domain.issuerKeys?.secured === true && p1 === 0x80 && STATES.includes(p2)
          ? change('secure-card')
          : undefined;
      case 0x84f2:
        return reads('read-card-state');
      default:
        return undefined;
    }
  };
}

function change(...steps: Change['steps']): Change {
  return { kind: 'change', steps, inChannel: true };
}

/** The cryptogram or the MAC was wrong (6300, 6988, or 6982 as some cards say it); 63Cx names what is left. */
function left(sw: number, before: number): number {
  if (sw >> 4 === 0x63c) return sw & 0x0f;
  switch (sw) {
    case 0x6300:
    case 0x6982:
    case 0x6988:
      return Math.max(0, before - 1);
    case 0x6983:
      return 0;
    default:
      return before;
  }
}
