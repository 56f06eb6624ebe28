/** Which store a configuration names. */
import { z } from 'zod';

const path = z.string().min(1).max(4096);

/** `store` of the configuration file. A password stands in a file or the environment, never in the URL. */
export const storeConfigSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sqlite'), file: path }),
  z.strictObject({
    kind: z.literal('postgresql'),
    url: z.string().max(1000).refine(isPlainUrl, {
      message: 'must be postgresql://user@host:port/database, without a password',
    }),
    passwordFile: path.optional(),
    passwordEnv: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .optional(),
    /** Authorities that may sign the database server's certificate, PEM; the system's own when left out. */
    authorities: path.optional(),
    /** Connections of this instance at most. */
    connections: z.number().int().min(2).max(200).default(10),
  }),
]);
export type StoreConfig = z.infer<typeof storeConfigSchema>;

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    /^postgres(ql)?:$/.test(url.protocol) &&
    url.password === '' &&
    url.username !== '' &&
    url.pathname.length > 1 &&
    [...url.searchParams.keys()].every((name) => name === 'host')
  );
}
