/** Every state a clerk can meet, by name. */
import type {
  CardHistory,
  Change,
  FaultView,
  JobState,
  PlanView,
  ResultView,
  StationView,
} from '../../electron/ipc-schema.ts';
import { card, FOREIGN, FRESH, HISTORY, job, MOMENT, ODD, reader, STEPS, station, USED } from './values.ts';

export interface Scene {
  readonly station: StationView;
  /** What the server knows of the card; a fault instead of an answer. */
  readonly history?: CardHistory | FaultView;
  /** The answer to every `job.preview`. */
  readonly plan?: PlanView;
  readonly refuse?: {
    readonly signIn?: FaultView;
    readonly confirm?: FaultView;
    readonly startJob?: FaultView;
  };
  /** Something changes by itself, so many milliseconds after the start. */
  readonly later?: { readonly after: number; readonly change: Change };
}

const fault = (code: FaultView['code'], details: FaultView['details'] = {}): FaultView => ({ code, details });
const NEW = fault('not-found');

const ready = (apps = FRESH, more: Partial<StationView> = {}): StationView =>
  station({ readers: [reader({ kind: 'card', card: card(apps) })], ...more });

const working = (state: JobState, steps = STEPS): StationView =>
  station({ readers: [reader({ kind: 'job', job: 'job-1', card: null })], jobs: [job(state, { steps })] });

const ended = (state: JobState): StationView =>
  station({ readers: [reader({ kind: 'job', job: 'job-1', card: card(USED) })], jobs: [job(state)] });

const COMPLETE: ResultView = {
  result: 'complete',
  apps: [
    { app: 'e-wallet', before: 'installed', after: 'enabled' },
    { app: 'campus-meal', before: 'missing', after: 'enabled' },
  ],
  deleted: [],
};

const PARTIAL: ResultView = {
  result: 'partial',
  apps: [
    { app: 'e-wallet', before: 'installed', after: 'enabled' },
    { app: 'campus-meal', before: 'missing', after: 'missing', error: 'load-failed' },
  ],
  deleted: [],
};

const LANES = [
  'ACS ACR39U ICC Reader 00 00',
  'ACS ACR39U ICC Reader 01 00',
  'Feitian R502 00 00',
  'Feitian R502 01 00',
] as const;

/** The same job a little later: slow enough for the time left to be told. */
const LONG = job({ kind: 'working', writing: true }, { sent: 20 });

const DELETING: PlanView = {
  fits: true,
  steps: [
    { kind: 'enable', app: 'identity' },
    { kind: 'delete', app: 'e-wallet' },
  ],
  memory: { needed: 0, free: 48_256 },
  confirm: ['e-wallet'],
};

const TOO_LARGE: PlanView = {
  fits: false,
  fault: fault('not-enough-memory', { needed: 22_528, free: 9_200, suggestions: ['transit', 'identity'] }),
};

