/** Records of two cards compared. */
import type { CardRecord } from '../../app/protocol/card-record.ts';

/** What is the same of two cards that went through the same: without names and times. */
export function timeless(record: CardRecord) {
  const { card: _card, account: _account, firstSeen: _seen, ...rest } = record;
  return {
    ...rest,
    apps: record.apps.map(({ enabledBy, groundSince, ...app }) => ({
      ...app,
      enabledBy: record.jobs.findIndex(({ job }) => job === enabledBy?.job),
      groundSince: record.jobs.findIndex(({ job }) => job === groundSince?.job),
    })),
    jobs: record.jobs.map(({ job: _job, account: _of, started: _started, ended, ...job }) => ({
      ...job,
      ended: ended !== null,
    })),
  };
}
