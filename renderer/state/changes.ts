/** The snapshot and what changed since. Pure. */
import type { Change, Notification, StartView, StationView } from '../../electron/ipc-schema.ts';

/**
 * The view after a notification. One that the snapshot already holds changes nothing; `missed`: one before it never came,
 * and everything has to be asked for again.
 */
export function applied(view: StartView, { at, change }: Notification): StartView | 'missed' {
  if (at <= view.at) return view;
  if (at > view.at + 1) return 'missed';
  if (change.kind === 'settings') return { ...view, at, settings: change.settings };
  return { ...view, at, station: changed(view.station, change) };
}

function changed(station: StationView, change: Exclude<Change, { kind: 'settings' }>): StationView {
  switch (change.kind) {
    case 'station':
      return change.station;
    case 'engine':
      return { ...station, engine: change.engine };
    case 'service':
      return { ...station, service: change.service };
    case 'server':
      return { ...station, server: change.server };
    case 'operator':
      return { ...station, operator: change.operator };
    case 'reader':
      return { ...station, readers: put(station.readers, change.reader, (one) => one.name) };
    case 'reader-gone':
      return { ...station, readers: station.readers.filter((one) => one.name !== change.name) };
    case 'job':
      return { ...station, jobs: put(station.jobs, change.job, (one) => one.id) };
    case 'job-gone':
      return { ...station, jobs: station.jobs.filter((one) => one.id !== change.id) };
  }
}

/** Replaces the one of the same key where it stands, or adds it at the end. */
function put<T>(list: readonly T[], item: T, key: (one: T) => string): T[] {
  const known = list.some((one) => key(one) === key(item));
  return known ? list.map((one) => (key(one) === key(item) ? item : one)) : [...list, item];
}
