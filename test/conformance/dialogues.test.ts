/**
 * What other people's tools said to the virtual card, and took from it as right, in test/conformance/dialogues: recorded
 * with cards whose challenges are predictable, so that the same card gives the same answers today.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../app/card/bytes.ts';
import { parseOptions } from '../../app/simulator/cli/options.ts';
import { orderedCard } from '../../app/simulator/cli/order.ts';
import { type Dialogue, parseDialogue } from '../../app/simulator/dialogue/dialogue.ts';
import type { CardImage } from '../../app/simulator/image.ts';
import { VirtualCard } from '../../app/simulator/virtual-card.ts';

describe('dialogues of other people’s tools', () => {
  it.each(readdirSync(FOLDER))('%s goes today as it went with the tool', async (name) => {
    const text = readFileSync(new URL(name, FOLDER), 'utf8');
    const dialogue = parseDialogue(text);
    const card = await cardOf(text);
    const answers = recorded(dialogue);
    expect(answers.length).toBeGreaterThan(50);
    expect(await spoken(card, dialogue)).toEqual(answers);
    const after = AFTER[name];
    if (after === undefined) throw new Error(`nothing is said of what ${name} leaves`);
    after(card.image);
  });
});

const FOLDER = new URL('./dialogues/', import.meta.url);

const NEW_KEY = '101112131415161718191A1B1C1D1E1F';

/** The card a dialogue was recorded with, as its remark tells. */
async function cardOf(text: string): Promise<VirtualCard> {
  const order = /^# card: (.*)$/m.exec(text)?.[1] ?? '';
  const { image } = await orderedCard(parseOptions(order.split(' ')));
  if (image.format !== 1) throw new Error('a card without GlobalPlatform');
  return new VirtualCard(image);
}

/** Every command again, as lines of the dialogue; the answers are this card's. */
async function spoken(card: VirtualCard, { steps }: Dialogue): Promise<string[]> {
  const said: string[] = [];
  for (const step of steps) {
    if (step.kind === 'command') {
      const answer = await card.transmit(Uint8Array.from(step.bytes, (byte) => byte ?? 0));
      said.push(`line ${step.line + 1}: ${toHex(answer)}`);
    } else if (step.kind === 'event') {
      if (step.event === 'power on') card.powerOn();
      else if (step.event === 'reset') card.reset();
      else card.powerOff();
    }
  }
  return said;
}

const recorded = ({ steps }: Dialogue): string[] =>
  steps.flatMap((step) =>
    step.kind === 'answer'
      ? [`line ${step.line}: ${toHex(Uint8Array.from(step.bytes, (byte) => byte ?? 0))}`]
      : [],
  );

const keysOf = ({ domain }: CardImage) =>
  domain.keySets.map(({ version, keys }) => [version, ...new Set(keys.map(({ value }) => value))]);

const contentOf = ({ packages, instances }: CardImage) => [...packages, ...instances].map(({ aid }) => aid);

/** What is left on each card when the tool has gone. */
const AFTER: Readonly<Record<string, (image: CardImage) => unknown>> = {
  'gp-scp02-t0.txt': (image) => {
    expect(keysOf(image)).toEqual([[0x20, NEW_KEY]]);
    expect(contentOf(image)).toEqual(['A0000001515350']);
  },
  'gp-scp03.txt': (image) => {
    expect(keysOf(image)).toEqual([[0x30, NEW_KEY]]);
    expect(contentOf(image)).toEqual(['A0000001515350']);
    expect(image.domain.lifecycle).toBe(0x0f);
    expect(image.domain.data['9F66']).toBe('0102030405060708');
  },
  'gp-scp03-s16.txt': (image) => {
    expect(keysOf(image)).toEqual([
      [0x30, '303132333335363738393A3B3C3D3E3F505152535355565758595A5B5C5D5E5F'],
    ]);
  },
  'gpshell-scp02.txt': (image) => {
    expect(keysOf(image)).toEqual([[0x02, NEW_KEY]]);
    expect(contentOf(image)).toEqual(['A0000000035350']);
  },
  'gpshell-scp03.txt': (image) => {
    expect(keysOf(image)).toEqual([[0x02, NEW_KEY]]);
    expect(contentOf(image)).toEqual(['A0000001515350']);
  },
  'globalplatform-suite.txt': (image) => {
    expect(keysOf(image)).toEqual([[0x30, '404142434445464748494A4B4C4D4E4F']]);
    expect(image.domain.publicKeys).toEqual([]);
    // The application that was there before.
    expect(contentOf(image)).toEqual(['A0000001515350', 'F04B41494B41F0', 'F04B41494B41F001']);
  },
};
