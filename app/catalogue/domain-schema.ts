/** The issuer security domain of a card type, as its profile says it (docs/profiles.md). */
import { z } from 'zod';
import { isAid } from '../card/aid.ts';
import { factorSource, hexByte } from '../dialects/rule-fields.ts';
import {
  checkSecurityLevel,
  hasPredictableChallenges,
  MANAGEMENT_LEVELS,
  maximumBlockSize,
  SCP03_S16,
} from '../globalplatform/security-level.ts';

/** An AID as upper-case hexadecimal text. */
export const aidText = z.string().refine(isAid, { message: 'not an AID of 5 to 16 bytes' });

/** How a card's key comes from its master key; `visa2`, `emv-cps` and `kdf3` use what the card gives with INITIALIZE UPDATE. */
const diversificationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('pboc'), factor: factorSource }),
  z.strictObject({ kind: z.literal('visa2') }),
  z.strictObject({ kind: z.literal('emv-cps') }),
  z.strictObject({ kind: z.literal('kdf3') }),
]);
export type DiversificationRule = z.infer<typeof diversificationSchema>;

/** Algorithms of a domain's keys. */
const domainAlgorithm = z.enum(['des3-16', 'aes-128', 'aes-192', 'aes-256']);
export type DomainAlgorithm = z.infer<typeof domainAlgorithm>;

/** Factory sets of version FF vanish by themselves when another set is put. */
export const VANISHING_VERSION = 0xff;

const factoryKeys = z.strictObject({
  keyVersion: hexByte.refine(isVersion, { message: 'a key version is 01 to 7F, or FF' }),
  /** Version of the manufacturer's master keys in the token. */
  version: z.number().int().min(1),
  diversification: diversificationSchema,
});

const issuerKeys = z.strictObject({
  keyVersion: hexByte.refine((version) => version >= 0x01 && version <= 0x7f, {
    message: 'a key version is 01 to 7F',
  }),
  diversification: diversificationSchema.refine((one) => one.kind !== 'none', {
    message: 'a key that every card has is not written to cards',
  }),
  /** `add`: the new set stands beside the old one, which is deleted last; `replace`: it takes the old one's place. */
  put: z.enum(['add', 'replace']),
  /** Whether the first job on a card moves it to these keys. */
  atIssuing: z.boolean(),
  /** Whether the card goes to SECURED when it has them; that cannot be taken back. */
  secured: z.boolean(),
});

const domainFields = z.strictObject({
  aid: aidText,
  scp: z.enum(['02', '03']),
  i: hexByte,
  /** Whether the card's recognition data (0066) name protocol and options; they must be these then. */
  announced: z.boolean().default(true),
  /** Whether the card's challenges follow from its sequence counter; part of i, said for people. */
  challenges: z.enum(['random', 'predictable']),
  /** C-MAC, and what of C-DECRYPTION, R-MAC and R-ENCRYPTION comes with it. */
  securityLevel: z.enum(MANAGEMENT_LEVELS).transform((text) => Number.parseInt(text, 16)),
  /** Plain bytes a LOAD command carries. */
  blockSize: z.number().int().min(16).max(247),
  /** Failed authentications in a row after which the card locks itself. */
  maximumTries: z.number().int().min(2).max(255),
  algorithm: domainAlgorithm,
  /** How PUT KEY writes an AES key. */
  aesKeyForm: z.enum(['with-length', 'without-length']).default('with-length'),
  factoryKeys,
  issuerKeys: issuerKeys.optional(),
});

/** Also: everything fits everything else, so that a job cannot end halfway through a profile's mistake. */
export const securityDomainSchema = domainFields.superRefine((domain, context) => {
  const issue = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  try {
    checkSecurityLevel(domain.scp, domain.i, domain.securityLevel);
  } catch {
    issue(['securityLevel'], 'not offered by scp and i');
  }
  const s16 = domain.scp === '03' && (domain.i & SCP03_S16) !== 0;
  const most = maximumBlockSize(domain.securityLevel, s16 ? 16 : 8);
  if (domain.blockSize > most) issue(['blockSize'], `at most ${most} at this level`);
  if (hasPredictableChallenges(domain.scp, domain.i) !== (domain.challenges === 'predictable'))
    issue(['challenges'], 'i says otherwise');
  if ((domain.scp === '02') !== (domain.algorithm === 'des3-16'))
    issue(['algorithm'], `not an algorithm of SCP${domain.scp}`);
  for (const keys of ['factoryKeys', 'issuerKeys'] as const) {
    const rule = domain[keys]?.diversification;
    if (rule !== undefined && !diversifies(rule, domain.algorithm))
      issue([keys, 'diversification'], `${rule.kind} does not go with ${domain.algorithm}`);
  }
  const { factoryKeys: factory, issuerKeys: issuer } = domain;
  if (issuer === undefined) return;
  if (issuer.atIssuing && !namesTheCard(issuer.diversification, factory.diversification))
    // The vault refuses it: keys that do not say which card they are for could be read on another.
    issue(['issuerKeys', 'diversification'], 'must take what the factory’s keys are diversified by');
  if (issuer.keyVersion === factory.keyVersion)
    // Replacing under the same version could not be told from not replacing.
    issue(['issuerKeys', 'keyVersion'], 'must differ from the factory’s');
  if (issuer.put === 'replace' && factory.keyVersion === VANISHING_VERSION)
    issue(['issuerKeys', 'put'], 'a set of version FF cannot be replaced by its version');
});

export type SecurityDomain = z.infer<typeof securityDomainSchema>;

function diversifies(rule: DiversificationRule, algorithm: DomainAlgorithm): boolean {
  switch (rule.kind) {
    case 'none':
      return true;
    case 'pboc':
      return algorithm === 'des3-16' || algorithm === 'aes-128';
    case 'visa2':
    case 'emv-cps':
      return algorithm === 'des3-16';
    case 'kdf3':
      return algorithm !== 'des3-16';
  }
}

/** Bytes of the card's data that a diversification takes. */
const TAKEN: Readonly<Partial<Record<DiversificationRule['kind'], readonly number[]>>> = {
  visa2: [0, 1, 4, 5, 6, 7],
  'emv-cps': [4, 5, 6, 7, 8, 9],
  kdf3: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
};

/** Whether `own` fixes what `other` is made from, so that both can only be of one card; the vault asks the same of its masters. */
function namesTheCard(own: DiversificationRule, other: DiversificationRule): boolean {
  if (other.kind === 'none') return true;
  if (other.kind === 'pboc') return own.kind === 'pboc' && own.factor === other.factor;
  const [taken, given] = [TAKEN[other.kind], TAKEN[own.kind]];
  return taken !== undefined && given !== undefined && taken.every((byte) => given.includes(byte));
}

function isVersion(version: number): boolean {
  return (version >= 0x01 && version <= 0x7f) || version === VANISHING_VERSION;
}
