/** INSTALL [for personalization]: what STORE DATA is for, until its last block (GPC 2.3.1 §7.3.2, §11.11.1). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { associatedWith, isSelectable, type SecurityDomain } from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { readAid, readFields } from './fields.ts';
import { RECEIPT_ABSENT } from './receipt.ts';

/** Names an application of this domain that takes personalisation; the FMCOS apps have a way of their own. */
export function installForPersonalization(
  turn: Turn,
  domain: SecurityDomain,
  command: CommandApdu,
): ResponseApdu {
  const fields = readFields(command.data, 6);
  if (fields.some((field, i) => i !== 2 && field.length > 0)) throw new Refusal(SW.wrongData);
  const target = readAid(fields[2]);
  const application = turn.image.instances.find(({ aid }) => aid === target);
  if (application === undefined) throw new Refusal(SW.referenceNotFound);
  const isOwn = associatedWith(turn.image, application) === domain.aid;
  if (!isOwn || !isSelectable(application) || application.applet.kind !== 'plain')
    throw new Refusal(SW.conditions);
  turn.volatile.storing = { target, nextBlock: 0, rest: new Uint8Array(0) };
  return ok(RECEIPT_ABSENT);
}
