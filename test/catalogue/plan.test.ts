/** The planner, told as scenarios: what is on the card, what the customer wants, what will happen in how many trips. */
import { describe, expect, it } from 'vitest';
import type { PlanInput, PlanStep } from '../../app/catalogue/plan.ts';
import { countTrips, estimatedFree, makePlan } from '../../app/catalogue/plan.ts';
import type { CardTypeProfile, Catalogue } from '../../app/catalogue/schema.ts';
import { demoCatalogue } from '../support/station.ts';

describe('what happens, and in how many trips', () => {
  it.each([
    ['one installed app', '+e-wallet', {}, 'enable e-wallet', 5],
    ['two installed apps', '+e-wallet +identity', {}, 'enable e-wallet, enable identity', 9],
    [
      'three installed apps',
      '+e-wallet +identity +transit',
      {},
      'enable e-wallet, enable identity, enable transit',
      13,
    ],
    ['a missing app', '+campus-meal', {}, 'channel +campus-meal, enable campus-meal', 7],
    [
      'a missing app named first, an installed one second: the installed one is enabled first',
      '+campus-meal +e-wallet',
      {},
      'channel +campus-meal, enable e-wallet, enable campus-meal',
      11,
    ],
    [
      'two missing apps over one channel',
      '+campus-meal +transit',
      { transit: 'missing' },
      'channel +campus-meal +transit, enable campus-meal, enable transit',
      11,
    ],
    ['one deletion', '-transit', {}, 'channel -transit', 3],
    ['two deletions over one channel', '-transit -identity', {}, 'channel -transit -identity', 3],
    [
      'a deletion comes last, because it cannot be taken back',
      '-transit +e-wallet',
      {},
      'enable e-wallet, channel -transit',
      6,
    ],
    [
      'load, enable, delete: two channels',
      '-transit +campus-meal +e-wallet',
      {},
      'channel +campus-meal, enable e-wallet, enable campus-meal, channel -transit',
      12,
    ],
    ['what is enabled already', '+e-wallet', { 'e-wallet': 'enabled' }, '', 1],
    ['what is gone already', '-campus-meal', {}, '', 1],
    ['an enabled app is deleted', '-e-wallet', { 'e-wallet': 'enabled' }, 'channel -e-wallet', 3],
  ] as const)('%s', (_name, wishes, on, steps, expected) => {
    const made = plan(wishes, { on });
    expect(told(made)).toBe(steps);
    expect(trips(made)).toBe(expected);
  });

  it('costs 4n + 1, one more a channel, and one more when the job opens with one', () => {
    const rule = profile().apps['e-wallet'];
    if (rule === undefined) throw new Error('no rule');
    const enable = (app: string) => ({ kind: 'enable', app }) as const;
    const content = { kind: 'content', deletes: [], loads: ['x'] } as const;
    for (let n = 1; n <= 5; n += 1) {
      const enables = Array.from({ length: n }, (_, i) => enable(`a${i}`));
      const apps = Object.fromEntries(enables.map(({ app }) => [app, rule]));
      const trips = (...steps: PlanStep[]) => countTrips(steps, { ...profile(), apps });
      expect(trips(...enables)).toBe(4 * n + 1);
      expect(trips(content, ...enables)).toBe(4 * n + 3);
      expect(trips(...enables, content)).toBe(4 * n + 2);
      expect(trips(content, ...enables, content)).toBe(4 * n + 4);
    }
  });

  it('moves the domain’s own keys before anything else, over a channel under each set', () => {
    const cases = [
      ['+e-wallet', 'all', 'own keys, enable e-wallet', 8],
      ['+e-wallet', 'rest', 'own keys, enable e-wallet', 7],
      ['+campus-meal', 'all', 'own keys, channel +campus-meal, enable campus-meal', 9],
      ['-transit', 'all', 'own keys, channel -transit', 5],
      ['-campus-meal', 'all', 'own keys', 4],
    ] as const;
    for (const [wishes, domainKeys, steps, expected] of cases) {
      const made = plan(wishes, { domainKeys });
      expect([told(made), trips(made)]).toEqual([steps, expected]);
      expect('plan' in made && made.plan.opensWith).toBeNull();
    }
  });

  it('opens with the first app to be enabled, never where a channel comes first', () => {
    const opensWith = (wishes: string) => {
      const made = plan(wishes);
      return 'plan' in made ? made.plan.opensWith : 'refused';
    };
    expect(opensWith('+identity -transit')).toBe('identity');
    expect(opensWith('+campus-meal +identity')).toBeNull();
    expect(opensWith('-transit')).toBeNull();
    expect(opensWith('-campus-meal')).toBeNull();
  });
});

