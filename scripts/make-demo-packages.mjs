// @ts-check
/**
 * Makes the four packages of resources/packages, byte for byte the same on every run. There is no Java Card converter here, so
 * they stand in for a vendor's packages: every component has the structure of the JCVM specification 2.2.2 (chapter 6) and
 * sizes that agree, but the methods hold pseudo-random bytes and would not run on a real card.
 *
 *   node scripts/make-demo-packages.mjs            writes the files
 *   node scripts/make-demo-packages.mjs --check    exits with 1 when a committed file differs
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { zipSync } from 'fflate';

/** @typedef {{ file: string, aid: string, applet: string, size: number }} Demo `size`: bytes of the load file, Descriptor left out */

/** @type {Demo[]} */
const PACKAGES = [
  { file: 'e-wallet', aid: 'F04B41494B410100', applet: 'F04B41494B41010001', size: 12 * 1024 },
  { file: 'identity', aid: 'F04B41494B410200', applet: 'F04B41494B41020001', size: 5 * 1024 },
  { file: 'campus-meal', aid: 'F04B41494B410300', applet: 'F04B41494B41030001', size: 20 * 1024 },
  { file: 'transit', aid: 'F04B41494B410400', applet: 'F04B41494B41040001', size: 8 * 1024 },
];

/** Packages of Java Card 2.2.1 that a wallet applet would import; their order gives the package tokens. */
const IMPORTS = [
  { name: 'javacard.framework', aid: 'A0000000620101', major: 1, minor: 2 },
  { name: 'java.lang', aid: 'A0000000620001', major: 1, minor: 0 },
  { name: 'javacard.security', aid: 'A0000000620102', major: 1, minor: 2 },
];

const u1 = (/** @type {number} */ value) => Buffer.from([value]);
const u2 = (/** @type {number} */ value) => Buffer.from([value >> 8, value & 0xff]);
const hex = (/** @type {string} */ text) => Buffer.from(text, 'hex');
const counted = (/** @type {Buffer} */ bytes) => Buffer.concat([u1(bytes.length), bytes]);

/** Tag, 2-byte size, info. @param {number} tag @param {Buffer[]} info */
function component(tag, ...info) {
  const bytes = Buffer.concat(info);
  return Buffer.concat([u1(tag), u2(bytes.length), bytes]);
}

/**
 * Bytes that look like code and are always the same: SHA-256 over a seed and a counter.
 * @param {string} seed
 * @param {number} length
 */
