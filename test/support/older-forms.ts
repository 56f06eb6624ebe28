/** What this program keeps, in the form in which older versions of it kept the same. */
import type { JobState } from '../../app/keyserver/issuer/state.ts';
import type { Outcome } from '../../app/protocol/wire.ts';

/** An outcome with the versions of FMCOS's two keys as members of their own. */
export function olderOutcome(outcome: Outcome) {
  return {
    ...outcome,
    apps: outcome.apps.map(({ keyVersions, ...told }) => ({
      ...told,
      mckVersion: keyVersions['mck'] ?? null,
      mtkVersion: keyVersions['mtk'] ?? null,
    })),
  };
}

/** A job's state with FMCOS's meanings among the issuer's own, each naming its app, and what FMCOS had noted as members of `scratch`. */
export function olderJobState({ scratch, sent, ...job }: JobState) {
  const { app, channel } = scratch;
  const { challenge, authenticated, flagRead } = app?.notes ?? {};
  return {
    ...job,
    scratch: {
      ...(challenge === undefined ? {} : { challenge: { step: app?.step, value: challenge } }),
      ...(authenticated === undefined ? {} : { authenticated: app?.step }),
      ...(flagRead === undefined ? {} : { flagRead: app?.step }),
      ...(channel === undefined ? {} : { channel }),
    },
    sent: sent.map(({ meaning, label, ...one }) => ({
      ...one,
      label,
      meaning:
        meaning.kind !== 'app'
          ? meaning
          : meaning.means.kind === 'challenge'
            ? meaning.means
            : { ...meaning.means, app: label.app },
    })),
  };
}
