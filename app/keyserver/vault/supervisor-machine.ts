/**
 * When a vault process is started, replaced and ended: what each event makes of the state, and what is to be done about it. Pure;
 * supervisor.ts does the effects.
 */
import { VaultError } from './error.ts';
import type { Opened } from './messages.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A process that lived this long was healthy: its end is not counted together with failures before it. */
const HEALTHY_MS = 10_000;
/** Between two fruitless attempts to replace a process that still serves. */
const REPLACE_PAUSE_MS = 60_000;
/** So that a bound below what a fresh process needs does not make each one be replaced at once. */
const FEWEST_CALLS = 100;

/** A process that was started. `id` tells it from all others; `pid` is for the log. */
export interface VaultProcess {
  readonly id: number;
  readonly pid: number | undefined;
}

/** What happens to vault processes, for the log. */
export type VaultEvent =
  | { readonly kind: 'started'; readonly pid: number | undefined; readonly token: string }
  | { readonly kind: 'ended'; readonly pid: number | undefined; readonly reason: string }
  | { readonly kind: 'start-failed'; readonly reason: string; readonly nextMs: number }
  | { readonly kind: 'replaced'; readonly pid: number | undefined; readonly by: number | undefined };

/** When a process has grown so much that it is replaced. */
export interface GrowthLimits {
  /** Calls: each derived and destroyed key leaves some 250 bytes in SoftHSM. */
  readonly recycleCalls: number;
  /** Resident memory, in bytes. */
  readonly recycleRss: number;
}

/**
 * `failures`: fruitless starts in a row, which make the pauses longer. At most one process is being started at a time: in
 * `starting` it is the next to serve, in `serving` with `replacing` the successor.
 */
export type SupervisorState =
  | { readonly phase: 'starting'; readonly failures: number }
  | { readonly phase: 'pausing'; readonly failures: number }
  | {
      readonly phase: 'serving';
      readonly process: VaultProcess;
      readonly since: number;
      readonly failures: number;
      readonly replacing: boolean;
      /** No attempt to replace it before this time. */
      readonly replaceAfter: number;
    }
  | { readonly phase: 'closed' };

/** `at`: a monotonic clock, in milliseconds. */
export type SupervisorEvent =
  /** The process that was being started has opened its token, or says why not. */
  | { readonly kind: 'opened'; readonly process: VaultProcess; readonly opened: Opened; readonly at: number }
  /** It is gone before it said anything. */
  | { readonly kind: 'start-failed'; readonly error: VaultError; readonly at: number }
  | {
      readonly kind: 'answered';
      readonly process: VaultProcess;
      readonly calls: number;
      readonly rss: number;
      readonly at: number;
    }
  | { readonly kind: 'ended'; readonly process: VaultProcess; readonly reason: string; readonly at: number }
  | { readonly kind: 'pause-over' }
  | { readonly kind: 'close' };

export type SupervisorEffect =
  | { readonly kind: 'launch' }
  | { readonly kind: 'pause'; readonly ms: number }
  /** Let a process end when it has answered what it was asked. */
  | { readonly kind: 'dismiss'; readonly process: VaultProcess }
  /** Calls can be sent. */
  | { readonly kind: 'ready' }
  /** There will be no process for a while: calls that wait are to be told so. */
  | { readonly kind: 'away'; readonly error: VaultError }
  | { readonly kind: 'tell'; readonly event: VaultEvent };

/** A state, and what is to be done on the way into it. */
interface Step {
  readonly state: SupervisorState;
  readonly effects: readonly SupervisorEffect[];
}

/** The state in which a process begins to serve. */
export function serving(process: VaultProcess, at: number, failures = 0): SupervisorState {
  return { phase: 'serving', process, since: at, failures, replacing: false, replaceAfter: 0 };
}

/** What an event makes of a state. */
export function supervise(state: SupervisorState, event: SupervisorEvent, limits: GrowthLimits): Step {
  switch (event.kind) {
    case 'opened':
      return opened(state, event);
    case 'start-failed':
      return startFailed(state, event);
    case 'answered':
      return answered(state, event, limits);
    case 'ended':
      return ended(state, event);
    case 'pause-over':
      return state.phase === 'pausing'
        ? { state: { phase: 'starting', failures: state.failures }, effects: [{ kind: 'launch' }] }
        : stay(state);
    case 'close':
      return stay({ phase: 'closed' });
  }
}

