import { describe, expect, it } from 'vitest';
import type { Change, StartView } from '../../electron/ipc-schema.ts';
import { applied } from '../../renderer/state/changes.ts';
import { CATALOGUE, card, job, READER, reader, station } from './mock.ts';

describe('a notification', () => {
  it('that the snapshot already holds changes nothing', () => {
    expect(applied(view, { at: 7, change: { kind: 'operator', operator: null } })).toBe(view);
  });

  it('after a gap asks for everything again', () => {
    expect(applied(view, { at: 9, change: { kind: 'operator', operator: null } })).toBe('missed');
  });

  it('puts a reader in its place, and a new one at the end', () => {
    const known = changedBy({ kind: 'reader', reader: reader({ kind: 'card', card: card() }) });
    expect(known.station.readers.map(({ name, state }) => [name, state.kind])).toEqual([[READER, 'card']]);
    const added = changedBy({ kind: 'reader', reader: reader({ kind: 'empty' }, 'Second') });
    expect(added.station.readers.map(({ name }) => name)).toEqual([READER, 'Second']);
  });

  it('takes readers and jobs away', () => {
    expect(changedBy({ kind: 'reader-gone', name: READER }).station.readers).toEqual([]);
    expect(changedBy({ kind: 'job-gone', id: 'job-1' }).station.jobs).toEqual([]);
  });

  it('of a job replaces that job only', () => {
    const { station: now } = changedBy({ kind: 'job', job: job({ kind: 'working', writing: true }) });
    expect(now.jobs).toHaveLength(1);
    expect(now.jobs[0]?.state).toEqual({ kind: 'working', writing: true });
    expect(now.readers).toBe(view.station.readers);
  });

  it('of a station replaces everything but settings and catalogue', () => {
    const whole = station({ engine: { kind: 'away' }, operator: null, readers: [] });
    const next = changedBy({ kind: 'station', station: whole });
    expect(next.station).toBe(whole);
    expect(next.catalogue).toBe(view.catalogue);
  });

  it.each([
    [{ kind: 'engine', engine: { kind: 'away' } }, { engine: { kind: 'away' } }],
    [
      { kind: 'service', service: { kind: 'missing', code: 'pcsc-refused' } },
      { service: { kind: 'missing', code: 'pcsc-refused' } },
    ],
    [{ kind: 'server', server: { state: 'unknown' } }, { server: { state: 'unknown' } }],
    [{ kind: 'operator', operator: null }, { operator: null }],
  ] satisfies [Change, object][])('%o', (change, expected) => {
    expect(changedBy(change).station).toMatchObject(expected);
  });

  it('of settings leaves the station alone', () => {
    const next = changedBy({
      kind: 'settings',
      settings: { language: 'zh-CN', theme: 'dark', sound: false },
    });
    expect(next.settings.language).toBe('zh-CN');
    expect(next.station).toBe(view.station);
  });
});

const view: StartView = {
  version: '0.1.0',
  settings: { language: 'en', theme: 'light', sound: true },
  catalogue: CATALOGUE,
  station: station({ jobs: [job({ kind: 'working', writing: false })] }),
  at: 7,
};

function changedBy(change: Change): StartView {
  const next = applied(view, { at: 8, change });
  if (next === 'missed') throw new Error('missed');
  expect(next.at).toBe(8);
  return next;
}
