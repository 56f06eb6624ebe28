/** From the issuer's sets of domain keys to key references of the vault, for one card of one type. */
import { fromHex } from '../../card/bytes.ts';
import type { DiversificationRule } from '../../catalogue/domain-schema.ts';
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { type CardCodes, factorOf } from '../../dialects/keys.ts';
import type { DomainKeySet } from '../issuer/domain-keys.ts';
import type { DomainKeyPort } from '../issuer/ports.ts';
import type { CardStatement, Diversification, DomainKeyRefs } from '../vault/keys.ts';
import type { Vault } from '../vault/vault.ts';

export function domainKeyPort(
  vault: Pick<Vault, 'channelSessionKeys' | 'cryptogramKey' | 'foretellChannel' | 'wrapDomainKeys'>,
  profile: CardTypeProfile,
  card: CardCodes,
): DomainKeyPort {
  const refs = (set: DomainKeySet) => domainKeyRefs(profile, set, card);
  /** The card of every key in a call. A set's data are those that the card itself gave, and one card has one of them. */
  const stated = ({ data }: DomainKeySet): CardStatement => ({
    identification: card.identification,
    account: card.account,
    ...(data === null ? {} : { data: fromHex(data) }),
  });
  return {
    session: (set) => ({
      sessionKeys: (context) => vault.channelSessionKeys({ card: stated(set), keys: refs(set), context }),
      cryptogramKey: async (context) =>
        (await vault.cryptogramKey({ card: stated(set), keys: refs(set), context })).key,
    }),
    foretell: (set, opening) => vault.foretellChannel({ card: stated(set), keys: refs(set), ...opening }),
    wrap: ({ under, keys, sequenceCounter }) => {
      const { dek } = refs(under);
      return vault.wrapDomainKeys({
        card: stated(keys),
        under: sequenceCounter === undefined ? { scp: '03', dek } : { scp: '02', dek, sequenceCounter },
        keys: refs(keys),
      });
    },
  };
}

/** The three keys of a set. @throws Error when the card's type has no such set. */
function domainKeyRefs(profile: CardTypeProfile, set: DomainKeySet, card: CardCodes): DomainKeyRefs {
  const domain = profile.securityDomain;
  const rule = set.origin === 'factory' ? domain?.factoryKeys : domain?.issuerKeys;
  if (rule === undefined) throw new Error(`profile ${profile.id} has no ${set.origin} keys`);
  const diversification = diversificationOf(rule.diversification, set, card);
  const ref = (key: 'enc' | 'mac' | 'dek') => ({
    master: { purpose: `isd/${profile.id}/${key}`, origin: set.origin, version: set.version },
    diversification,
  });
  return { enc: ref('enc'), mac: ref('mac'), dek: ref('dek') };
}

function diversificationOf(rule: DiversificationRule, set: DomainKeySet, card: CardCodes): Diversification {
  switch (rule.kind) {
    case 'none':
      return { kind: 'none' };
    case 'pboc': {
      const code = rule.factor === 'account' ? card.account : card.identification;
      return { kind: 'pboc', factor: fromHex(factorOf(code)) };
    }
    case 'visa2':
    case 'emv-cps':
    case 'kdf3':
      if (set.data === null) throw new Error('a set that is diversified by the card’s data has none');
      return { kind: rule.kind, data: fromHex(set.data) };
  }
}
