/** What a station takes from a server and what it refuses, rule by rule. That it takes all that an honest server sends: test/support/honest-replies.ts. */
import { describe, expect, it } from 'vitest';
import { domainKinds } from '../../../../app/catalogue/domain-commands.ts';
import type { JobRequest, Outcome, StepName } from '../../../../app/protocol/wire.ts';
import { checkBatch } from '../../../../app/station/jobs/machine/check-batch.ts';
import { checkOutcome, checkPlan } from '../../../../app/station/jobs/machine/check-outcome.ts';
import { rulesFor } from '../../../../app/station/jobs/machine/rules.ts';
import type { Watch } from '../../../../app/station/jobs/machine/watch.ts';
import { afterReset, ranBatch, sending, watching } from '../../../../app/station/jobs/machine/watch.ts';
import { type Batch, type Command, demoCatalogue, newJobRequest } from '../../../support/stations.ts';

describe('a batch of an honest job', () => {
  it.each<readonly [string, Batch]>([
    ['authentication on the challenge of the opening', batch(AUTHENTICATE, CHALLENGE)],
    ['a key write on the challenge before', batch(MAINTENANCE_KEY, CHALLENGE)],
    ['the other key', batch(MASTER_KEY, CHALLENGE)],
    [
      'the flag, and the next app’s beginning',
      batch(FLAG, SELECT_IDENTITY, command('0084000004', 'challenge', { app: 'identity' })),
    ],
    [
      'a load of 60 KB',
      batch(
        DOMAIN,
        OPEN,
        CHANNEL,
        REMOVE,
        ANNOUNCE,
        ...Array.from({ length: 256 }, () => BLOCK),
        INSTALL,
        SELECT,
        CHALLENGE,
      ),
    ],
    ['a channel that is opened again', batch(DOMAIN, OPEN, CHANNEL, REMOVE, DOMAIN, OPEN)],
    ['showing again who it is', batch(DOMAIN, command('80CA004500', 'identify-card'), SELECT, CHALLENGE)],
  ])('%s', (_what, one) => expect(checkBatch(one, fresh, rules)).toBeUndefined());
});

