/** The catalogue: card applications and card-type profiles, as files in resources/ say them (docs/profiles.md). */
import { z } from 'zod';
import { issuingOf } from '../dialects/dialect.ts';
import type { DialectRegistry } from '../dialects/read-rule.ts';
import { type CardTypeProfile, cardTypeProfileSchema, localName } from './card-type-schema.ts';
import { aidText } from './domain-schema.ts';

export type { CardTypeProfile } from './card-type-schema.ts';

const APP_ICONS = ['wallet', 'identity', 'meal', 'transit', 'card'] as const;

/** Where the store keeps what is known of the issuer security domain's keys: beside the apps' (design §5). */
export const RESERVED_APP_ID = 'isd';

/** One application that can be offered. Memory in bytes of non-volatile memory, as the package's vendor declares it. */
export const cardApplicationSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,30}$/)
    .refine((id) => id !== RESERVED_APP_ID, { message: `${RESERVED_APP_ID} is not an app` }),
  name: localName,
  icon: z.enum(APP_ICONS),
  packageAid: aidText,
  appletAid: aidText,
  instanceAid: aidText,
  /** A file below resources/packages; without it the app cannot be loaded, only enabled where it is installed. */
  package: z
    .string()
    .regex(/^[a-z0-9-]+\.cap$/)
    .optional(),
  memory: z.strictObject({ load: z.number().int().min(0), instance: z.number().int().min(0) }),
  /** Holds money: its balance is read before it may be deleted. */
  purse: z.boolean(),
});
export type CardApplication = z.infer<typeof cardApplicationSchema>;

export interface Catalogue {
  readonly apps: readonly CardApplication[];
  readonly profiles: readonly CardTypeProfile[];
}

/** Roles of an app's keys, by the rules that card types have for it. None for an app that no card type carries. */
export function rolesOfApp({ profiles }: Catalogue, app: string): readonly string[] {
  return [
    ...new Set(
      profiles.flatMap(({ apps }) => {
        const rule = Object.hasOwn(apps, app) ? apps[app] : undefined;
        return rule === undefined ? [] : issuingOf(rule).keys.roles;
      }),
    ),
  ];
}

/** A resource file that does not follow its schema; names the file and the field. */
export class CatalogueError extends Error {
  constructor(file: string, reason: string) {
    super(`${file}: ${reason}`);
    this.name = 'CatalogueError';
  }
}

/**
 * Builds the catalogue from the parsed JSON of its files.
 * @throws CatalogueError naming the file and field, on doubled ids, on a profile that names an app nobody offers, and on a purse whose
 * dialect reads no balance.
 */
export function parseCatalogue(
  appsFile: unknown,
  profileFiles: readonly { readonly file: string; readonly content: unknown }[],
  dialects: DialectRegistry,
): Catalogue {
  const apps = parse('apps.json', z.array(cardApplicationSchema), appsFile);
  refuseDoubles(
    'apps.json',
    apps.map((app) => app.id),
  );
  const schema = cardTypeProfileSchema(dialects);
  const profiles = profileFiles.map(({ file, content }) => parse(file, schema, content));
  refuseDoubles(
    'profiles',
    profiles.map((profile) => profile.id),
  );
  refuseTwins(profiles);
  for (const profile of profiles) {
    for (const id of Object.keys(profile.apps)) {
      const app = apps.find((one) => one.id === id);
      if (app === undefined) throw new CatalogueError(profile.id, `app ${id} is not in apps.json`);
      if (app.purse && profile.apps[id]?.balance === null)
        throw new CatalogueError(profile.id, `app ${id} is a purse, and its dialect reads no balance`);
    }
  }
  return { apps, profiles };
}

function parse<T>(file: string, schema: z.ZodType<T>, content: unknown): T {
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new CatalogueError(
    file,
    issue ? `${issue.path.join('.') || 'whole file'}: ${issue.message}` : 'invalid',
  );
}

/** Two types that are recognised by the same could never be told apart. */
function refuseTwins(profiles: readonly CardTypeProfile[]): void {
  const seen = new Map<string, string>();
  for (const { id, recognise } of profiles) {
    const key = JSON.stringify(recognise);
    const twin = seen.get(key);
    if (twin !== undefined)
      throw new CatalogueError('profiles', `${twin} and ${id} are recognised by the same`);
    seen.set(key, id);
  }
}

function refuseDoubles(file: string, ids: readonly string[]): void {
  const double = ids.find((id, at) => ids.indexOf(id) !== at);
  if (double !== undefined) throw new CatalogueError(file, `${double} stands there twice`);
}
