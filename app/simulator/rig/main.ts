/**
 * The process inside the rig's namespaces: pcscd and the virtual cards. Commands come in on stdin, replies and events
 * go out on stdout. It is the first process of its PID namespace, so when it ends, everything in there ends; and it
 * ends when stdin does, that is when whoever started it is gone.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type CardOpener, cardOpener } from './cards.ts';
import { RigCommand, type RigMessage, RigSetup } from './messages.ts';
import { PCSCD_FOLDER, prepareNamespace } from './namespace.ts';
import { preparePcscd } from './pcscd.ts';
import { openSlots, SlotError, type Slots } from './slots.ts';
import { systemPath } from './tools.ts';

const OURS = /^(?:driver-\d+\.so|reader\.conf|pcscd\.(?:comm|pid))$/;
/** How long an orderly end may take once nobody is there to wait for it. */
const LEAVE_MS = 3000;

function say(message: RigMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function obey(slots: Slots, openCard: CardOpener, command: RigCommand): Promise<void> {
  switch (command.do) {
    case 'insert':
      return await slots.insert(
        command.reader,
        () => openCard(command.cardFile, command.options),
        command.options,
      );
    case 'remove':
      return await slots.remove(command.reader);
    case 'stop-service':
      return await slots.stopService();
    case 'start-service':
      return await slots.startService();
    case 'close':
      return await slots.close();
  }
}

async function reply(slots: Slots, openCard: CardOpener, command: RigCommand): Promise<void> {
  try {
    await obey(slots, openCard, command);
    say({ id: command.id, ok: true });
  } catch (error) {
    const fault = error instanceof SlotError ? error.fault : 'service-stopped';
    say({
      id: command.id,
      ok: false,
      fault,
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

async function main(): Promise<void> {
  const setup = RigSetup.parse(JSON.parse(process.argv[2] ?? '{}'));
  process.env['PATH'] = systemPath();
  const openCard = await cardOpener(setup.cards);
  await prepareNamespace(setup.run);
  const { pcscd: program, driver, readers, names } = setup;
  const pcscd = await preparePcscd({
    program,
    driver,
    readers,
    ...(names === undefined ? {} : { names }),
  });
  const slots = openSlots(pcscd, say);
  await pcscd.start();
  say({ event: 'ready', readerNames: [...pcscd.readerNames] });

  // One command after the other, so that "stop, then start" means that.
  let turn: Promise<void> = Promise.resolve();
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const command = RigCommand.parse(JSON.parse(line));
    turn = turn.then(() => reply(slots, openCard, command));
  });
  lines.once('close', () => {
    setTimeout(() => process.exit(1), LEAVE_MS);
    void turn.then(() => slots.close()).finally(leave);
  });
}

/** Takes everything along that was put into the folder; the folder itself is the starter's. */
async function leave(): Promise<void> {
  try {
    for (const name of await readdir(PCSCD_FOLDER)) {
      if (OURS.test(name)) await rm(join(PCSCD_FOLDER, name), { force: true });
    }
  } finally {
    process.exit(0);
  }
}

main().catch((error: unknown) => {
  say({ event: 'failed', message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
  process.stdin.destroy();
});