describe('refused is', () => {
  it.each<readonly [string, Command[], string, number]>([
    [
      'a batch that locks three apps, said to be reading',
      [SELECT, { ...AUTHENTICATE, effect: undefined, label: { step: 'read-state', app: 'e-wallet' } }],
      'label-says-otherwise',
      1,
    ],
    [
      'an authentication that is not marked',
      [{ ...AUTHENTICATE, effect: undefined }],
      'effect-not-marked',
      0,
    ],
    ['a second authentication', [AUTHENTICATE, CHALLENGE, AUTHENTICATE], 'second-authentication', 2],
    [
      'one to another app',
      [
        AUTHENTICATE,
        SELECT_IDENTITY,
        command('00820000080011223344556677', 'authenticate', { app: 'identity', ...EFFECT }),
      ],
      'second-authentication',
      2,
    ],
    ['two key writes', [MAINTENANCE_KEY, CHALLENGE, MASTER_KEY], 'second-authentication', 2],
    ['two wrong MACs', [FLAG, CHALLENGE, FLAG], 'second-authentication', 2],
    [
      'a second channel’s authentication',
      [DOMAIN, OPEN, CHANNEL, DOMAIN, OPEN, CHANNEL],
      'second-authentication',
      5,
    ],
    ['a third channel begun', [DOMAIN, OPEN, DOMAIN, OPEN, DOMAIN, OPEN], 'too-many-openings', 5],
    [
      'an authentication that may fail',
      [{ ...AUTHENTICATE, accept: ['90', '63'] }],
      'goes-on-after-failure',
      0,
    ],
    [
      'an authentication to who knows whom',
      [{ ...SELECT, accept: ['9000', '6A82'] }, AUTHENTICATE],
      'not-a-command-of-this-card',
      1,
    ],
    [
      'a label for another app',
      [{ ...CHALLENGE, label: { step: 'challenge', app: 'identity' } }],
      'label-says-otherwise',
      0,
    ],
    ['a challenge of 8 bytes', [command('0084000008', 'challenge', WALLET)], 'not-a-command-of-this-card', 0],
    [
      'VERIFY',
      [command('00200000021234', 'authenticate', { ...WALLET, ...EFFECT })],
      'not-a-command-of-this-card',
      0,
    ],
    [
      'a key in clear',
      [command(`80D4010015${'00'.repeat(21)}`, 'write-master-control-key', { ...WALLET, ...EFFECT })],
      'not-a-command-of-this-card',
      0,
    ],
    [
      'APPLICATION BLOCK',
      [command('841E00000400000000', 'write-enabled-flag', { ...WALLET, ...EFFECT })],
      'not-a-command-of-this-card',
      0,
    ],
    [
      'another file than the public one',
      [command(`04D696081A${'00'.repeat(26)}`, 'write-enabled-flag', { ...WALLET, ...EFFECT })],
      'not-a-command-of-this-card',
      0,
    ],
    [
      'another logical channel',
      [command('01A4040009F04B41494B4101000100', 'select-app', WALLET)],
      'not-a-command-of-this-card',
      0,
    ],
    [
      'an AID that nobody knows',
      [command('00A4040007A000000004101000', 'select-app', WALLET)],
      'not-a-command-of-this-card',
      0,
    ],
    [
      'bytes that are no command',
      [command('0084000010AA', 'challenge', WALLET)],
      'not-a-command-of-this-card',
      0,
    ],
    [
      'ending the card',
      [DOMAIN, OPEN, CHANNEL, command('84F080FF00', 'secure-card', EFFECT)],
      'not-a-command-of-this-card',
      3,
    ],
    [
      'locking the card',
      [DOMAIN, OPEN, CHANNEL, command('84F0807F00', 'secure-card', EFFECT)],
      'not-a-command-of-this-card',
      3,
    ],

    [
      'a deletion that nobody wished',
      [
        DOMAIN,
        OPEN,
        CHANNEL,
        content('84E40080100011223344556677001122334455667700', 'delete-app', 'identity'),
      ],
      'for-no-wish',
      3,
    ],
    [
      'one that is called something else',
      [DOMAIN, OPEN, CHANNEL, content('84E40080100011223344556677001122334455667700', 'remove-package')],
      'label-says-otherwise',
      3,
    ],
    [
      'a load that nobody wished',
      [DOMAIN, OPEN, CHANNEL, { ...ANNOUNCE, label: { step: 'announce-load', app: 'transit' } }],
      'for-no-wish',
      3,
    ],
    ['a change without its channel', [DOMAIN, REMOVE], 'outside-a-channel', 1],
    [
      'a change behind another channel’s beginning',
      [DOMAIN, OPEN, CHANNEL, DOMAIN, OPEN, REMOVE],
      'outside-a-channel',
      5,
    ],
  ])('%s', (_what, commands, rule, index) => {
    const given = batch(...commands.map(({ effect, ...rest }) => (effect ? { ...rest, effect } : rest)));
    expect(checkBatch(given, fresh, rules)).toEqual({ code: 'server-reply-refused', rule, index });
  });

  it('keys for a card type that gets none', () => {
    const putKey = { cla: 0x84, ins: 0xd8, p1: 0x01, p2: 0x81 };
    const domain = demoCatalogue().profiles.find(({ id }) => id === 'demo-scp03')?.securityDomain;
    if (domain?.issuerKeys === undefined) throw new Error('the demo card gets keys');
    expect(domainKinds(domain)(putKey)?.kind).toBe('change');
    expect(domainKinds({ ...domain, issuerKeys: undefined })(putKey)).toBeUndefined();
  });

  it('anything but SELECT after a reset', () => {
    expect(checkBatch(batch(AUTHENTICATE), afterReset(fresh), rules)?.rule).toBe(
      'not-a-command-of-this-card',
    );
    expect(checkBatch(batch(SELECT, CHALLENGE), afterReset(fresh), rules)).toBeUndefined();
  });

  it('anything for a card that the catalogue does not know', () => {
    const unknown = rulesFor(demoCatalogue(), { ...asked, card: { atr: '3B00' } }, CARD);
    expect(checkBatch(batch(SELECT), watching(unknown, {}, false), unknown)?.rule).toBe(
      'not-a-command-of-this-card',
    );
  });

  it('more batches, bytes or attempts than any job needs', () => {
    const { most } = rules;
    expect(checkBatch(batch(SELECT), { ...fresh, batches: most.batches }, rules)?.rule).toBe(
      'too-many-batches',
    );
    expect(checkBatch(batch(SELECT), { ...fresh, bytes: most.bytes }, rules)?.rule).toBe('too-many-bytes');
    const attempts = { 'e-wallet/mck': most.attempts };
    expect(checkBatch(batch(AUTHENTICATE), { ...fresh, attempts }, rules)?.rule).toBe('too-many-attempts');
  });
});

