/** DELETE of card content and of keys (GPC 2.3.1 §9.5, §11.2). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { lengthBytes } from '../../card/tlv.ts';
import { isDomainModule } from '../applets/new-applet.ts';
import type { CardImage, Instance } from '../image.ts';
import { associatedWith, isBelow, PRIVILEGE, type SecurityDomain } from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { requireManagement, requireToken } from './content.ts';
import { readAid, readObjects } from './fields.ts';
import { RECEIPT_ABSENT, receiptOf } from './receipt.ts';

/** DELETE: 4F names an instance or a package (P2 80 with its instances), D0 and D2 a key. */
export function deleteObject(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  if (command.p1 !== 0 || (command.p2 !== 0 && command.p2 !== 0x80)) throw new Refusal(SW.wrongP1P2);
  if (command.data === undefined) throw new Refusal(SW.wrongLength);
  const objects = new Map(readObjects(command.data).map(({ tag, value }) => [tag, value]));
  const aid = objects.get(0x4f);
  if (aid !== undefined) {
    requireManagement(domain);
    const token = objects.get(0x9e) ?? new Uint8Array(0);
    requireToken(turn.image, domain, { command, data: withoutToken(command.data, token), token });
    deleteContent(turn.image, domain, readAid(aid), command.p2 === 0x80);
    return ok(receiptOf(turn.image, domain, readAid(aid)));
  }
  deleteKeys(turn, domain, single(objects.get(0xd0)), single(objects.get(0xd2)));
  return ok(RECEIPT_ABSENT);
}

/** The data before the token's object, which comes last. */
function withoutToken(data: Uint8Array, token: Uint8Array): Uint8Array {
  if (token.length === 0) return data;
  return data.slice(0, data.length - token.length - 1 - lengthBytes(token.length).length);
}

function deleteContent(image: CardImage, domain: SecurityDomain, aid: string, related: boolean): void {
  // The issuer's domain is never deleted, and no domain deletes itself: it would saw off the session it works in.
  if (aid === image.domain.aid || aid === domain.aid) throw new Refusal(SW.conditions);
  const instance = image.instances.find((known) => known.aid === aid);
  if (instance !== undefined) {
    removeInstances(image, domain, [instance]);
    return;
  }
  const file = image.packages.find((loaded) => loaded.aid === aid);
  if (file === undefined) throw new Refusal(SW.referenceNotFound);
  requireResponsibility(image, domain, file);
  // The package that the card's domains are made from is the issuer's domain's own: with it the card's master would go.
  if (file.modules.some(isDomainModule)) throw new Refusal(SW.conditions);
  const used = image.instances.filter((known) => known.package === aid);
  if (used.length > 0 && !related) throw new Refusal(SW.conditions);
  removeInstances(image, domain, used);
  image.packages = image.packages.filter((loaded) => loaded.aid !== aid);
}

/** All or none; a domain goes only when nothing is left that is associated with it. */
function removeInstances(image: CardImage, domain: SecurityDomain, gone: readonly Instance[]): void {
  const aids = gone.map(({ aid }) => aid);
  for (const entry of gone) {
    requireResponsibility(image, domain, entry);
    if (entry.aid === domain.aid) throw new Refusal(SW.conditions);
    if (entry.applet.kind !== 'domain') continue;
    const staying = [...image.instances.filter(({ aid }) => !aids.includes(aid)), ...image.packages];
    if (staying.some((known) => associatedWith(image, known) === entry.aid)) throw new Refusal(SW.conditions);
  }
  image.instances = image.instances.filter(({ aid }) => !aids.includes(aid));
}

/** The domain deletes what is in its own hierarchy, or anything with the privilege for it. */
function requireResponsibility(
  image: CardImage,
  domain: SecurityDomain,
  entry: { readonly domain?: string | undefined },
): void {
  const global = (domain.privileges & PRIVILEGE.globalDelete) !== 0;
  if (!global && !isBelow(image, entry, domain.aid)) throw new Refusal(SW.conditions);
}

function single(value: Uint8Array | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (value.length !== 1) throw new Refusal(SW.wrongData);
  return value[0];
}

/** Keys by id, by version or by both; never of the set the session runs under. */
function deleteKeys(
  turn: Turn,
  { aid, state }: SecurityDomain,
  id: number | undefined,
  version: number | undefined,
): void {
  if (id === undefined && version === undefined) throw new Refusal(SW.wrongData);
  const matches = (keyVersion: number, keyId: number) =>
    (version === undefined || version === keyVersion) && (id === undefined || id === keyId);
  const sets = state.keySets.filter((set) => set.keys.some((key) => matches(set.version, key.id)));
  const others = state.publicKeys.filter((key) => matches(key.version, key.id));
  if (sets.length + others.length === 0) throw new Refusal(SW.referenceNotFound);
  const { channel, keyOwner } = turn.volatile;
  if (keyOwner === aid && sets.some((set) => set.version === channel?.keyVersion))
    throw new Refusal(SW.conditions);
  for (const set of sets) set.keys = set.keys.filter((key) => !matches(set.version, key.id));
  state.keySets = state.keySets.filter((set) => set.keys.length > 0);
  state.publicKeys = state.publicKeys.filter((key) => !others.includes(key));
}
