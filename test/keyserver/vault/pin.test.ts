/** Where the PIN comes from. A PIN that cannot be what somebody typed is never sent: each wrong one spends a try of the token. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { VaultError } from '../../../app/keyserver/vault/error.ts';
import { pinReader } from '../../../app/keyserver/vault/process/token/pin.ts';
import { sharedFolder } from '../../support/folders.ts';

const folder = sharedFolder('pin');

it.each(['123456', '123456\n', '123456\r\n'])('%j is the PIN without its line end', (text) => {
  expect(pinOf(Buffer.from(text))).toBe('123456');
});

it.each([
  ['UTF-8', Buffer.from('\uFEFF123456\r\n')],
  ['UTF-16', Buffer.from('\uFEFF123456\r\n', 'utf16le')],
  ['UTF-16, the other order', Buffer.from('\uFEFF123456', 'utf16le').swap16()],
])('with the byte order mark of %s it is never sent', (_, bytes) => {
  expect(() => pinOf(bytes)).toThrow(VaultError);
  expect(() => pinOf(bytes)).toThrow('byte order mark');
});

it('nor out of the environment', () => {
  process.env['KAIKA_TEST_PIN'] = '\uFEFF123456';
  const reader = pinReader({ pinEnv: 'KAIKA_TEST_PIN' });
  expect(() => reader.with(() => 'sent')).toThrow('byte order mark');
});

function pinOf(bytes: Uint8Array): string {
  const pinFile = join(folder, 'pin');
  writeFileSync(pinFile, bytes);
  return pinReader({ pinFile }).with((pin) => pin.toString('latin1'));
}
