/** What became of each command that was out, from the station's report. Pure; the report is checked, not believed. */
import { fromHex } from '../../card/bytes.ts';
import type { Fate } from '../../dialects/fate.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { meets } from '../../protocol/expectation.ts';
import type { AnswersRequest } from '../../protocol/wire.ts';
import type { Sent } from './state.ts';

/**
 * The fate of every command in `sent`.
 * @throws KaikaError `bad-request` when the report contradicts itself or the batch.
 */
export function readFates(sent: readonly Sent[], report: AnswersRequest): Fate[] {
  if (report.answers.length > sent.length) throw bad('more answers than commands');
  const fates = report.answers.map((answer, at) => answered(sent[at], fromHex(answer)));
  const stop = fates.findIndex((fate) => fate.kind === 'refused');
  if (stop !== -1 && stop !== fates.length - 1) throw bad('commands were sent after one that was refused');
  const stoppedAt = report.stoppedAt;
  if (stop !== -1) {
    if (stoppedAt !== undefined && stoppedAt !== stop) throw bad('stoppedAt is not the refused command');
    return pad(fates, sent.length);
  }
  if (fates.length === sent.length) {
    if (stoppedAt !== undefined) throw bad('stoppedAt though everything was accepted');
    return fates;
  }
  if (stoppedAt === undefined) throw bad('answers missing without a reason');
  if (stoppedAt >= sent.length) throw bad('stoppedAt outside the batch');
  if (stoppedAt !== fates.length && !(report.cardEvent === 'lost' && stoppedAt > fates.length)) {
    throw bad('stoppedAt is not the first command without an answer');
  }
  while (fates.length < stoppedAt)
    fates.push({ kind: 'ok', data: new Uint8Array(0), sw: 0, answered: false });
  // Only a clear no is one: a command that may have reached the card keeps everything possible.
  if (report.reached !== false) fates.push({ kind: 'unknown' });
  return pad(fates, sent.length);
}

/** Status word for the record: four digits, or why there is none that counts. */
export function swText(fate: Fate): string {
  switch (fate.kind) {
    case 'ok':
      return fate.answered ? hex4(fate.sw) : 'lost';
    case 'refused':
      return hex4(fate.sw);
    case 'unknown':
      return fate.unproven === true ? 'unproven' : 'none';
    case 'unsent':
      return 'unsent';
  }
}

function answered(sent: Sent | undefined, answer: Uint8Array): Fate {
  if (sent === undefined || answer.length < 2) throw bad('answer shorter than a status word');
  const data = answer.slice(0, -2);
  const sw = ((answer[answer.length - 2] ?? 0) << 8) | (answer[answer.length - 1] ?? 0);
  const accepted = sent.accept.some((prefix) => hex4(sw).startsWith(prefix)) && meets(sent.expect, data);
  return accepted ? { kind: 'ok', data, sw, answered: true } : { kind: 'refused', data, sw };
}

function pad(fates: Fate[], length: number): Fate[] {
  while (fates.length < length) fates.push({ kind: 'unsent' });
  return fates;
}

function hex4(sw: number): string {
  return sw.toString(16).toUpperCase().padStart(4, '0');
}

function bad(reason: string): KaikaError {
  return new KaikaError('bad-request', reason);
}
