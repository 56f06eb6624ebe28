/** `station.json` as people write it: read, or refused with what is wrong with it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readStationConfig, STATION_CONFIG, StationConfigError } from '../../app/station/config.ts';
import { sharedFolder } from '../support/folders.ts';

const folder = sharedFolder('station');

it.each([
  ['UTF-8', 'utf8', []],
  ['UTF-8 with a byte order mark', 'utf8', [0xef, 0xbb, 0xbf]],
  ['UTF-16 as Windows editors write it', 'utf16le', [0xff, 0xfe]],
] as const)('is read in %s', (_name, encoding, mark) => {
  expect(
    read(Buffer.concat([Uint8Array.from(mark), Buffer.from(JSON.stringify(good()), encoding)])),
  ).toMatchObject({
    version: 1,
    server: { origin: 'https://keys.bank.example:8443' },
  });
});

it.each([
  ['UTF-16 without a byte order mark', Buffer.from(JSON.stringify(good()), 'utf16le'), 'save it as UTF-8'],
  ['half a file', Buffer.from('{"version":'), 'is not JSON'],
  ['a file with a mark and one field', Buffer.from('\uFEFF{"version":1}'), 'server'],
])('%s is refused, and said to be that', (_name, bytes, reason) => {
  expect(() => read(bytes)).toThrow(StationConfigError);
  expect(() => read(bytes)).toThrow(reason);
});

function read(bytes: Uint8Array) {
  writeFileSync(join(folder, STATION_CONFIG), bytes);
  return readStationConfig(folder);
}

function good() {
  return {
    version: 1,
    server: {
      origin: 'https://keys.bank.example:8443',
      authorities: 'ca.pem',
      certificate: 'station.pem',
      key: 'station.key',
    },
    readers: { kind: 'pcsc' },
  };
}
