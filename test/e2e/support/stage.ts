/** What stands around the window in a story: the demo's stage, as npm start sets it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoCard } from '../../../app/demo/cards.ts';
import { Cleanup } from '../../../app/demo/cleanup.ts';
import type { FaultName } from '../../../app/demo/faults.ts';
import { parseOptions } from '../../../app/demo/options.ts';
import { type Stage, setStage } from '../../../app/demo/stage.ts';
import { addPerson, oneTimeEnd, oneTimeSecret } from '../../../app/keyserver/access/people.ts';
import { readCardRecord } from '../../../app/keyserver/records/card-record.ts';
import { OWN_RESOURCES, openCatalogue } from '../../../app/keyserver/resources.ts';
import { openSqliteStore } from '../../../app/keyserver/store/open.ts';
import type { CardRecord } from '../../../app/protocol/card-record.ts';

export interface StoryStage extends Stage {
  /** What the key server has on record. */
  record(card: string): Promise<CardRecord>;
  /** The demo's admin lets an operator in; gives the secret for their first use. */
  letIn(id: string, name: string): Promise<string>;
  /** A fresh card takes the place of the one in the reader; gives its file. */
  changeCard(): Promise<string>;
  /** The same with a card that has a fault of `npm start -- --fault NAME`, as that makes it. */
  changeCardFor(fault: FaultName): Promise<string>;
  close(): Promise<void>;
}

/** A data folder for the stories of one file. The first story makes the demo's site in it, the others find it there. */
export function dataFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'kaika-window-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** `args`: as after `npm start --`. */
export async function openStage(folder: string, args: readonly string[] = []): Promise<StoryStage> {
  const cleanup = new Cleanup();
  try {
    const options = parseOptions(args);
    const stage = await setStage({ options, folder, say: () => undefined, cleanup });
    const change = async (make: () => Promise<string>) => {
      await stage.readers.remove();
      const card = await make();
      await stage.readers.insert(card, 'realistic');
      return card;
    };
    return {
      ...stage,
      record: async (card) => {
        const store = await openSqliteStore(stage.site.store);
        try {
          return await readCardRecord({ store, catalogue: openCatalogue(OWN_RESOURCES) }, card);
        } finally {
          await store.destroy();
        }
      },
      letIn: async (id, name) => {
        const store = await openSqliteStore(stage.site.store);
        const secret = oneTimeSecret();
        const now = new Date();
        const until = oneTimeEnd(now);
        const person = { id, name, role: 'operator', branch: null, secret, secretUntil: until } as const;
        try {
          await addPerson(store, person, { by: stage.people.admin.operator }, now);
        } finally {
          await store.destroy();
        }
        return secret;
      },
      changeCard: () => change(() => stage.newCard()),
      changeCardFor: (fault) =>
        change(async () => {
          const { file } = await demoCard(stage.site, options.type, undefined, fault);
          cleanup.add(async () => rmSync(file, { force: true }));
          return file;
        }),
      close: () => cleanup.run(),
    };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}
