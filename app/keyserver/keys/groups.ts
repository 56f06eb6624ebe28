/** Which master keys one name stands for: all of an app, the three of a security domain, or one key of an app alone. Pure. */
import { type Catalogue, rolesOfApp } from '../../catalogue/schema.ts';
import { appKeyPurpose } from '../../dialects/keys.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { KeyPlace } from '../store/keys-on-cards.ts';

const NAME = /^(?<owner>(?:app|isd)\/[a-z0-9][a-z0-9-]*)(?:\/(?<role>[a-z0-9-]+))?$/;
const DOMAIN_ROLES = ['enc', 'mac', 'dek'];

/**
 * Purposes of the issuer's master keys under a name; which roles an app has, the rules of the catalogue say, and `kept`: purposes of keys
 * that token or cards still have, of which no rule may be left.
 * @throws KaikaError `bad-request` for a name of no key, and for a single key of a domain: its three change together on a card.
 */
export function purposesOf(
  catalogue: Catalogue,
  name: string,
  kept: readonly string[] = [],
): readonly string[] {
  const { owner, role } = NAME.exec(name)?.groups ?? {};
  if (owner === undefined)
    throw new KaikaError('bad-request', `"${name}" is no key: app/APP, app/APP/ROLE, isd/TYPE`);
  if (owner.startsWith('isd/')) {
    if (role !== undefined)
      throw new KaikaError('bad-request', `the three keys of a security domain go together: ${owner}`);
    return DOMAIN_ROLES.map((one) => `${owner}/${one}`);
  }
  const app = owner.slice('app/'.length);
  const prefix = appKeyPurpose(app, '');
  const before = kept.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
  const ofRules = rolesOfApp(catalogue, app);
  // Where there are rules, the whole app is what they say: a role that they dropped gets no new versions with the others.
  const roles = ofRules.length > 0 ? ofRules : [...new Set(before)].sort();
  if (roles.length === 0)
    throw new KaikaError('bad-request', `no card type carries the app ${app}, and nothing has keys of it`);
  if (role === undefined) return roles.map((one) => appKeyPurpose(app, one));
  if (!roles.includes(role) && !before.includes(role))
    throw new KaikaError('bad-request', `${owner} has the keys ${roles.join(', ')}`);
  return [name];
}

/** @throws RangeError for a purpose of another form */
export function placeOf(purpose: string): KeyPlace {
  const [kind, owner, role] = purpose.split('/');
  if (owner === undefined || role === undefined) throw new RangeError(`not a purpose: ${purpose}`);
  return kind === 'isd' ? { kind: 'domain', cardType: owner } : { kind: 'app', app: owner, slot: role };
}
