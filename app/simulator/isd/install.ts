/** INSTALL [for install], [for make selectable] and both (GPC 2.3.1 §11.5). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { toHex } from '../../card/bytes.ts';
import { newApplet } from '../applets/new-applet.ts';
import { INSTANCE_BYTES, requireMemory } from '../memory.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { declaredNeed, readAid, readFields, readObjects } from './fields.ts';
import { installForLoad } from './load.ts';

const RECEIPT_ABSENT = Uint8Array.of(0x00);

/** INSTALL by P1: 02 load, 04 install, 08 make selectable, 0C the last two at once. */
export function install(turn: Turn, command: CommandApdu): ResponseApdu {
  if (command.p2 !== 0) throw new Refusal(SW.wrongP1P2);
  switch (command.p1) {
    case 0x02:
      return installForLoad(turn, command);
    case 0x04:
      return installInstance(turn, command, 0x03);
    case 0x0c:
      return installInstance(turn, command, 0x07);
    case 0x08:
      return makeSelectable(turn, command);
    default:
      throw new Refusal(SW.wrongP1P2);
  }
}

function installInstance(turn: Turn, command: CommandApdu, lifecycle: number): ResponseApdu {
  const { image } = turn;
  const [file, moduleAid, instanceAid, privileges, parameters, token] = readFields(command.data, 6);
  const fileAid = readAid(file);
  const module = readAid(moduleAid);
  const aid = instanceAid === undefined || instanceAid.length === 0 ? module : readAid(instanceAid);
  const granted = readPrivileges(privileges);
  if (parameters === undefined || !readObjects(parameters).some(({ tag }) => tag === 0xc9))
    throw new Refusal(SW.wrongData);
  if (token === undefined || token.length > 0) throw new Refusal(SW.wrongData);
  const loaded = image.packages.find((known) => known.aid === fileAid);
  if (loaded === undefined || !loaded.modules.includes(module)) throw new Refusal(SW.referenceNotFound);
  // An instance may have its package's AID, but neither another instance's nor the domain's (§6.2).
  if ([image.domain, ...image.instances].some((known) => known.aid === aid)) throw new Refusal(SW.conditions);
  requireMemory(turn, Math.max(INSTANCE_BYTES, declaredNeed(parameters, 0xc8)));
  if (declaredNeed(parameters, 0xc7) > image.memory.volatile) throw new Refusal(SW.memoryFull);
  const applet = newApplet(image, fileAid);
  image.instances.push({ aid, package: fileAid, module, privileges: granted, lifecycle, applet });
  return ok(RECEIPT_ABSENT);
}

/** 1 or 3 bytes; this card has no supplementary security domains. */
function readPrivileges(bytes: Uint8Array | undefined): string {
  if (bytes === undefined || (bytes.length !== 1 && bytes.length !== 3)) throw new Refusal(SW.wrongData);
  if (((bytes[0] ?? 0) & 0x80) !== 0) throw new Refusal(SW.wrongData);
  return toHex(bytes).padEnd(6, '0');
}

function makeSelectable(turn: Turn, command: CommandApdu): ResponseApdu {
  const [file, module, aid, privileges, , token] = readFields(command.data, 6);
  if (file === undefined || file.length > 0 || module === undefined || module.length > 0)
    throw new Refusal(SW.wrongData);
  if (token === undefined || token.length > 0) throw new Refusal(SW.wrongData);
  const wanted = readAid(aid);
  const granted = privileges?.length === 0 ? undefined : readPrivileges(privileges);
  const instance = turn.image.instances.find((known) => known.aid === wanted);
  if (instance === undefined) throw new Refusal(SW.referenceNotFound);
  if (instance.lifecycle !== 0x03) throw new Refusal(SW.conditions);
  instance.lifecycle = 0x07;
  if (granted !== undefined) instance.privileges = granted;
  return ok(RECEIPT_ABSENT);
}
