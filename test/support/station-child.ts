/**
 * A station in a process of its own, with a card and a server that live on in a file, for tests that kill it. Every moment at
 * which something outside can be seen counts up; at the moment named on the command line the process kills itself, hard.
 * Arguments: folder, moment (0 = never), what: `start` begins a job, `resume` takes up what is there.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openVirtualReaders } from '../../app/simulator/virtual-reader.ts';
import { openEngine } from '../../app/station/engine.ts';
import { systemClock } from '../../app/station/ports.ts';
import { ScriptedCard } from './scripted-card.ts';
import { ScriptedServer, type ServerMemory } from './scripted-server.ts';
import { scriptedCatalogue, until, wholeLook } from './station.ts';

const worldSchema = z.object({
  written: z.array(z.number()),
  sent: z.array(z.string()),
  server: z.custom<ServerMemory>(),
});
export type World = z.infer<typeof worldSchema>;

/** What lives outside the station. */
export function readWorld(folder: string): World {
  const file = join(folder, 'world.json');
  if (!existsSync(file)) return { written: [], sent: [], server: { jobs: {}, outcomes: [] } };
  return worldSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

async function main(folder: string, killAt: number, what: string): Promise<void> {
  const world = readWorld(folder);
  const card = new ScriptedCard({ written: world.written });
  const server = new ScriptedServer();
  server.memory = world.server;
  let moments = 0;
  const keep = () => {
    const now: World = {
      written: [...card.written],
      sent: [...world.sent, ...card.effects],
      server: server.memory,
    };
    writeFileSync(join(folder, 'world.new'), JSON.stringify(now));
    renameSync(join(folder, 'world.new'), join(folder, 'world.json'));
  };
  const moment = () => {
    keep();
    moments += 1;
    if (moments === killAt) process.kill(process.pid, 'SIGKILL');
  };
  server.before = (request) => {
    if (request !== 'sign-in') moment();
  };
  server.after = moment;
  let working = false;
  card.delay = async () => {
    if (working) moment();
  };
  card.onWrite = moment;

  const readers = openVirtualReaders(['A']);
  const engine = openEngine({
    folder: join(folder, 'station'),
    readers,
    server: () => server,
    catalogue: scriptedCatalogue(),
    clock: systemClock,
    journal: { reserve: { reserveBytes: 64 * 1024, freeBytes: 1 } },
  });
  await engine.signIn('op1', 'secret');
  const jobs = () => engine.snapshot().jobs.map((job) => job.state.kind);
  const begun = jobs().length;
  readers.insert('A', card);
  if (what === 'start') {
    await until(engine, () => wholeLook(engine.snapshot().readers[0]?.state), 'card');
    working = true;
    await engine.startJob('A', {
      account: '6222000000000001',
      wishes: [{ app: 'e-wallet', action: 'enable' }],
    });
    await until(engine, () => jobs().includes('done'), 'done');
  } else if (begun > 0) {
    await until(engine, () => jobs().every((kind) => kind === 'done'), 'done');
  }
  keep();
  await engine.close();
  await readers.close();
  process.stdout.write(JSON.stringify({ moments, begun }));
}

const [folder, killAt, what] = process.argv.slice(2);
if (folder !== undefined && what !== undefined) await main(folder, Number(killAt), what);