describe('tries', () => {
  const answered = (watch: Watch, one: Command, ...answers: string[]) => {
    const given = batch(one);
    return ranBatch(sending(watch, given, rules), given, { answers }, rules);
  };

  it('are counted by what the card answers; the last one is never sent', () => {
    const once = answered(fresh, AUTHENTICATE, '63C2');
    expect(once.lost).toEqual({ 'e-wallet/mck': 1 });
    expect(checkBatch(batch(AUTHENTICATE), once, rules)).toBeUndefined();
    const twice = answered(once, AUTHENTICATE, '63C1');
    expect(checkBatch(batch(AUTHENTICATE), twice, rules)).toEqual({
      code: 'last-try-kept',
      rule: 'last-try',
      index: 0,
    });
    // The key writes' MACs are under the same key.
    expect(checkBatch(batch(MASTER_KEY), twice, rules)?.code).toBe('last-try-kept');
    expect(checkBatch(batch(FLAG), twice, rules)).toBeUndefined();
  });

  it('come back with a success', () => {
    const once = answered(fresh, AUTHENTICATE, '63C1');
    expect(answered({ ...once, lost: { 'e-wallet/mck': 1 } }, AUTHENTICATE, '9000').lost).toEqual({
      'e-wallet/mck': 0,
    });
  });

  it('of the file’s key go with each wrong MAC', () => {
    const twice = answered(answered(fresh, FLAG, '9302'), FLAG, '6988');
    expect(checkBatch(batch(FLAG), twice, rules)?.code).toBe('last-try-kept');
  });

  it('of a channel likewise', () => {
    let watch = { ...fresh, selected: 'isd' };
    for (let wrong = 0; wrong < 9; wrong += 1) {
      expect(checkBatch(batch(CHANNEL), watch, rules)).toBeUndefined();
      watch = { ...answered(watch, CHANNEL, '6300'), selected: 'isd' };
    }
    expect(checkBatch(batch(CHANNEL), watch, rules)?.code).toBe('last-try-kept');
  });

  it('are not spent by what says nothing of the key', () => {
    expect(answered(fresh, AUTHENTICATE, '6985').lost).toEqual({});
    expect(answered(fresh, AUTHENTICATE).lost).toEqual({});
  });

  it('may be used up at a station that is set up for it', () => {
    const supervisor = rulesFor(demoCatalogue(), asked, CARD, true);
    const watch = { ...fresh, lost: { 'e-wallet/mck': 2 } };
    expect(checkBatch(batch(AUTHENTICATE), watch, supervisor)).toBeUndefined();
    expect(checkBatch(batch(AUTHENTICATE), { ...watch, lost: { 'e-wallet/mck': 3 } }, supervisor)?.code).toBe(
      'last-try-kept',
    );
  });
});

describe('an outcome', () => {
  const acted: Watch = { ...fresh, worked: ['e-wallet', 'campus-meal'] };
  const app = (id: string) =>
    ({ app: id, before: 'installed', after: 'enabled', keyVersions: { mck: 1, mtk: 1 } }) as const;
  const complete: Outcome = {
    result: 'complete',
    card: CARD,
    apps: [app('e-wallet'), app('campus-meal')],
    deleted: [],
    trips: 5,
    plannedTrips: 5,
  };

  it('of this card and these wishes is taken, one of renewed apps too', () => {
    expect(checkOutcome(complete, acted, rules)).toBeUndefined();
    expect(
      checkOutcome({ ...complete, apps: [...complete.apps, app('transit')] }, acted, rules),
    ).toBeUndefined();
  });

  it.each<readonly [string, Partial<Outcome>]>([
    ['another card', { card: '6200000000000099' }],
    ['an app that nobody asked for', { apps: [...complete.apps, app('identity')] }],
    ['an app twice', { apps: [...complete.apps, app('e-wallet')] }],
    ['a wish that is not told of', { apps: [app('e-wallet')] }],
    ['a deletion that nobody wished', { deleted: ['transit'] }],
    [
      'all done, with an app that is not',
      { apps: [app('e-wallet'), { ...app('campus-meal'), after: 'installed' }] },
    ],
    ['all done, with an error', { error: 'load-failed' }],
  ])('of %s is refused', (_what, change) => {
    expect(checkOutcome({ ...complete, ...change }, acted, rules)?.rule).toBe('outcome');
  });

  it('that tells of work is refused where the card took none', () => {
    expect(checkOutcome(complete, fresh, rules)?.rule).toBe('outcome');
    expect(checkOutcome(complete, { ...fresh, worked: ['e-wallet'] }, rules)?.rule).toBe('outcome');
    // What an earlier run of the program sent is not known.
    expect(checkOutcome(complete, watching(rules, {}, true), rules)).toBeUndefined();
  });
});