function stay(state: SupervisorState): Step {
  return { state, effects: [] };
}

type Of<Kind extends SupervisorEvent['kind']> = Extract<SupervisorEvent, { kind: Kind }>;

function opened(state: SupervisorState, { process, opened: token, at }: Of<'opened'>): Step {
  switch (state.phase) {
    case 'starting':
      // Also with a token that is away: calls then say so, and the process opens it when it comes back.
      return { state: serving(process, at, state.failures), effects: [{ kind: 'ready' }] };
    case 'serving':
      return token.token === 'open' ? replaced(state, process, at) : kept(state, process, token, at);
    case 'pausing':
    case 'closed':
      return { state, effects: [{ kind: 'dismiss', process }] };
  }
}

type Serving = Extract<SupervisorState, { phase: 'serving' }>;

/** The successor is ready before the old process gets no more calls. */
function replaced(state: Serving, by: VaultProcess, at: number): Step {
  return {
    state: serving(by, at, state.failures),
    effects: [
      { kind: 'ready' },
      { kind: 'tell', event: { kind: 'replaced', pid: state.process.pid, by: by.pid } },
      { kind: 'dismiss', process: state.process },
    ],
  };
}

/** The old process still serves, the new one could not. A PIN that is refused is not tried again, because tokens lock. */
function kept(state: Serving, process: VaultProcess, token: Opened, at: number): Step {
  const nextMs = token.token === 'pin-refused' ? Number.POSITIVE_INFINITY : REPLACE_PAUSE_MS;
  return {
    state: { ...state, replacing: false, replaceAfter: at + nextMs },
    effects: [
      { kind: 'tell', event: { kind: 'start-failed', reason: token.message, nextMs } },
      { kind: 'dismiss', process },
    ],
  };
}

function startFailed(state: SupervisorState, { error, at }: Of<'start-failed'>): Step {
  switch (state.phase) {
    case 'starting':
      return again(state.failures, error);
    case 'serving':
      return stay({ ...state, replacing: false, replaceAfter: at + REPLACE_PAUSE_MS });
    case 'pausing':
    case 'closed':
      return stay(state);
  }
}

function answered(
  state: SupervisorState,
  { process, calls, rss, at }: Of<'answered'>,
  limits: GrowthLimits,
): Step {
  if (state.phase !== 'serving' || state.process.id !== process.id) return stay(state);
  const well = { ...state, failures: 0 };
  const grown = calls >= limits.recycleCalls || (calls >= FEWEST_CALLS && rss > limits.recycleRss);
  if (!grown || state.replacing || at < state.replaceAfter) return stay(well);
  return { state: { ...well, replacing: true }, effects: [{ kind: 'launch' }] };
}

function ended(state: SupervisorState, { process, reason, at }: Of<'ended'>): Step {
  if (state.phase !== 'serving' || state.process.id !== process.id) return stay(state);
  const failures = at - state.since > HEALTHY_MS ? 0 : state.failures;
  const told: SupervisorEffect = { kind: 'tell', event: { kind: 'ended', pid: process.pid, reason } };
  // The successor is on its way already, and serves when it is there.
  if (state.replacing) return { state: { phase: 'starting', failures: failures + 1 }, effects: [told] };
  const next = again(failures, new VaultError('hsm-away', `the vault process ended (${reason})`));
  return { state: next.state, effects: [told, ...next.effects] };
}

/**
 * At once after the first failure, then with a pause that doubles, so that a fruitless start is not repeated for every call and a
 * process that is killed by what it loads does not spin. Never gives up: the token may come back.
 */
function again(failures: number, error: VaultError): Step {
  if (failures === 0) return { state: { phase: 'starting', failures: 1 }, effects: [{ kind: 'launch' }] };
  const ms = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 16), LONGEST_PAUSE_MS);
  return {
    state: { phase: 'pausing', failures: failures + 1 },
    effects: [
      { kind: 'tell', event: { kind: 'start-failed', reason: error.message, nextMs: ms } },
      { kind: 'pause', ms },
      { kind: 'away', error },
    ],
  };
}
