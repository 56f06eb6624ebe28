/** What of people's secrets and of a card's data a station keeps, over a whole job: on its disk, and in what it logs. */
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ScriptedCard } from '../support/scripted-card.ts';
import { openTestStation, type TestStation, temporaryFolder, wholeLook } from '../support/station.ts';

beforeAll(wholeJob);
afterAll(() => station.close());

it('the operator’s secret and token are in no file, while the job is in hand and when it is over', () => {
  // The journal is what was searched: the account of the job in hand is in it.
  expect(during.includes(ACCOUNT)).toBe(true);
  for (const text of [during, files()])
    expect([SECRET, TOKEN].filter((one) => text.includes(one))).toEqual([]);
});

it('the journal is its owner’s alone', () => {
  expect(statSync(join(station.folder, 'journal.db')).mode & 0o777).toBe(0o600);
});

it('the log names no card, no account, no command, no secret', () => {
  expect(logged.length).toBeGreaterThan(5);
  const text = logged.join('\n');
  const commands = card.log.filter((command) => command.length >= 8);
  expect(commands.length).toBeGreaterThan(10);
  for (const one of [ACCOUNT, IDENTIFICATION, SECRET, TOKEN, ...commands]) expect(text).not.toContain(one);
});

let station: TestStation;
const logged: string[] = [];
const card = new ScriptedCard();

const ACCOUNT = '6217001234567890';
const IDENTIFICATION = '6200000000000001';
const SECRET = 'the secret of the first operator';
const TOKEN = 'token-of-twenty-characters';
let during = '';

function files(): string {
  return readdirSync(station.folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(station.folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n');
}

/** A job that is torn, found again and carried to its end. */
async function wholeJob(): Promise<void> {
  const folder = temporaryFolder();
  // As an installer may have left it.
  chmodSync(folder, 0o755);
  station = await openTestStation({ folder, log: (...line) => logged.push(JSON.stringify(line)) });
  await station.engine.signIn('op1', SECRET);
  station.readers.insert('A', card);
  await station.until(() => wholeLook(station.reader()), 'look');
  card.mishap = (command) => (command === '80F00202' ? 'after' : undefined);
  const id = await station.engine.startJob('A', {
    account: ACCOUNT,
    wishes: [{ app: 'e-wallet', action: 'enable' }],
  });
  await station.until(() => station.job(id)?.state.kind === 'waiting-for-card', 'torn');
  during = files();
  station.readers.insert('A', card);
  await station.until(() => station.job(id)?.state.kind === 'done', 'done');
}