describe('memory', () => {
  // campus-meal needs 20,480 + 2,048; 1,024 are never planned away.
  const need = 22_528;
  it.each([
    ['fits exactly', '+campus-meal', need + 1024, 'channel +campus-meal, enable campus-meal'],
    ['is short by one byte', '+campus-meal', need + 1023, 'not-enough-memory'],
    [
      'is short, and a deletion that was wished for makes room: it comes first',
      '+campus-meal -e-wallet',
      need + 1024 - 14_336,
      'channel -e-wallet +campus-meal, enable campus-meal',
    ],
    [
      'is short in spite of the deletion',
      '+campus-meal -e-wallet',
      need + 1023 - 14_336,
      'not-enough-memory',
    ],
    ['is not said by the card', '+campus-meal', null, 'channel +campus-meal, enable campus-meal'],
  ] as const)('%s', (_name, wishes, free, steps) => {
    expect(told(plan(wishes, { free }))).toBe(steps);
  });

  it('of a card that does not say is what its type has, less what is on it', () => {
    const type = { ...profile(), memory: { nonVolatile: 60_000 } };
    const on = (state: Record<string, State>) =>
      Object.entries(state).map(([app, one]) => ({ app, state: one }));
    expect(estimatedFree(catalogue, profile(), on(DELIVERED))).toBeNull();
    // e-wallet 12,288, identity 5,120 and transit 8,192, with 2,048 for each instance.
    expect(estimatedFree(catalogue, type, on(DELIVERED))).toBe(60_000 - 31_744);
    expect(estimatedFree(catalogue, type, on({ 'campus-meal': 'enabled' }))).toBe(60_000 - need);
  });

  it('names what could be deleted: what is on the card and not spoken of', () => {
    const made = plan('+campus-meal -transit', { free: 2_000, on: { identity: 'enabled' } });
    expect(made).toEqual({
      refusal: {
        code: 'not-enough-memory',
        details: { needed: need, free: 976, suggestions: ['e-wallet', 'identity'] },
      },
    });
  });

  it('counts a package that a torn load may have left as room, and removes it where it is wished gone', () => {
    const tight = { free: 1024 + need - 20_480, leftovers: ['campus-meal'] };
    expect(told(plan('+campus-meal', tight))).toBe('channel +campus-meal, enable campus-meal');
    expect(told(plan('-campus-meal', tight))).toBe('channel -campus-meal');
    // What is not certainly there frees nothing that a deletion could count on.
    expect(told(plan('+transit -campus-meal', { free: 0, on: { transit: 'missing' }, leftovers: [] }))).toBe(
      'not-enough-memory',
    );
  });
});

describe('refusals', () => {
  it.each([
    ['an app nobody offers', '+lottery', 'app-not-in-catalogue'],
    ['a name that every object has', '+constructor', 'app-not-in-catalogue'],
    ['one app twice', '+e-wallet -e-wallet', 'bad-request'],
  ] as const)('%s', (_name, wishes, code) => {
    expect(told(plan(wishes))).toBe(code);
  });

  it('an app that this card type has no rule for', () => {
    const { transit: _transit, ...apps } = profile().apps;
    expect(told(plan('+transit', { profile: { ...profile(), apps } }))).toBe('app-not-for-this-card');
  });

  it('an app without a package, and any load or deletion on a card without a security domain', () => {
    const bare: Catalogue = {
      ...catalogue,
      apps: catalogue.apps.map(({ package: _package, ...app }) => app),
    };
    expect(told(plan('+campus-meal', { catalogue: bare }))).toBe('app-cannot-be-loaded');
    expect(told(plan('+e-wallet', { catalogue: bare }))).toBe('enable e-wallet');
    const { securityDomain: _domain, ...closed } = profile();
    expect(told(plan('+campus-meal', { profile: closed }))).toBe('app-cannot-be-loaded');
    expect(told(plan('-transit', { profile: closed }))).toBe('app-cannot-be-loaded');
    expect(told(plan('+e-wallet', { profile: closed }))).toBe('enable e-wallet');
  });
});

describe('many large loads', () => {
  it('are spread over as many channels as batches of 400 commands need', () => {
    const large = Array.from({ length: 4 }, (_, i) => `large-${i}`);
    const [first] = catalogue.apps;
    const rule = profile().apps['e-wallet'];
    if (first === undefined || rule === undefined) throw new Error('no demo apps');
    const many: Catalogue = {
      ...catalogue,
      apps: large.map((id) => ({ ...first, id, memory: { load: 40_000, instance: 2048 } })),
    };
    const made = makePlan({
      catalogue: many,
      profile: { ...profile(), apps: Object.fromEntries(large.map((id) => [id, rule])) },
      free: null,
      observed: large.map((app) => ({ app, state: 'missing' })),
      wishes: large.map((app) => ({ app, action: 'enable' })),
    });
    // 168 LOAD commands each: two in a batch.
    expect(told(made)).toBe(
      `channel +large-0 +large-1, channel +large-2 +large-3, ${large.map((app) => `enable ${app}`).join(', ')}`,
    );
    expect(trips(made)).toBe(4 * 4 + 1 + 2 + 1);
  });
});

const catalogue = demoCatalogue();

const profile = (id = 'demo-scp03'): CardTypeProfile => {
  const found = catalogue.profiles.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no profile ${id}`);
  return found;
};

type State = 'enabled' | 'installed' | 'missing';

const DELIVERED: Record<string, State> = {
  'e-wallet': 'installed',
  identity: 'installed',
  'campus-meal': 'missing',
  transit: 'installed',
};

/** `+app` enables, `-app` deletes. */
function plan(
  wishes: string,
  more: Partial<Omit<PlanInput, 'observed'>> & { on?: Record<string, State> } = {},
) {
  const { on = {}, ...input } = more;
  return makePlan({
    catalogue,
    profile: profile(),
    free: 80_000,
    observed: Object.entries({ ...DELIVERED, ...on }).map(([app, state]) => ({ app, state })),
    wishes: wishes
      .split(' ')
      .map((wish) => ({ app: wish.slice(1), action: wish.startsWith('+') ? 'enable' : 'delete' })),
    ...input,
  });
}

/** `open channel: -a +b` for a content step, `enable a`. */
function told(made: ReturnType<typeof plan>): string {
  if ('refusal' in made) return made.refusal.code;
  return made.plan.steps
    .map((step) => {
      if (step.kind === 'enable' || step.kind === 'renew') return `${step.kind} ${step.app}`;
      if (step.kind === 'domain-keys') return 'own keys';
      return `channel ${[...step.deletes.map((app) => `-${app}`), ...step.loads.map((app) => `+${app}`)].join(' ')}`;
    })
    .join(', ');
}

const trips = (made: ReturnType<typeof plan>) => ('plan' in made ? made.plan.trips : undefined);
