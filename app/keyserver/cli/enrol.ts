/** `operator` and `station`: who may sign in, and which stations may come. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { nameSchema } from '../../protocol/names.ts';
import { enrolStation, writeOperator } from '../access/enrolment.ts';
import { ConfigError, type ServerConfig } from '../config.ts';
import { openStore } from '../store/open.ts';

export async function addOperator(config: ServerConfig, id?: string, name?: string): Promise<number> {
  if (id === undefined || name === undefined) throw new ConfigError('operator needs --id and --name.');
  requireName('--id', id);
  requireName('--name', name);
  const secret = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (secret.length < 8)
    throw new ConfigError('The secret, read from standard input, needs at least 8 characters.');
  const store = await openStore(config.store);
  try {
    await writeOperator(store, { id, name, secret });
  } finally {
    await store.destroy();
  }
  process.stderr.write(`Operator ${id} can sign in.\n`);
  return 0;
}

export async function addStation(config: ServerConfig, name?: string, certificate?: string): Promise<number> {
  if (name === undefined || certificate === undefined)
    throw new ConfigError('station needs --name and --certificate.');
  requireName('--name', name);
  const read = readCertificate(certificate);
  const store = await openStore(config.store);
  try {
    await enrolStation(store, name, read);
  } finally {
    await store.destroy();
  }
  process.stderr.write(`Station ${name} is enrolled.\n`);
  return 0;
}

const nameOfSomebody = nameSchema(64);

/** It stands on screens, in logs and in lists that other programs read. @throws ConfigError naming the option */
function requireName(option: string, name: string): void {
  if (!nameOfSomebody.safeParse(name).success)
    throw new ConfigError(
      `${option}: a name has 1 to 64 letters, digits, spaces and signs of - _ . , : ; ( ) [ ] # + / @ ', and begins with a letter or digit.`,
    );
}

/** @throws ConfigError naming the file */
function readCertificate(file: string): X509Certificate {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new ConfigError(`${file}: the certificate cannot be read.`);
  }
  try {
    return new X509Certificate(bytes);
  } catch {
    throw new ConfigError(`${file} is no certificate in PEM.`);
  }
}
