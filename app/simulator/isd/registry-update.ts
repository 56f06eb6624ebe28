/** INSTALL [for extradition] and [for registry update] (GPC 2.3.1 §9.4). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import {
  associatedWith,
  hierarchyOf,
  isBelow,
  PRIVILEGE,
  privilegeText,
  type SecurityDomain,
} from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { installFields, readPrivileges, receivingDomain, requireUnclaimed } from './content.ts';
import { readAid, readObjects } from './fields.ts';
import { RECEIPT_ABSENT, receiptOf } from './receipt.ts';

/** What can be moved: an entry of the registry with the domain it is associated with. */
interface Movable {
  readonly aid: string;
  domain?: string | undefined;
}

/** INSTALL [for extradition]: domain, nothing, application or load file, nothing, parameters, token. */
export function extradite(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const [to, empty, aid, none] = installFields(turn, domain, command, 6);
  if (empty === undefined || empty.length > 0 || none === undefined || none.length > 0)
    throw new Refusal(SW.wrongData);
  const from = move(turn, domain, readAid(aid), readAid(to));
  return ok(receiptOf(turn.image, domain, from, readAid(aid), readAid(to)));
}

/** AID of the domain it was associated with before. */
function move({ image }: Turn, domain: SecurityDomain, aid: string, to: string): string {
  if (aid === image.domain.aid) throw new Refusal(SW.conditions);
  const application = image.instances.find((known) => known.aid === aid);
  const entry: Movable | undefined = application ?? image.packages.find((known) => known.aid === aid);
  if (entry === undefined) throw new Refusal(SW.referenceNotFound);
  if (!isBelow(image, entry, domain.aid)) throw new Refusal(SW.conditions);
  const receiver = receivingDomain(image, to);
  const verifies = (receiver.privileges & PRIVILEGE.dapVerification) !== 0;
  if (application === undefined && verifies) throw new Refusal(SW.conditions);
  // A domain may be put under itself, but not under one of those below it.
  if (to !== aid && hierarchyOf(image, to).includes(aid)) throw new Refusal(SW.conditions);
  const from = associatedWith(image, entry);
  if (to === image.domain.aid) delete entry.domain;
  else entry.domain = to;
  return from;
}

/** INSTALL [for registry update]: new privileges for an application, another domain, or both. A command that asks for neither is accepted. */
export function updateRegistry(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const { image } = turn;
  const [to, empty, aid, privileges, parameters] = installFields(turn, domain, command, 6);
  if (empty === undefined || empty.length > 0) throw new Refusal(SW.wrongData);
  // Tag D9 would switch functions of the card off, which this card cannot do.
  if (readObjects(parameters ?? new Uint8Array(0)).some(({ tag }) => tag === 0xd9))
    throw new Refusal(SW.wrongData);
  const wanted = readAid(aid);
  const entry = image.instances.find((known) => known.aid === wanted);
  if (entry === undefined) throw new Refusal(SW.referenceNotFound);
  if (!isBelow(image, entry, domain.aid) && associatedWith(image, entry) !== domain.aid)
    throw new Refusal(SW.conditions);
  if (privileges !== undefined && privileges.length > 0) {
    const granted = readPrivileges(image, privileges, entry.applet.kind === 'domain');
    requireUnclaimed(image, granted, entry.aid);
    entry.privileges = privilegeText(granted);
  }
  if (to !== undefined && to.length > 0) move(turn, domain, wanted, readAid(to));
  return ok(RECEIPT_ABSENT);
}
