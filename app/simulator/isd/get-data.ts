/** GET DATA (GPC 2.3.1 §11.3): the look without keys. */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, fromHex } from '../../card/bytes.ts';
import { writeTlv } from '../../card/tlv.ts';
import type { CardImage } from '../image.ts';
import { freeMemory } from '../memory.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { defaultKeySet, diversificationData } from './authenticate.ts';

/** Issuer identification number object, as in the apps' public files. */
const ISSUER = '4B41494B41000000';

const OBJECTS = new Map<number, (image: CardImage) => Uint8Array | undefined>([
  [0x9f7f, (image) => writeTlv(0x9f7f, productionLifeCycle(image))],
  [0x0042, () => writeTlv(0x42, fromHex(ISSUER))],
  [0x0045, (image) => writeTlv(0x45, fromHex(image.identificationCode))],
  [0x0066, (image) => writeTlv(0x66, cardRecognition(image))],
  [0x00e0, (image) => writeTlv(0xe0, keyInformation(image))],
  [0x00cf, (image) => writeTlv(0xcf, diversificationData(image))],
  [0x00c1, sequenceCounter],
  [0xff21, (image) => writeTlv(0xff21, resources(image))],
]);

/** GET DATA, in or outside a session. */
export function getData(turn: Turn, command: CommandApdu): ResponseApdu {
  if (command.data !== undefined) throw new Refusal(SW.wrongLength);
  const data = OBJECTS.get((command.p1 << 8) | command.p2)?.(turn.image);
  if (data === undefined) throw new Refusal(SW.referenceNotFound);
  if (turn.volatile.channel === undefined && command.le !== undefined && command.le < data.length)
    return { data: new Uint8Array(0), sw: 0x6c00 | data.length };
  return ok(data);
}

/** CPLC, 42 bytes: fabricator and type of the chip, its serial number, the rest zero. */
function productionLifeCycle(image: CardImage): Uint8Array {
  const cplc = new Uint8Array(42);
  cplc.set(fromHex('4B414B44'));
  cplc.set(fromHex(image.identificationCode).slice(4), 12);
  return cplc;
}

/** Card recognition data (GPC 2.3.1 H.2), tag 73. */
export function cardRecognition(image: CardImage): Uint8Array {
  const { scp, i } = image.domain.protocol;
  const gp = '2A864886FC6B';
  const oid = (text: string) => writeTlv(0x06, fromHex(gp + text));
  const protocol = scp + i.toString(16).padStart(2, '0');
  return writeTlv(
    0x73,
    oid('01'),
    writeTlv(0x60, oid('02020301')),
    writeTlv(0x63, oid('03')),
    writeTlv(0x64, oid(`04${protocol}`)),
  );
}

/** Key information template (GPC 2.3.1 §11.3.3.1): id, version, type and length of each key. */
function keyInformation(image: CardImage): Uint8Array {
  return concat(
    ...image.domain.keySets.flatMap(({ version, keys }) =>
      keys.map(({ id, kind, value }) =>
        writeTlv(0xc0, Uint8Array.of(id, version, kind === 'aes' ? 0x88 : 0x80, value.length / 2)),
      ),
    ),
  );
}

function sequenceCounter(image: CardImage): Uint8Array | undefined {
  const set = defaultKeySet(image);
  const { scp, i } = image.domain.protocol;
  if (set === undefined || (scp === '03' && (i & 0x10) === 0)) return undefined;
  const counter = number(set.sequenceCounter, 4);
  return writeTlv(0xc1, counter.slice(scp === '02' ? 2 : 1));
}

/** Extended card resources (ETSI TS 102 226 §8.2.1.7.2): applications, free non-volatile and volatile bytes. */
function resources(image: CardImage): Uint8Array {
  return concat(
    writeTlv(0x81, number(image.instances.length, 1)),
    writeTlv(0x82, number(freeMemory(image), 4)),
    writeTlv(0x83, number(image.memory.volatile, 4)),
  );
}

function number(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes.slice(4 - length);
}
