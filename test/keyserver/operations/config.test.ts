/** The configuration file: every mistake is named, with its field, in a sentence, at once; and never with its value. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../../app/keyserver/config.ts';
import { serve } from '../../../app/keyserver/serve.ts';
import { sharedFolder } from '../../support/folders.ts';

const folder = sharedFolder('config');

describe('a configuration', () => {
  it('that is right is taken', () => {
    expect(said(GOOD)).toEqual([]);
  });

  it.each([
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${JSON.stringify(GOOD)}`)],
    ['UTF-16', Buffer.from(`\uFEFF${JSON.stringify(GOOD)}`, 'utf16le')],
  ])('in %s is taken as well', (_, bytes) => {
    const file = join(folder, 'marked.json');
    writeFileSync(file, bytes);
    expect(readConfig(file).vault).toMatchObject({ tokenLabel: 'Kaika' });
  });

  it('in an encoding that nobody can tell is refused for that', () => {
    const file = join(folder, 'unmarked.json');
    writeFileSync(file, Buffer.from(JSON.stringify(GOOD), 'utf16le'));
    expect(() => readConfig(file)).toThrow('the configuration is not text in UTF-8');
  });

  it.each<[string, unknown, string[]]>([
    ['no JSON', '{"listen":', ['the configuration is not JSON']],
    ['a list', [], ['the file: must be an object']],
    [
      'nothing in it',
      {},
      ['listen: is missing', 'tls: is missing', 'store: is missing', 'vault: is missing'],
    ],
    [
      'several mistakes at once',
      {
        ...GOOD,
        listen: { host: 5, port: 70_000 },
        tls: { key: 'server.key' },
        pin: SECRET,
        vault: { ...GOOD.vault, pin: SECRET, tokenLabel: 'x'.repeat(33) },
      },
      [
        'listen.host: must be a text',
        'listen.port: must be 65535 at most',
        'tls.certificate: is missing',
        'tls.stationAuthorities: is missing',
        'vault.tokenLabel: must be 32 characters at most',
        'vault.pin: there is no such field',
        'pin: there is no such field',
      ],
    ],
    [
      'a store that is none',
      { ...GOOD, store: { kind: 'oracle', file: SECRET } },
      ['store.kind: must be one of those in the guide'],
    ],
    [
      'a password in the address of the database',
      { ...GOOD, store: { kind: 'postgresql', url: `postgresql://kaika:${SECRET}@db/kaika` } },
      ['store.url: must be postgresql://user@host:port/database, without a password'],
    ],
    [
      'limits and leases out of range',
      { ...GOOD, leaseSeconds: 1, limits: { jobsAtOnce: 0, bodyBytes: 12 }, demo: 'yes' },
      [
        'leaseSeconds: must be 5 at least',
        'limits.jobsAtOnce: must be 1 at least',
        'limits.bodyBytes: must be 65536 at least',
        'demo: must be true or false',
      ],
    ],
    [
      'metrics for everybody',
      { ...GOOD, operations: { host: '0.0.0.0', port: 1 } },
      ['operations.host: must be 127.0.0.1 or ::1'],
    ],
    [
      'a demo for everybody',
      { ...GOOD, demo: true, listen: { host: '0.0.0.0', port: 1 } },
      ['listen.host: a demo server may listen on this machine only (127.0.0.1)'],
    ],
  ])('%s', (_name, config, sentences) => {
    expect(said(config)).toEqual(sentences);
  });

  it('whose certificates are not there, or are something else: the start says which', async () => {
    const config = { ...readConfigOf(GOOD), listen: { host: '127.0.0.1', port: 0 } };
    await expect(serve(config, () => undefined)).rejects.toThrow(/^tls\.key: .*server\.key cannot be read$/);
    writeFileSync(join(folder, 'server.key'), 'not a key');
    await expect(serve(config, () => undefined)).rejects.toThrow(/^tls\.key: .* is not PEM$/);
  });
});

const GOOD = {
  listen: { host: '127.0.0.1', port: 8443 },
  tls: { key: 'server.key', certificate: 'server.pem', stationAuthorities: 'ca.pem' },
  store: { kind: 'sqlite', file: 'data/kaika.sqlite' },
  vault: { module: '/usr/lib/softhsm/libsofthsm2.so', tokenLabel: 'Kaika', pinFile: 'pin' },
};

const SECRET = 'hunter2-hunter2';

function readConfigOf(config: unknown) {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  return readConfig(file);
}

function said(config: unknown): string[] {
  const file = join(folder, 'config.json');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  try {
    readConfig(file);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toContain(SECRET);
    return error.message.split('\n').map((line) => line.replace(`${file}: `, ''));
  }
}
