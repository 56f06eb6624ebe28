/**
 * Holds the station's rules against everything that an honest server sends: whole jobs of the server's tests go through here, so a rule that is
 * too narrow for any card type, tear or version of keys fails where that is told.
 */
import { recognise } from '../../app/catalogue/recognise.ts';
import type { Catalogue } from '../../app/catalogue/schema.ts';
import type { AnswersRequest, Batch, JobReply, JobRequest, StepReply } from '../../app/protocol/wire.ts';
import { checkBatch } from '../../app/station/jobs/machine/check-batch.ts';
import { checkOutcome, checkPlan } from '../../app/station/jobs/machine/check-outcome.ts';
import { rulesFor } from '../../app/station/jobs/machine/rules.ts';
import { afterReset, ranBatch, sending, watching } from '../../app/station/jobs/machine/watch.ts';

export interface HonestReplies {
  /** @throws Error with the rule that the station would refuse it by */
  reply(reply: JobReply | StepReply): void;
  ran(batch: Batch, report: AnswersRequest): void;
}

export function holdToRules(catalogue: Catalogue, asked: JobRequest): HonestReplies {
  const found = recognise(catalogue, asked.card);
  const rules = rulesFor(catalogue, asked, found.known ? found.identification : '');
  let watch = watching(rules, {}, false);
  return {
    reply(reply) {
      const breach =
        ('plan' in reply ? checkPlan(reply.plan, rules) : undefined) ??
        ('outcome' in reply && reply.outcome !== undefined
          ? checkOutcome(reply.outcome, watch, rules)
          : undefined) ??
        ('batch' in reply && reply.batch !== undefined ? checkBatch(reply.batch, watch, rules) : undefined);
      if (breach !== undefined)
        throw new Error(`the station refuses an honest reply: ${JSON.stringify([breach, reply])}`);
      if ('batch' in reply && reply.batch !== undefined) watch = sending(watch, reply.batch, rules);
    },
    ran(batch, report) {
      watch = ranBatch(watch, batch, report, rules);
      if (report.cardEvent !== undefined) watch = afterReset(watch);
    },
  };
}
