/** INSTALL [for install], [for make selectable] and both (GPC 2.3.1 §9.3.6, §9.3.7, §11.5). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { isDomainModule, newApplet } from '../applets/new-applet.ts';
import { INSTANCE_BYTES, requireMemory } from '../memory.ts';
import {
  associatedWith,
  isBelow,
  PRIVILEGE,
  privilegesOf,
  privilegeText,
  type SecurityDomain,
} from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { requireSince22 } from './before-22.ts';
import { installFields, isTaken, readPrivileges, receivingDomain, requireUnclaimed } from './content.ts';
import { declaredNeed, readAid, readObjects } from './fields.ts';
import { installForLoad } from './load.ts';
import { installForPersonalization } from './personalize.ts';
import { receiptOf } from './receipt.ts';
import { extradite, updateRegistry } from './registry-update.ts';

const INSTALLED = 0x03;
const SELECTABLE = 0x07;

/** INSTALL by P1: 02 load, 04 install, 08 make selectable, 0C both, 10 extradition, 20 personalization, 40 update. */
export function install(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  if (command.p2 !== 0) throw new Refusal(SW.wrongP1P2);
  switch (command.p1) {
    case 0x02:
      return installForLoad(turn, domain, command);
    case 0x04:
      return installInstance(turn, domain, command, INSTALLED);
    case 0x0c:
      return installInstance(turn, domain, command, SELECTABLE);
    case 0x08:
      return makeSelectable(turn, domain, command);
    case 0x10:
      return extradite(turn, domain, command);
    case 0x20:
      return installForPersonalization(turn, domain, command);
    case 0x40:
      requireSince22(turn.image, SW.wrongP1P2);
      return updateRegistry(turn, domain, command);
    default:
      throw new Refusal(SW.wrongP1P2);
  }
}

function installInstance(
  turn: Turn,
  domain: SecurityDomain,
  command: CommandApdu,
  lifecycle: number,
): ResponseApdu {
  const { image } = turn;
  const [file, moduleAid, instanceAid, privileges, parameters] = installFields(turn, domain, command, 6);
  const fileAid = readAid(file);
  const module = readAid(moduleAid);
  const aid = instanceAid === undefined || instanceAid.length === 0 ? module : readAid(instanceAid);
  const loaded = image.packages.find((known) => known.aid === fileAid);
  const granted = readPrivileges(image, privileges, isDomainModule(module));
  const specific = readObjects(parameters ?? new Uint8Array(0)).find(({ tag }) => tag === 0xc9);
  if (parameters === undefined || specific === undefined) throw new Refusal(SW.wrongData);
  if (loaded === undefined || !loaded.modules.includes(module)) throw new Refusal(SW.referenceNotFound);
  // An instance may have its package's AID, but neither another instance's nor a domain's (§6.2).
  if ([image.domain, ...image.instances].some((known) => known.aid === aid)) throw new Refusal(SW.conditions);
  if (aid !== fileAid && isTaken(image, aid)) throw new Refusal(SW.conditions);
  if (lifecycle === INSTALLED && (granted & PRIVILEGE.cardReset) !== 0) throw new Refusal(SW.wrongData);
  requireUnclaimed(image, granted);
  requireOwnFile(turn, domain, loaded);
  receivingDomain(image, associatedWith(image, loaded));
  requireMemory(turn, Math.max(INSTANCE_BYTES, declaredNeed(parameters, 0xc8)));
  if (declaredNeed(parameters, 0xc7) > image.memory.volatile) throw new Refusal(SW.memoryFull);
  const applet = newApplet(image, { packageAid: fileAid, module, parameters: specific.value });
  image.instances.push({
    aid,
    package: fileAid,
    module,
    privileges: privilegeText(granted),
    lifecycle,
    ...(loaded.domain === undefined ? {} : { domain: loaded.domain }),
    applet,
  });
  return ok(receiptOf(image, domain, fileAid, aid));
}

/** A domain may install from load files of its own hierarchy, and from the issuer's, which serve every domain. */
function requireOwnFile(
  { image }: Turn,
  domain: SecurityDomain,
  file: { readonly domain?: string | undefined },
): void {
  const isIssuers = associatedWith(image, file) === image.domain.aid;
  if (!isIssuers && !isBelow(image, file, domain.aid)) throw new Refusal(SW.conditions);
}

/** Makes an installed application selectable, or hands the card reset privilege to one that is. */
function makeSelectable(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const { image } = turn;
  const [file, module, aid, privileges] = installFields(turn, domain, command, 6);
  if (file === undefined || file.length > 0 || module === undefined || module.length > 0)
    throw new Refusal(SW.wrongData);
  const wanted = readAid(aid);
  if (privileges !== undefined && ![0, 1, 3].includes(privileges.length)) throw new Refusal(SW.wrongData);
  // Any other privilege in the field means nothing here (§11.5.2.3.3).
  const reset = (((privileges?.[0] ?? 0) << 16) & PRIVILEGE.cardReset) !== 0 ? PRIVILEGE.cardReset : 0;
  const instance = image.instances.find((known) => known.aid === wanted);
  if (instance === undefined) throw new Refusal(SW.referenceNotFound);
  if (instance.lifecycle !== INSTALLED && (reset === 0 || (instance.lifecycle & 0x80) !== 0))
    throw new Refusal(SW.conditions);
  requireUnclaimed(image, reset, instance.aid);
  if (instance.lifecycle === INSTALLED) instance.lifecycle = SELECTABLE;
  instance.privileges = privilegeText(privilegesOf(instance) | reset);
  return ok(receiptOf(image, domain, instance.package, instance.aid));
}
