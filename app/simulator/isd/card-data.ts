/** What a card says of itself: recognition data, capabilities, production data (GPC 2.3.1 appendix H). */
import { concat, fromHex } from '../../card/bytes.ts';
import { writeTlv } from '../../card/tlv.ts';
import type { CardImage, DomainState } from '../image.ts';
import { PRIVILEGE, privilegeText } from '../registry.ts';

/** Issuer identification number, as in the apps' public files. */
export const ISSUER_NUMBER = '4B41494B41000000';
/** 1 2 840 114283 */
const GLOBAL_PLATFORM = '2A864886FC6B';
const VERSIONS = { '2.1.1': '020101', '2.2.1': '020201', '2.3.1': '020301' } as const;
const LOAD_HASHES = '01020304';
/** Of tokens and load files (tables H-9, H-10): everything but ECC of 512 bits. */
const SIGNATURES = 'FF02';

const oid = (text: string) => writeTlv(0x06, fromHex(GLOBAL_PLATFORM + text));
const hexByte = (value: number) => value.toString(16).padStart(2, '0');

/** Card recognition data, or a supplementary domain's management data: tag 73 (tables H-1, H-3). */
export function cardRecognition(
  image: Pick<CardImage, 'version'>,
  { scp, i }: DomainState['protocol'],
): Uint8Array {
  return writeTlv(
    0x73,
    oid('01'),
    writeTlv(0x60, oid(`02${VERSIONS[image.version]}`)),
    writeTlv(0x63, oid('03')),
    writeTlv(0x64, oid(`04${scp}${hexByte(i)}`)),
  );
}

/** Card capability information, the value of tag 67 (table H-5). */
export function cardCapabilities({ protocol: { scp, i } }: Pick<DomainState, 'protocol'>): Uint8Array {
  const keys = scp === '03' ? writeTlv(0x82, Uint8Array.of(0x07)) : new Uint8Array(0);
  return concat(
    writeTlv(0xa0, writeTlv(0x80, fromHex(scp)), writeTlv(0x81, Uint8Array.of(i)), keys),
    writeTlv(0x81, fromHex(privilegeText(ASSIGNABLE_TO_DOMAINS))),
    writeTlv(0x82, fromHex(privilegeText(ASSIGNABLE_TO_APPLICATIONS))),
    writeTlv(0x83, fromHex(LOAD_HASHES)),
    writeTlv(0x85, fromHex(SIGNATURES)),
    writeTlv(0x87, fromHex(SIGNATURES)),
    writeTlv(0x88, Uint8Array.of(0x00, 0x01, 0x02)),
  );
}

/** What an application may be given. */
export const ASSIGNABLE_TO_APPLICATIONS =
  PRIVILEGE.cardLock |
  PRIVILEGE.cardTerminate |
  PRIVILEGE.cardReset |
  PRIVILEGE.globalLock |
  PRIVILEGE.globalRegistry |
  PRIVILEGE.finalApplication |
  0x020100; // CVM management, global service

/** What a supplementary security domain may be given. */
export const ASSIGNABLE_TO_DOMAINS =
  ASSIGNABLE_TO_APPLICATIONS |
  PRIVILEGE.securityDomain |
  PRIVILEGE.dapVerification |
  PRIVILEGE.mandatedDap |
  PRIVILEGE.trustedPath |
  PRIVILEGE.authorizedManagement |
  PRIVILEGE.delegatedManagement |
  PRIVILEGE.globalDelete;

const CPLC_LENGTH = 42;
/** Where STORE DATA puts its 8 bytes: 9F67 pre-personalisation, 9F66 personalisation. */
const CPLC_FIELDS = [
  ['9F67', 26],
  ['9F66', 34],
] as const;

/** Card production life cycle data: what the card was made with, and what was stored since. */
export function productionLifeCycle(image: CardImage): Uint8Array {
  const cplc = new Uint8Array(CPLC_LENGTH);
  if (image.cplc === undefined) {
    cplc.set(fromHex('4B414B44'));
    cplc.set(fromHex(image.identificationCode).slice(4), 12);
  } else cplc.set(fromHex(image.cplc));
  for (const [tag, at] of CPLC_FIELDS) cplc.set(fromHex(image.domain.data[tag] ?? '').slice(0, 8), at);
  return cplc;
}