export const SCENES: Readonly<Record<string, Scene>> = {
  live: { station: station({ operator: null }) },
  start: {
    station: station({
      engine: { kind: 'starting' },
      operator: null,
      readers: [],
      server: { state: 'unknown' },
    }),
  },
  'start-failed': {
    station: station({ engine: { kind: 'failed', code: 'station-disk-full' }, operator: null, readers: [] }),
  },
  'sign-in': { station: station({ operator: null }) },
  'sign-in-problems': {
    station: station({
      operator: null,
      service: { kind: 'missing', code: 'pcsc-not-running' },
      readers: [],
      server: { state: 'away', code: 'server-away', lastSeen: MOMENT },
    }),
  },
  'sign-in-one-time': {
    station: station({ operator: null }),
    refuse: { signIn: fault('secret-change-needed') },
  },
  'sign-in-refused': { station: station({ operator: null }), refuse: { signIn: fault('sign-in-failed') } },
  'no-reader': { station: station({ readers: [] }) },
  'service-missing': {
    station: station({ service: { kind: 'missing', code: 'pcsc-refused' }, readers: [] }),
  },
  empty: { station: station() },
  looking: { station: station({ readers: [reader({ kind: 'looking' })] }) },
  'choose-new': { station: ready(), history: NEW },
  'choose-known': { station: ready(USED), history: HISTORY },
  'choose-odd': { station: ready(ODD), history: HISTORY },
  'choose-aside': {
    station: ready(USED),
    history: { ...HISTORY, setAside: { reason: 'key-damaged', app: 'e-wallet' } },
  },
  'choose-unconfirmed': {
    station: ready(USED, { server: { state: 'away', code: 'server-away', lastSeen: MOMENT } }),
    history: fault('server-away'),
  },
  'start-refused': {
    station: ready(USED),
    history: HISTORY,
    refuse: { startJob: fault('card-in-use', { station: '人民路支行 1 号' }) },
  },
  foreign: { station: station({ readers: [reader({ kind: 'card', card: FOREIGN })] }) },
  mute: { station: station({ readers: [reader({ kind: 'problem', code: 'card-mute' })] }) },
  held: { station: station({ readers: [reader({ kind: 'problem', code: 'card-held' })] }) },
  'plan-delete': { station: ready(USED), history: HISTORY, plan: DELETING },
  'plan-too-large': { station: ready(USED), history: HISTORY, plan: TOO_LARGE },
  'confirm-refused': {
    station: ready(USED),
    history: HISTORY,
    plan: DELETING,
    refuse: { confirm: fault('sign-in-failed') },
  },
  'job-preparing': { station: working({ kind: 'working', writing: false }, []) },
  'job-working': { station: working({ kind: 'working', writing: false }) },
  'job-writing': { station: working({ kind: 'working', writing: true }) },
  'job-at-card': { station: working({ kind: 'working', writing: true, atCard: true }) },
  'job-renewing': {
    station: working({ kind: 'working', writing: true }, [
      { kind: 'enable', app: 'identity', state: 'done' },
      { kind: 'renew', app: 'e-wallet', state: 'running' },
    ]),
  },
  'job-long': {
    station: station({
      readers: [reader({ kind: 'job', job: 'job-1', card: null })],
      jobs: [job({ kind: 'working', writing: true }, { sent: 8 })],
    }),
    later: { after: 1_500, change: { kind: 'job', job: LONG } },
  },
  'job-card-pulled': {
    station: station({
      readers: [reader({ kind: 'empty', waiting: 'job-1' })],
      jobs: [job({ kind: 'waiting-for-card', code: 'card-removed' })],
    }),
  },
  'job-server-away': {
    station: station({
      server: { state: 'away', code: 'server-away', lastSeen: MOMENT },
      readers: [reader({ kind: 'job', job: 'job-1', card: null })],
      jobs: [job({ kind: 'waiting-for-server', code: 'server-away', since: MOMENT, cardPresent: true })],
    }),
  },
  'job-disk': { station: working({ kind: 'waiting-for-disk' }) },
  'job-other-card': {
    station: station({
      readers: [
        reader({ kind: 'card', card: card(FRESH, { number: '6217009876543210' }), otherCard: 'job-1' }),
      ],
      jobs: [job({ kind: 'waiting-for-card', code: 'card-removed' })],
    }),
  },
  'job-reader-gone': {
    station: station({ readers: [], jobs: [job({ kind: 'waiting-for-card', code: 'reader-lost' })] }),
  },
  'job-signed-out': {
    station: station({
      operator: null,
      readers: [reader({ kind: 'job', job: 'job-1', card: null })],
      jobs: [job({ kind: 'waiting-for-server', code: 'session-expired', since: MOMENT, cardPresent: true })],
    }),
  },
  'end-complete': { station: ended({ kind: 'done', result: COMPLETE }) },
  'end-partial': { station: ended({ kind: 'done', result: PARTIAL }) },
  'end-refused': {
    station: ended({
      kind: 'done',
      result: { result: 'refused', apps: [], deleted: [], fault: fault('card-tries-low') },
    }),
  },
  'end-failed': { station: ended({ kind: 'failed', fault: fault('account-taken') }) },
  'end-abandoned': { station: ended({ kind: 'abandoned' }) },
  'engine-away': { station: ready(USED, { engine: { kind: 'away' } }), history: HISTORY },
  'wrong-clock': { station: station({ server: { state: 'up', lastSeen: MOMENT, clockAheadMs: 600_000 } }) },
  'lanes-one-empty': {
    station: station({
      readers: [reader({ kind: 'card', card: card(USED) }, LANES[0]), reader({ kind: 'empty' }, LANES[1])],
    }),
    history: HISTORY,
  },
  'lanes-two': {
    station: station({
      readers: [
        reader({ kind: 'card', card: card(FRESH) }, LANES[0]),
        reader({ kind: 'job', job: 'job-1', card: null }, LANES[1]),
      ],
      jobs: [job({ kind: 'working', writing: true }, { reader: LANES[1], card: '6217009876543210' })],
    }),
    history: NEW,
  },
  'lanes-four': {
    station: station({
      readers: [
        reader({ kind: 'card', card: card(USED) }, LANES[0]),
        reader({ kind: 'job', job: 'job-1', card: null }, LANES[1]),
        reader({ kind: 'job', job: 'job-2', card: card(USED, { number: '6217005555444433' }) }, LANES[2]),
        reader({ kind: 'empty' }, LANES[3]),
      ],
      jobs: [
        job({ kind: 'working', writing: true }, { reader: LANES[1], card: '6217009876543210' }),
        job({ kind: 'done', result: COMPLETE }, { id: 'job-2', reader: LANES[2], card: '6217005555444433' }),
      ],
    }),
    history: HISTORY,
  },
};