it.each<readonly [string, Parameters<typeof checkPlan>[0]['steps'], number]>([
  ['to enable what nobody wished', [{ kind: 'enable', app: 'identity' }], 5],
  ['to delete what nobody wished', [{ kind: 'delete', app: 'e-wallet' }], 5],
  ['to renew what is not enabled', [{ kind: 'renew', app: 'identity' }], 5],
  ['without end', [], 10_000],
])('a plan %s is refused', (_what, steps, trips) => {
  const memory = { needed: 0, free: null };
  expect(checkPlan({ steps, trips, memory }, rules)?.rule).toBe('plan');
  expect(
    checkPlan(
      {
        steps: [
          { kind: 'load', app: 'campus-meal' },
          { kind: 'renew', app: 'transit' },
        ],
        trips: 9,
        memory,
      },
      rules,
    ),
  ).toBeUndefined();
});

const CARD = '6200000000000001';

const asked: JobRequest = {
  ...newJobRequest(),
  observed: [
    { app: 'e-wallet', state: 'installed' },
    { app: 'identity', state: 'installed' },
    { app: 'campus-meal', state: 'missing' },
    { app: 'transit', state: 'enabled' },
  ],
  wishes: [
    { app: 'e-wallet', action: 'enable' },
    { app: 'campus-meal', action: 'enable' },
  ],
};

const rules = rulesFor(demoCatalogue(), asked, CARD);
const fresh = watching(rules, {}, false);

type More = Partial<Pick<Command, 'accept' | 'effect'>> & { readonly app?: string };

const command = (apdu: string, step: StepName, { app, ...more }: More = {}): Command => ({
  apdu,
  accept: ['9000'],
  label: app === undefined ? { step } : { step, app },
  ...more,
});

const batch = (...commands: Command[]): Batch => ({ seq: 1, cardEpoch: 0, commands });
const EFFECT = { effect: true } as const;
const WALLET = { app: 'e-wallet' };
const SELECT = command('00A4040009F04B41494B4101000100', 'select-app', WALLET);
const SELECT_IDENTITY = command('00A4040009F04B41494B4102000100', 'select-app', { app: 'identity' });
const CHALLENGE = command('0084000004', 'challenge', WALLET);
const AUTHENTICATE = command('00820000080011223344556677', 'authenticate', { ...WALLET, ...EFFECT });

const MASTER_KEY = command(`84D439001C${'00'.repeat(28)}`, 'write-master-control-key', {
  ...WALLET,
  ...EFFECT,
});

const MAINTENANCE_KEY = command(`84D436001C${'00'.repeat(28)}`, 'write-maintenance-key', {
  ...WALLET,
  ...EFFECT,
});

const FLAG = command(`04D695081A${'00'.repeat(26)}`, 'write-enabled-flag', { ...WALLET, ...EFFECT });
const DOMAIN = command('00A4040008A00000015100000000', 'select-security-domain');
const OPEN = command('8050000008001122334455667700', 'open-secure-channel');
const CHANNEL = command(`8482030010${'00'.repeat(16)}`, 'authenticate-secure-channel', EFFECT);

const content = (apdu: string, step: StepName, app = 'campus-meal') =>
  command(apdu, step, { app, ...EFFECT });

const REMOVE = content('84E40000100011223344556677001122334455667700', 'remove-package');
const ANNOUNCE = content('84E60200100011223344556677001122334455667700', 'announce-load');
const BLOCK = content(`84E80000F7${'00'.repeat(247)}00`, 'load-block');
const INSTALL = content('84E60C00100011223344556677001122334455667700', 'install-app');
