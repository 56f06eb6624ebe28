import { join } from 'node:path';
import Database from 'libsql';
import { beforeEach, expect, it } from 'vitest';
import { freshStation, ScriptedCard } from '../../support/stations.ts';

const station = freshStation();
beforeEach(insertCard);

it("the server's outcome is kept and written later, never an error in its place", async () => {
  const last = `answers ${station.server.steps}`;
  let asked = 0;
  inJournal(
    `CREATE TRIGGER fails BEFORE UPDATE ON jobs WHEN NEW.outcome IS NOT NULL BEGIN SELECT RAISE(ABORT, 'no'); END`,
  );
  station.server.before = (what) => {
    if (what !== last) return;
    asked += 1;
    if (asked === 2) inJournal('DROP TRIGGER fails');
  };
  const id = await station.engine.startJob('A', WISH);
  const end = await station.until(() => {
    const state = station.job(id)?.state;
    return (state?.kind === 'done' || state?.kind === 'failed') && state.kind;
  }, 'end');
  expect({ end, asked }).toEqual({ end: 'done', asked: 2 });
});

it('a job whose giving up cannot be written stays in hand, and the error is the true one', async () => {
  let answer: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  station.server.before = (what) => (what === 'job' ? held : undefined);
  const id = await station.engine.startJob('A', WISH);
  inJournal(
    `CREATE TRIGGER fails BEFORE UPDATE ON jobs WHEN NEW.abandoned = 1 BEGIN SELECT RAISE(ABORT, 'no'); END`,
  );
  expect(() => station.engine.abandon(id)).toThrow('no');
  expect(station.job(id)?.state.kind).toBe('working');
  answer();
  await station.until(() => station.job(id)?.state.kind === 'done', 'done');
});

// The journal fails for another reason than a full disk.

const WISH = { account: '6222000000000001', wishes: [{ app: 'e-wallet', action: 'enable' as const }] };

function inJournal(sql: string): void {
  const database = new Database(join(station.folder, 'journal.db'));
  database.exec(sql);
  database.close();
}

async function insertCard(): Promise<void> {
  station.readers.insert('A', new ScriptedCard());
  await station.until(() => station.reader().kind === 'card', 'card');
}
