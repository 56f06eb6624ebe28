/** Which keys one name stands for, also after a rule has left the card types while cards still have keys of it. */
import { describe, expect, it } from 'vitest';
import { purposesOf } from '../../../app/keyserver/keys/groups.ts';
import { OWN_RESOURCES, openCatalogue } from '../../../app/keyserver/resources.ts';

const catalogue = openCatalogue(OWN_RESOURCES);

describe('a name', () => {
  it.each([
    ['app/e-wallet', catalogue, KEPT, ['app/e-wallet/mck', 'app/e-wallet/mtk']],
    ['app/e-wallet/old', catalogue, KEPT, ['app/e-wallet/old']],
    ['app/e-wallet', bare, KEPT, ['app/e-wallet/mck', 'app/e-wallet/mtk', 'app/e-wallet/old']],
    ['app/e-wallet/mtk', bare, KEPT, ['app/e-wallet/mtk']],
  ] as const)('%s', (name, one, kept, purposes) => {
    expect(purposesOf(one, name, kept)).toEqual(purposes);
  });

  it.each([
    ['app/e-wallet/old', catalogue],
    ['app/e-wallet', bare],
    ['app/lottery', catalogue],
  ] as const)('%s is none where nothing has keys of it', (name, one) => {
    expect(() => purposesOf(one, name)).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });
});

const bare = { ...catalogue, profiles: catalogue.profiles.map((profile) => ({ ...profile, apps: {} })) };
const KEPT = ['app/e-wallet/mtk', 'app/e-wallet/mck', 'app/e-wallet/mck', 'app/e-wallet/old'];
