/** The server's own key and certificate, and who signs stations' certificates: PEM files that the configuration names. */
import { readFileSync } from 'node:fs';
import { decodeTextFile, TextFileError } from '../card/text-file.ts';
import { ConfigError, type ServerConfig } from './config.ts';

export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
  /** Authorities that sign stations' certificates. */
  readonly ca: string;
}

/** @throws ConfigError naming the field of a file that cannot be read or holds something else */
export function readTls({ tls }: ServerConfig): TlsFiles {
  return {
    key: readPem('tls.key', tls.key),
    cert: readPem('tls.certificate', tls.certificate),
    ca: readPem('tls.stationAuthorities', tls.stationAuthorities),
  };
}

function readPem(field: string, file: string): string {
  let text: string;
  try {
    text = decodeTextFile(readFileSync(file));
  } catch (error) {
    const reason = error instanceof TextFileError ? error.message : 'cannot be read';
    throw new ConfigError(`${field}: ${file} ${reason}`);
  }
  if (!text.includes('-----BEGIN ')) throw new ConfigError(`${field}: ${file} is not PEM`);
  return text;
}
