/** Commands and status words in words, for people who read a dialogue. */
import type { CommandApdu } from '../../card/apdu.ts';

const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');

const INSTALL_FOR: Readonly<Record<number, string>> = {
  2: 'load',
  4: 'install',
  8: 'make selectable',
  12: 'install and make selectable',
  16: 'extradition',
  32: 'personalization',
  64: 'registry update',
};
const SUBSETS: Readonly<Record<number, string>> = {
  128: 'issuer security domain',
  64: 'applications',
  32: 'load files',
  16: 'load files and modules',
};
const OBJECTS: Readonly<Record<string, string>> = {
  '0042': 'issuer identification number',
  '0045': 'card image number',
  '0066': 'card data',
  '0067': 'card capabilities',
  '00C1': 'sequence counter',
  '00CF': 'key diversification data',
  '00E0': 'key information',
  '2F00': 'list of applications',
  '9F7F': 'production life cycle',
  FF21: 'card resources',
};

type Name = (command: CommandApdu) => string;

/** By INS; most have one name, some tell more. */
const NAMES = new Map<number, Name>([
  [0x20, () => 'VERIFY'],
  [0x24, () => 'CHANGE REFERENCE DATA'],
  [0x2a, () => 'PERFORM SECURITY OPERATION'],
  [0x2c, () => 'RESET RETRY COUNTER'],
  [0x50, ({ p1 }) => `INITIALIZE UPDATE, key version ${hex(p1)}`],
  [0x5c, () => 'GET BALANCE'],
  [0x70, () => 'MANAGE CHANNEL'],
  [0x78, () => 'END R-MAC SESSION'],
  [0x7a, () => 'BEGIN R-MAC SESSION'],
  [0x82, authenticate],
  [0x84, ({ le }) => `GET CHALLENGE, ${le ?? 0} bytes`],
  [0x88, () => 'INTERNAL AUTHENTICATE'],
  [0xa4, select],
  [0xb0, (command) => `READ BINARY${file(command)}`],
  [0xb2, () => 'READ RECORD'],
  [0xc0, () => 'GET RESPONSE'],
  [0xca, ({ p1, p2 }) => `GET DATA ${OBJECTS[hex(p1) + hex(p2)] ?? hex(p1) + hex(p2)}`],
  [0xd4, ({ p1 }) => (p1 === 1 ? 'WRITE KEY, add' : `WRITE KEY, type ${hex(p1)}`)],
  [0xd6, (command) => `UPDATE BINARY${file(command)}`],
  [0xd8, ({ p1 }) => ((p1 & 0x7f) === 0 ? 'PUT KEY, add' : `PUT KEY, in place of version ${hex(p1 & 0x7f)}`)],
  [0xdc, () => 'UPDATE RECORD'],
  [0xe2, ({ p1, p2 }) => `STORE DATA, block ${p2}${(p1 & 0x80) !== 0 ? ', the last' : ''}`],
  [0xe4, () => 'DELETE'],
  [0xe6, ({ p1 }) => `INSTALL [for ${INSTALL_FOR[p1 & 0x7f] ?? hex(p1)}]`],
  [0xe8, ({ p1, p2 }) => `LOAD, block ${p2}${(p1 & 0x80) !== 0 ? ', the last' : ''}`],
  [0xf0, ({ p1, p2 }) => `SET STATUS of ${p1 === 0x80 ? 'the card' : 'an application'} to ${hex(p2)}`],
  [0xf2, ({ p1, p2 }) => `GET STATUS, ${SUBSETS[p1] ?? hex(p1)}${(p2 & 1) !== 0 ? ', next part' : ''}`],
]);

function authenticate({ cla, p1, p2 }: CommandApdu): string {
  return (cla & 0x80) !== 0
    ? `EXTERNAL AUTHENTICATE, security level ${hex(p1)}`
    : `EXTERNAL AUTHENTICATE, key ${hex(p2)}`;
}

function select({ p1, data }: CommandApdu): string {
  if (p1 !== 0x04) return 'SELECT a file';
  return data === undefined ? 'SELECT the issuer security domain' : 'SELECT by name';
}

function file({ p1, p2 }: CommandApdu): string {
  return (p1 & 0x80) !== 0 ? ` of file ${hex(p1 & 0x1f)} at ${p2}` : '';
}

/** A command in words: `LOAD, block 5`; protected ones say so. */
export function commandName(command: CommandApdu): string {
  const name = NAMES.get(command.ins)?.(command) ?? `INS ${hex(command.ins)}`;
  return (command.cla & 0x04) !== 0 && command.ins !== 0x82 ? `${name}, protected` : name;
}

const STATUS: Readonly<Record<number, string>> = {
  25219: 'card locked, or key check error',
  25344: 'authentication failed',
  25360: 'more data',
  25600: 'no specific diagnosis',
  25985: 'memory failure',
  26368: 'wrong length',
  26753: 'logical channel not supported',
  26754: 'secure messaging not supported',
  27010: 'security status not satisfied',
  27011: 'authentication blocked',
  27013: 'conditions of use not satisfied',
  27014: 'no current file',
  27015: 'MAC missing',
  27016: 'MAC wrong',
  27264: 'incorrect data',
  27265: 'function not supported',
  27266: 'not found',
  27268: 'not enough memory',
  27270: 'incorrect P1 P2',
  27272: 'referenced data not found',
  27392: 'wrong offset',
  27904: 'unknown instruction',
  28160: 'unknown class',
  28416: 'no precise diagnosis',
  36864: 'ok',
  37634: 'MAC wrong',
  37635: 'application locked for good',
  37891: 'key not found',
  38020: 'algorithm not supported',
  38021: 'check value wrong',
};

/** A status word in words. */
export function statusName(sw: number): string {
  const low = sw & 0xff;
  if (sw >> 8 === 0x61) return `${low || 256} bytes to fetch`;
  if (sw >> 8 === 0x6c) return `the right length is ${low || 256}`;
  if ((sw & 0xfff0) === 0x63c0) return `${sw & 0x0f} tries left`;
  return STATUS[sw] ?? 'unknown';
}
