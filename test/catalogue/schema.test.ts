/** A profile that would end cards, or end a job halfway, is refused when it is read. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CatalogueError, parseCatalogue } from '../../app/catalogue/schema.ts';
import { DIALECTS } from '../../app/dialects/registry.ts';

describe('profiles', () => {
  it('reads the ones that are delivered', () => {
    expect(withProfile('x-nothing', '')).not.toThrow();
  });

  it.each([
    ['a key slot that would take later writes in clear', '"typeInside": "F9"', '"typeInside": "39"'],
    ['a key slot with the type of the other one', '"typeInside": "F9"', '"typeInside": "F6"'],
    ['a maintenance key where the master control key belongs', '"type": "39"', '"type": "36"'],
    ['a new key with a try spent', '"counter": "33"', '"counter": "32"'],
    ['a new key with one try', '"counter": "33"', '"counter": "11"'],
    ['a block size that does not fit with C-DECRYPTION', '"blockSize": 239', '"blockSize": 240'],
    ['options that we do not speak', '"i": "70"', '"i": "40"'],
    ['a short file id that names no file', '"shortFileId": "15"', '"shortFileId": "1F"'],
    ['an identification code of half a byte', '"digits": 16', '"digits": 15'],
    ['an ATR mask of another length', '"mask": "FF', '"mask": "'],
    ['an app nobody offers', '"transit": {', '"lottery": {'],
    ['challenges that do not follow from i', '"challenges": "predictable"', '"challenges": "random"'],
    ['an algorithm of the other protocol', '"algorithm": "aes-128"', '"algorithm": "des3-16"'],
    ['a diversification of other keys', OWN_KEYS, '"30","diversification":{"kind":"visa2"}'],
    ['new keys that every card has', OWN_KEYS, '"30","diversification":{"kind":"none"}'],
    [
      'new keys that do not say which card they are for',
      new RegExp(`${OWN_KEYS.source}(?<put>[^}]*"atIssuing": )false`),
      '"30","diversification":{"kind":"kdf3"}$<put>true',
    ],
    ['new keys under the version of the old', '"keyVersion": "30"', '"keyVersion": "01"'],
    ['new keys under no version', '"keyVersion": "30"', '"keyVersion": "80"'],
    ['one try', '"maximumTries": 10', '"maximumTries": 1'],
    ['an ATR mask that says nothing', /"mask": "F+"/, `"mask": "${'0'.repeat(18)}"`],
    ['nothing to recognise a card by', /"atr": \{[^}]*\}/, ''],
    ['an identification code from nowhere', '"source": "cin"', '"source": "guess"'],
    ['a field we do not know', '"memoryReserve"', '"memoryReserves": 1, "memoryReserve"'],
  ])('refuses %s', (_name, from, to) => {
    expect(withProfile(from, to)).toThrow(CatalogueError);
  });

  /** The demo's domain with other options, level and block size. */
  const domainOf = (scp: '02' | '03', i: string, securityLevel: string, blockSize: number) => {
    const profile = JSON.parse(read(`profiles/demo-scp${scp}.json`));
    const counts = scp === '02' ? 0x40 : 0x10;
    const challenges = (Number.parseInt(i, 16) & counts) === 0 ? 'random' : 'predictable';
    const securityDomain = { ...profile.securityDomain, i, securityLevel, blockSize, challenges };
    return () =>
      parseCatalogue(apps, [{ file: 'demo.json', content: { ...profile, securityDomain } }], DIALECTS);
  };

  it.each([
    // Every option and the most that it offers (GPC 2.3.1 table E-1, Amendment D 1.1.1 table 5-1); i + 1: S16.
    ['02', '05', '03', 239],
    ['02', '15', '01', 247],
    ['02', '25', '11', 247],
    ['02', '35', '11', 247],
    ['02', '45', '03', 239],
    ['02', '55', '03', 239],
    ['02', '65', '13', 239],
    ['02', '75', '13', 239],
    ['03', '00', '03', 239],
    ['03', '10', '01', 247],
    ['03', '20', '13', 239],
    ['03', '30', '11', 247],
    ['03', '60', '33', 239],
    ['03', '70', '33', 239],
    ['03', '71', '33', 223],
    ['03', '01', '01', 239],
  ] as const)('SCP%s with i = %s may have level %s, and blocks of %i', (scp, i, level, blockSize) => {
    expect(domainOf(scp, i, level, blockSize)).not.toThrow();
    expect(domainOf(scp, i, level, blockSize + 1)).toThrow('securityDomain.blockSize');
  });

  it.each([
    ['02', '15', '11', 'not offered'],
    ['02', '55', '13', 'not offered'],
    ['02', '75', '33', 'not offered'],
    ['03', '10', '11', 'not offered'],
    ['03', '30', '33', 'not offered'],
    ['02', '35', '10', 'securityLevel'],
    ['03', '70', '00', 'securityLevel'],
    ['02', '55', '00', 'securityLevel'],
  ] as const)('SCP%s with i = %s may not have level %s', (scp, i, level, reason) => {
    expect(domainOf(scp, i, level, 100)).toThrow(reason);
  });

  it('names file and field', () => {
    expect(withProfile('"blockSize": 239', '"blockSize": 247')).toThrow(
      'demo.json: securityDomain.blockSize: at most 239 at this level',
    );
  });

  it('refuses two types that are recognised by the same, and names both', () => {
    const twin = { ...JSON.parse(read('profiles/demo-scp03.json')), id: 'twin' };
    const files = [
      { file: 'a.json', content: JSON.parse(read('profiles/demo-scp03.json')) },
      { file: 'b.json', content: twin },
    ];
    expect(() => parseCatalogue(apps, files, DIALECTS)).toThrow(
      'profiles: demo-scp03 and twin are recognised by the same',
    );
  });

  it('refuses a set of version FF that would be replaced by its version', () => {
    const from = read('profiles/demo-scp03.json')
      .replace('"keyVersion": "01"', '"keyVersion": "FF"')
      .replace('"put": "add"', '"put": "replace"');
    expect(() => parseCatalogue(apps, [{ file: 'demo.json', content: JSON.parse(from) }], DIALECTS)).toThrow(
      'issuerKeys.put',
    );
  });

  it('refuses an app with the name under which the store keeps a domain’s keys', () => {
    const [one] = apps as { id: string }[];
    expect(() => parseCatalogue([{ ...one, id: 'isd' }], [], DIALECTS)).toThrow('isd is not an app');
  });

  it('refuses the same app or profile twice', () => {
    const content: unknown = JSON.parse(read('profiles/demo-scp03.json'));
    expect(() =>
      parseCatalogue(
        apps,
        [
          { file: 'a.json', content },
          { file: 'b.json', content },
        ],
        DIALECTS,
      ),
    ).toThrow('profiles: demo-scp03 stands there twice');
    expect(() => parseCatalogue([...(apps as unknown[]), ...(apps as unknown[])], [], DIALECTS)).toThrow(
      'stands there twice',
    );
  });
});

const read = (file: string) => readFileSync(new URL(`../../resources/${file}`, import.meta.url), 'utf8');
const apps: unknown = JSON.parse(read('apps.json'));

/** The issuer's keys of the demo's domain, and what they are diversified by. */
const OWN_KEYS = /"30",\s*"diversification": \{[^}]*\}/;

/** The demo profile with the text `from` replaced everywhere. */
function withProfile(from: string | RegExp, to: string): () => unknown {
  const text = read('profiles/demo-scp03.json').replace(from, to);
  return () => parseCatalogue(apps, [{ file: 'demo.json', content: JSON.parse(text) }], DIALECTS);
}
