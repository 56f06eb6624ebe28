import { describe, expect, it } from 'vitest';
import type { CardView, CatalogueView } from '../../electron/ipc-schema.ts';
import { memoryOf, rowsOf } from '../../renderer/features/counter/rows.ts';
import { checksOf } from '../../renderer/features/entrance/checks.ts';
import { seenCards } from '../../renderer/state/seen.ts';
import { CATALOGUE, card, job, NUMBER, ODD, reader, station, USED } from './mock.ts';

describe('the apps of a card', () => {
  it('are each in one state, with what can be asked of them', () => {
    const told = rowsOf(card(USED), CATALOGUE).map((one) => [
      one.app.id,
      one.state,
      one.canEnable,
      one.canDelete,
    ]);
    expect(told).toEqual([
      ['e-wallet', 'enabled', false, true],
      ['identity', 'enabled', false, true],
      ['campus-meal', 'missing', true, false],
      ['transit', 'installed', true, true],
    ]);
  });

  it('that are unforeseen or unread are shown and not offered', () => {
    for (const app of ['identity', 'transit']) {
      expect(row(card(ODD), app)).toMatchObject({ canEnable: false, canDelete: false });
    }
  });

  it('cannot be loaded when there is nothing to load, nor onto cards that take nothing', () => {
    const bare = {
      ...CATALOGUE,
      apps: CATALOGUE.apps.map((app) => ({ ...app, loadable: false })),
    };
    expect(row(card(USED), 'campus-meal', bare)).toMatchObject({
      canEnable: false,
      whyNot: 'nothing-to-load',
    });
    const native = {
      ...CATALOGUE,
      cardTypes: CATALOGUE.cardTypes.map((type) => ({ ...type, managed: false })),
    };
    expect(row(card(USED), 'campus-meal', native)).toMatchObject({
      canEnable: false,
      whyNot: 'card-takes-none',
    });
    expect(row(card(USED), 'transit', native)).toMatchObject({ canEnable: true, canDelete: false });
  });

  it('that nobody knows by name are left out', () => {
    expect(rowsOf(card([{ app: 'loyalty', state: 'enabled' }]), CATALOGUE)).toEqual([]);
  });

  it('take the space that is not free', () => {
    expect(memoryOf(card(USED), CATALOGUE)).toEqual({
      free: 48_256,
      whole: 48_256 + 14_336 + 7_168 + 10_240,
    });
    expect(memoryOf(card(USED, { freeMemory: null }), CATALOGUE)).toBeNull();
  });
});

describe('the station looks at itself', () => {
  const told = (more: Parameters<typeof station>[0]) =>
    checksOf(station(more)).map((check) => [check.part, check.state, check.fault?.code]);

  it('and finds everything', () => {
    expect(told({})).toEqual([
      ['service', 'good', undefined],
      ['reader', 'good', undefined],
      ['server', 'good', undefined],
    ]);
  });

  it('and tells service, reader and server apart', () => {
    expect(told({ service: { kind: 'missing', code: 'pcsc-not-running' }, readers: [] })).toEqual([
      ['service', 'problem', 'pcsc-not-running'],
      ['reader', 'blocked', undefined],
      ['server', 'good', undefined],
    ]);
    expect(told({ readers: [], server: { state: 'away', code: 'server-not-trusted' } })).toEqual([
      ['service', 'good', undefined],
      ['reader', 'problem', 'no-reader'],
      ['server', 'problem', 'server-not-trusted'],
    ]);
  });

  it('and does not know yet while the engine starts', () => {
    expect(told({ engine: { kind: 'starting' } }).map(([, state]) => state)).toEqual([
      'waiting',
      'waiting',
      'waiting',
    ]);
  });
});

describe('cards that were seen', () => {
  const withCard = station({ readers: [reader({ kind: 'card', card: card() })] });

  it('are remembered while a job has them', () => {
    const seen = seenCards({}, withCard);
    const running = station({
      readers: [reader({ kind: 'job', job: 'job-1', card: null })],
      jobs: [job({ kind: 'working', writing: true })],
    });
    expect(seenCards(seen, running)[NUMBER]).toEqual(card());
  });

  it('and forgotten when they are gone', () => {
    expect(seenCards(seenCards({}, withCard), station())).toEqual({});
  });
});

const row = (seen: CardView, app: string, catalogue: CatalogueView = CATALOGUE) =>
  rowsOf(seen, catalogue).find((one) => one.app.id === app);
