/** Load file data block signatures, checked by the domains that have the privilege (GPC 2.3.1 §9.2.1, §C.3). */
import type { CardImage } from '../image.ts';
import { domainOf, isPersonalized, PERSONALIZED, PRIVILEGE, privilegesOf } from '../registry.ts';
import { Refusal, SW } from '../status-words.ts';
import type { Loading } from '../turn.ts';
import { readAid, readObjects } from './fields.ts';
import { isSigned, SIGNATURE_KEY } from './signature.ts';

/**
 * Every signature in the load file is right, and nobody's is missing who must have signed: the domain the file is for,
 * if it verifies, and any domain that verifies whatever is loaded.
 * @throws Refusal 6985 when one is missing, 6A80 when one is wrong or there is no hash to check it over
 */
export function requireDaps(image: CardImage, loading: Loading, daps: readonly Uint8Array[]): void {
  const signed = daps.map((dap) => verified(image, loading.hash, dap));
  const must = image.instances.filter((entry) => {
    const privileges = privilegesOf(entry);
    if ((privileges & PRIVILEGE.mandatedDap) !== 0) return entry.lifecycle === PERSONALIZED;
    return entry.aid === loading.domain && (privileges & PRIVILEGE.dapVerification) !== 0;
  });
  if (must.some(({ aid }) => !signed.includes(aid))) throw new Refusal(SW.conditions);
}

/** AID of the domain whose signature this is. */
function verified(image: CardImage, hash: Uint8Array, dap: Uint8Array): string {
  const objects = readObjects(dap);
  const aid = readAid(objects.find(({ tag }) => tag === 0x4f)?.value);
  const signature = objects.find(({ tag }) => tag === 0xc3)?.value;
  const domain = domainOf(image, aid);
  const verifies = domain !== undefined && (domain.privileges & PRIVILEGE.dapVerification) !== 0;
  if (!verifies || !isPersonalized(domain)) throw new Refusal(SW.conditions);
  if (signature === undefined || hash.length === 0) throw new Refusal(SW.wrongData);
  if (!isSigned(domain.state, SIGNATURE_KEY.dap, hash, signature)) throw new Refusal(SW.wrongData);
  return aid;
}
