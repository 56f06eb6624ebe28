/** DELETE of card content and of keys (GPC 2.3.1 §11.2). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import type { CardImage } from '../image.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { readAid, readObjects } from './fields.ts';

const RECEIPT_ABSENT = Uint8Array.of(0x00);

/** DELETE: 4F names an instance or a package (P2 80 with its instances), D0 and D2 a key. */
export function deleteObject(turn: Turn, command: CommandApdu): ResponseApdu {
  if (command.p1 !== 0 || (command.p2 !== 0 && command.p2 !== 0x80)) throw new Refusal(SW.wrongP1P2);
  if (command.data === undefined) throw new Refusal(SW.wrongLength);
  const objects = new Map(readObjects(command.data).map(({ tag, value }) => [tag, value]));
  const aid = objects.get(0x4f);
  if (aid !== undefined) deleteContent(turn.image, readAid(aid), command.p2 === 0x80);
  else deleteKeys(turn, single(objects.get(0xd0)), single(objects.get(0xd2)));
  return ok(RECEIPT_ABSENT);
}

function deleteContent(image: CardImage, aid: string, related: boolean): void {
  if (aid === image.domain.aid) throw new Refusal(SW.conditions);
  if (image.instances.some((instance) => instance.aid === aid)) {
    image.instances = image.instances.filter((instance) => instance.aid !== aid);
    return;
  }
  if (!image.packages.some((loaded) => loaded.aid === aid)) throw new Refusal(SW.referenceNotFound);
  const used = image.instances.some((instance) => instance.package === aid);
  if (used && !related) throw new Refusal(SW.conditions);
  image.instances = image.instances.filter((instance) => instance.package !== aid);
  image.packages = image.packages.filter((loaded) => loaded.aid !== aid);
}

function single(value: Uint8Array | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (value.length !== 1) throw new Refusal(SW.wrongData);
  return value[0];
}

/** Keys by id, by version or by both; never of the set the session runs under. */
function deleteKeys(turn: Turn, id: number | undefined, version: number | undefined): void {
  if (id === undefined && version === undefined) throw new Refusal(SW.wrongData);
  const { domain } = turn.image;
  const matches = (keyVersion: number, keyId: number) =>
    (version === undefined || version === keyVersion) && (id === undefined || id === keyId);
  const hit = domain.keySets.filter((set) => set.keys.some((key) => matches(set.version, key.id)));
  if (hit.length === 0) throw new Refusal(SW.referenceNotFound);
  if (hit.some((set) => set.version === turn.volatile.channel?.keyVersion)) throw new Refusal(SW.conditions);
  for (const set of hit) set.keys = set.keys.filter((key) => !matches(set.version, key.id));
  domain.keySets = domain.keySets.filter((set) => set.keys.length > 0);
}
