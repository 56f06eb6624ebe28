/** Which master keys one name stands for: both of an app, the three of a security domain, or one key of an app alone. Pure. */
import { KaikaError } from '../../protocol/errors.ts';
import type { KeyPlace } from '../store/keys-on-cards.ts';

const NAME = /^(?<owner>(?:app|isd)\/[a-z0-9][a-z0-9-]*)(?:\/(?<role>[a-z0-9-]+))?$/;
const APP_ROLES = ['mck', 'mtk'];
const DOMAIN_ROLES = ['enc', 'mac', 'dek'];

/**
 * Purposes of the issuer's master keys under a name.
 * @throws KaikaError `bad-request` for a name of no key, and for a single key of a domain: its three change together on a card.
 */
export function purposesOf(name: string): readonly string[] {
  const { owner, role } = NAME.exec(name)?.groups ?? {};
  if (owner === undefined)
    throw new KaikaError('bad-request', `"${name}" is no key: app/APP, app/APP/mck, isd/TYPE`);
  if (owner.startsWith('isd/')) {
    if (role !== undefined)
      throw new KaikaError('bad-request', `the three keys of a security domain go together: ${owner}`);
    return DOMAIN_ROLES.map((one) => `${owner}/${one}`);
  }
  if (role === undefined) return APP_ROLES.map((one) => `${owner}/${one}`);
  if (!APP_ROLES.includes(role))
    throw new KaikaError('bad-request', `an app has the keys ${APP_ROLES.join(', ')}`);
  return [name];
}

/** @throws RangeError for a purpose of another form */
export function placeOf(purpose: string): KeyPlace {
  const [kind, owner, role] = purpose.split('/');
  if (owner === undefined || role === undefined) throw new RangeError(`not a purpose: ${purpose}`);
  return kind === 'isd' ? { kind: 'domain', cardType: owner } : { kind: 'app', app: owner, slot: role };
}