function pseudoRandom(seed, length) {
  const blocks = [];
  for (let i = 0; i * 32 < length; i += 1) blocks.push(createHash('sha256').update(`${seed}/${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

/** javacard.framework.Applet: external reference, package token 0, class token 3. */
const APPLET_CLASS = [0x80, 0x03];
/** One applet class at offset 2 of the Class component's info, behind the empty signature pool. */
const OWN_CLASS = [0x00, 0x02];

/** Class reference of our applet; its superclass; constructor and register() of Applet; ISOException.throwIt. */
const CONSTANT_POOL = [
  [1, ...OWN_CLASS, 0],
  [1, ...APPLET_CLASS, 0],
  [6, ...APPLET_CLASS, 0],
  [3, ...APPLET_CLASS, 1],
  [6, 0x80, 0x07, 0x01],
];

/**
 * The Method component's info: no exception handlers, then methods of at most 200 bytes that together fill `length`. Each begins
 * with an invokestatic of constant pool entry 2 or 4 and ends with a return.
 * @param {string} seed
 * @param {number} length
 */
function methods(seed, length) {
  const random = pseudoRandom(seed, length);
  const info = Buffer.alloc(length);
  random.copy(info);
  info[0] = 0; // handler_count
  const starts = [];
  const references = [];
  for (let at = 1; at < length; ) {
    const left = length - at;
    const wanted = 24 + (random.readUInt8(at) % 176);
    const size = left - wanted < 24 ? left : wanted;
    starts.push({ at, bytecodes: size - 2 });
    info[at] = random.readUInt8(at) & 0x07; // flags 0, max_stack
    info[at + 1] = 0x10 | (random.readUInt8(at + 1) & 0x07); // one argument, max_locals
    info[at + 2] = 0x8d; // invokestatic
    info[at + 3] = 0;
    info[at + 4] = starts.length % 2 === 0 ? 2 : 4;
    references.push(at + 3);
    info[at + size - 1] = 0x7a; // return
    at += size;
  }
  return { info, starts, references };
}

/**
 * Offsets as the RefLocation component writes them: distances, 255 for "and further".
 * @param {number[]} offsets
 */
function distances(offsets) {
  const bytes = [];
  let before = 0;
  for (const offset of offsets) {
    let distance = offset - before;
    for (; distance >= 255; distance -= 255) bytes.push(255);
    bytes.push(distance);
    before = offset;
  }
  return Buffer.from(bytes);
}

/**
 * @param {Demo} demo
 * @param {number} methodLength
 * @returns {Record<string, Buffer>} by the component's name
 */
function components({ file, aid, applet }, methodLength) {
  const { info, starts, references } = methods(file, methodLength);
  const name = Buffer.from(`kaika/demo/${file.replaceAll('-', '')}`);
  const [installMethod = 0, processMethod = 0] = starts.map(({ at }) => at);
  const parts = {
    Header: component(
      1,
      hex('DECAFFED0202'),
      u1(0x04), // ACC_APPLET
      hex('0001'), // package version 1.0, minor first
      counted(hex(aid)),
      counted(name),
    ),
    Import: component(
      4,
      u1(IMPORTS.length),
      ...IMPORTS.map((each) => Buffer.concat([u1(each.minor), u1(each.major), counted(hex(each.aid))])),
    ),
    Applet: component(3, u1(1), counted(hex(applet)), u2(installMethod)),
    Class: component(
      6,
      u2(0), // signature pool
      // No interfaces, superclass, 8 bytes of instance data of which 2 references from token 0, method tables.
      hex('00'),
      Buffer.from(APPLET_CLASS),
      hex('080002'),
      hex('0701'), // public virtual methods: token 7, process(APDU)
      hex('0000'),
      u2(processMethod),
    ),
    Method: component(7, info),
    StaticField: component(8, hex('0000 0000 0000 0000 0000'.replaceAll(' ', ''))),
    ConstantPool: component(5, u2(CONSTANT_POOL.length), Buffer.from(CONSTANT_POOL.flat())),
    RefLocation: component(9, u2(0), u2(distances(references).length), distances(references)),
    Descriptor: component(
      11,
      u1(1), // classes
      u1(0xff), // no token: not shared
      u1(0x01), // public
      Buffer.from(OWN_CLASS),
      u1(0), // interfaces
      u2(0), // fields
      u2(starts.length),
      ...starts.map(({ at, bytecodes }, i) =>
        Buffer.concat([
          u1(i === 1 ? 0x07 : 0xff),
          u1(i === 0 ? 0x09 : 0x01),
          u2(at),
          u2(2 + 2 * CONSTANT_POOL.length), // the one type descriptor
          u2(bytecodes),
          u2(0),
          u2(0),
        ]),
      ),
      u2(CONSTANT_POOL.length),
      ...CONSTANT_POOL.map(([tag]) => u2(tag === 1 ? 0xffff : 2 + 2 * CONSTANT_POOL.length)),
      hex('0110'), // ()V in one nibble
    ),
  };
  return { ...parts, Directory: directory(parts) };
}

/** @param {Record<string, Buffer>} parts */
function directory(parts) {
  const order = [
    'Header',
    'Directory',
    'Applet',
    'Import',
    'ConstantPool',
    'Class',
    'Method',
    'StaticField',
    'RefLocation',
    'Export',
    'Descriptor',
    'Debug',
  ];
  const own = 2 * order.length + 6 + 3;
  const size = (/** @type {string} */ name) => (name === 'Directory' ? own : (parts[name]?.length ?? 3) - 3);
  return component(
    2,
    ...order.map((name) => u2(size(name))),
    u2(0),
    u2(0),
    u2(0),
    u1(IMPORTS.length),
    u1(1),
    u1(0),
  );
}

/** @param {Record<string, Buffer>} parts */
function loadFileSize(parts) {
  return Object.entries(parts).reduce(
    (sum, [name, bytes]) => (name === 'Descriptor' ? sum : sum + bytes.length),
    0,
  );
}

/**
 * More methods need more reference locations, so the length that fits is found by going there.
 * @param {Demo} one
 */
function fitted(one) {
  let length = one.size - 400;
  for (let i = 0; i < 50; i += 1) {
    const parts = components(one, length);
    const missing = one.size - loadFileSize(parts);
    if (missing === 0) return parts;
    length += missing;
  }
  throw new Error(`${one.file}: no method length gives ${one.size} bytes`);
}

/**
 * The archive as a converter lays it out, stored so that it does not depend on a compressor's version.
 * @param {Demo} one
 */
function archive(one) {
  const folder = `kaika/demo/${one.file.replaceAll('-', '')}/javacard`;
  const manifest = [
    'Manifest-Version: 1.0',
    'Created-By: Kaika, scripts/make-demo-packages.mjs (stand-in, not a converter)',
    '',
    `Name: ${folder.replace('/javacard', '')}`,
    'Java-Card-CAP-File-Version: 2.2',
    'Java-Card-Package-Version: 1.0',
    '',
    '',
  ].join('\r\n');
  /** @type {Record<string, Buffer>} */
  const members = { 'META-INF/MANIFEST.MF': Buffer.from(manifest) };
  for (const [name, bytes] of Object.entries(fitted(one))) members[`${folder}/${name}.cap`] = bytes;
  // ZIP times are local times without a zone, so a date made of local fields is the same everywhere.
  return Buffer.from(zipSync(members, { level: 0, mtime: new Date(2025, 0, 1) }));
}

const check = process.argv.includes('--check');
let differs = false;
for (const one of PACKAGES) {
  const path = new URL(`../resources/packages/${one.file}.cap`, import.meta.url);
  const bytes = archive(one);
  if (!check) writeFileSync(path, bytes);
  else if (!readFileSync(path).equals(bytes)) {
    console.error(`${one.file}.cap is not what this script makes`);
    differs = true;
  }
}
process.exitCode = differs ? 1 : 0;
