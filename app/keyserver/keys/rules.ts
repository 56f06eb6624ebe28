/** What is fixed with a master when it is made, read off the catalogue: what its keys are diversified by, and where they may be written. */
import type { CardTypeProfile, Catalogue } from '../../catalogue/schema.ts';
import { issuingOf } from '../../dialects/dialect.ts';
import type { FactorKind } from '../../dialects/keys.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { keyRole, type MasterKeyId, type MasterRule } from '../vault/keys.ts';

/**
 * `new`: a master that is made now. `before`: one of a program that fixed nothing yet; it diversified the issuer's keys of apps by the
 * account alone, and cards have such keys.
 * @throws KaikaError `bad-request` where no card type says it, or two say different things
 */
export function ruleFor(catalogue: Catalogue, id: MasterKeyId, made: 'new' | 'before'): MasterRule {
  const { owner, role } = keyRole(id);
  const [kind, name = ''] = owner.split('/');
  return kind === 'isd' ? domainRule(catalogue, id, name) : appRule(catalogue, id, name, role, made);
}

function domainRule({ profiles }: Catalogue, id: MasterKeyId, type: string): MasterRule {
  const domain = profiles.find((profile) => profile.id === type)?.securityDomain;
  const keys = id.origin === 'issuer' ? domain?.issuerKeys : domain?.factoryKeys;
  if (keys === undefined) throw unsaid(id);
  const { diversification: by } = keys;
  return { diversifiedBy: by.kind === 'pboc' ? by.factor : by.kind, records: [] };
}

function appRule(
  { profiles }: Catalogue,
  id: MasterKeyId,
  app: string,
  role: string,
  made: 'new' | 'before',
): MasterRule {
  const rules = profiles
    .flatMap((profile) => keyRulesOf(profile, app))
    .filter(({ roles }) => roles.includes(role));
  if (rules.length === 0) throw unsaid(id);
  const records = [...new Set(rules.flatMap((rule) => rule.records(role)))];
  if (id.origin === 'issuer') return { diversifiedBy: made === 'new' ? 'card' : 'account', records };
  const factors = new Set<FactorKind>(
    rules.flatMap((rule) => {
      const { version, factor } = rule.transportRule(role);
      return version === id.version ? [factor] : [];
    }),
  );
  const [factor, second] = factors;
  if (factor === undefined || second !== undefined) throw unsaid(id);
  return { diversifiedBy: factor, records: [] };
}

function keyRulesOf({ apps }: CardTypeProfile, app: string) {
  const rule = Object.hasOwn(apps, app) ? apps[app] : undefined;
  return rule === undefined ? [] : [issuingOf(rule).keys];
}

function unsaid({ purpose, origin, version }: MasterKeyId): KaikaError {
  return new KaikaError(
    'bad-request',
    `no card type, or more than one, says what ${purpose} (${origin}, version ${version}) is diversified by`,
  );
}
