/** `operator` and `station`: who may sign in, and which stations may come. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { enrolStation, writeOperator } from '../access/enrolment.ts';
import { ConfigError, type ServerConfig } from '../config.ts';
import { openStore } from '../store/open.ts';

export async function addOperator(config: ServerConfig, id?: string, name?: string): Promise<number> {
  if (id === undefined || name === undefined) throw new ConfigError('operator needs --id and --name.');
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
