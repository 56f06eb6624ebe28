/** What the station shows, kept up to date: the snapshot, what changed since, and the meters of its jobs. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Bridge } from '../../electron/ipc-schema/bridge.ts';
import type { CardView, FaultView, Notification, Settings, StartView } from '../../electron/ipc-schema.ts';
import { applied } from './changes.ts';
import { type Meter, metered } from './meter.ts';
import { seenCards } from './seen.ts';

export interface StationState {
  /** Null until the first snapshot is there. */
  readonly view: StartView | null;
  /** Why there is no snapshot. */
  readonly fault: FaultView | null;
  /** By job id. */
  readonly meters: Readonly<Record<string, Meter>>;
  /** Cards as they were last read, by number: while a job runs its reader shows none. */
  readonly seen: Readonly<Record<string, CardView>>;
  /** The server ended the last session, and the sign-in form says so; false again when somebody has signed in. */
  readonly expired: boolean;
}

export interface StationStore extends StoreApi<StationState> {
  /** Listens and asks for the snapshot. Gives the function that ends it. */
  open(): () => void;
  /** Asks for the snapshot again. */
  ask(): void;
  changeSettings(change: Partial<Settings>): void;
  /** The server said that the session is over: somebody has to sign in, and is told why. */
  sessionOver(): void;
}

/** `now`: milliseconds of a clock that does not jump. */
export function createStationStore(bridge: Bridge, now: () => number): StationStore {
  const store = createStore<StationState>(() => ({
    view: null,
    fault: null,
    meters: {},
    seen: {},
    expired: false,
  }));
  let asking = false;
  /** What came while the snapshot was on its way. */
  let early: Notification[] = [];

  const ask = async () => {
    asking = true;
    const answer = await bridge.shell.start({});
    asking = false;
    if (!answer.ok) {
      store.setState({ fault: { code: answer.code, details: answer.details } });
      return;
    }
    show(answer.value);
    const waiting = early;
    early = [];
    for (const notification of waiting) take(notification);
  };

  const take = (notification: Notification) => {
    const { view } = store.getState();
    if (asking || view === null) {
      early.push(notification);
      return;
    }
    const after = applied(view, notification);
    if (after === 'missed') void ask();
    else if (after !== view) show(after);
  };

  const show = (view: StartView) => {
    const { meters, seen, view: before, expired } = store.getState();
    store.setState({
      view,
      fault: null,
      meters: metersOf(view, before, meters, now()),
      seen: seenCards(seen, view.station),
      expired: expired && (view.station.operator === null || before?.station.operator !== null),
    });
  };

  return {
    ...store,
    open() {
      const end = bridge.onNotification(take);
      void ask();
      return end;
    },
    ask: () => void ask(),
    sessionOver() {
      store.setState({ expired: true });
      void bridge.session.signOut({});
    },
    changeSettings(change) {
      const { view } = store.getState();
      // Shown at once, without waiting; main's notification then says the same.
      if (view !== null) store.setState({ view: { ...view, settings: { ...view.settings, ...change } } });
      void bridge.shell.changeSettings(change);
    },
  };
}

function metersOf(
  view: StartView,
  before: StartView | null,
  meters: Readonly<Record<string, Meter>>,
  now: number,
): Readonly<Record<string, Meter>> {
  const { jobs } = view.station;
  if (before?.station.jobs === jobs) return meters;
  return Object.fromEntries(
    jobs.map((job) => {
      const known = meters[job.id];
      const same = known !== undefined && before?.station.jobs.includes(job) === true;
      return [job.id, same ? known : metered(known, job, view.catalogue, now)];
    }),
  );
}
