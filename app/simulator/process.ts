/** One command to the card, whatever is selected. */
import { type CommandApdu, decodeCommand, type ResponseApdu } from '../card/apdu.ts';
import { processFmcos } from './applets/fmcos.ts';
import type { AppletState } from './image.ts';
import { INS_GET_STATUS, INS_LOAD, processDomain } from './isd/domain.ts';
import { CARD_STATE, domainOf, finalApplication } from './registry.ts';
import { isSelectByName, select } from './select.ts';
import { ok, Refusal, SW } from './status-words.ts';
import type { Turn } from './turn.ts';

/** Answers one command; every refusal is a status word. Changes `turn.image` and `turn.volatile`. */
export function processCommand(turn: Turn, bytes: Uint8Array): ResponseApdu {
  const command = decode(bytes);
  interrupt(turn, command?.ins);
  try {
    if (command === undefined) throw new Refusal(SW.wrongLength);
    return dispatch(turn, command);
  } catch (error) {
    if (error instanceof Refusal) return { ...ok(), sw: error.sw };
    throw error;
  }
}

/** Short APDUs only; undefined when the lengths do not add up. */
function decode(bytes: Uint8Array): CommandApdu | undefined {
  if (bytes.length > 5 && bytes[4] === 0) return undefined;
  try {
    return decodeCommand(bytes);
  } catch {
    return undefined;
  }
}

/** A load goes on only with LOAD, a listing only with GET STATUS; any other command ends them. Every command ends a challenge. */
function interrupt(turn: Turn, ins: number | undefined): void {
  const { volatile } = turn;
  if (ins !== INS_LOAD) volatile.loading = undefined;
  if (ins !== INS_GET_STATUS) volatile.listing = undefined;
  if (ins === undefined) {
    volatile.fmcos.challenge = undefined;
    volatile.pending = undefined;
    volatile.chain = undefined;
  }
}

function dispatch(turn: Turn, command: CommandApdu): ResponseApdu {
  const { image, volatile } = turn;
  if (isSelectByName(command)) {
    volatile.fmcos.challenge = undefined;
    volatile.pending = undefined;
    return select(turn, command);
  }
  // What was selected when the card was terminated is so no longer (§9.6.4).
  if (image.domain.lifecycle === CARD_STATE.terminated) volatile.selected = finalApplication(image);
  const domain = domainOf(image, volatile.selected);
  if (domain !== undefined) return processDomain(turn, domain, command);
  const app = image.instances.find(({ aid }) => aid === volatile.selected);
  if (app === undefined) throw new Refusal(SW.conditions);
  return processApplet(turn, app.applet, command);
}

function processApplet(turn: Turn, applet: AppletState, command: CommandApdu): ResponseApdu {
  if (applet.kind !== 'fmcos') throw new Refusal(SW.unknownIns);
  const aid = turn.volatile.selected;
  return processFmcos(
    {
      state: applet,
      volatile: turn.volatile.fmcos,
      random: turn.random,
      onTear(damage) {
        turn.tear = (image) => {
          const torn = image.instances.find((instance) => instance.aid === aid)?.applet;
          if (torn?.kind === 'fmcos') damage(torn);
        };
      },
    },
    command,
  );
}
