/** Which versions of the issuer's keys a job is about to write. Pure. */
import { appKeyPurpose } from '../../dialects/keys.ts';
import type { JobState } from '../issuer/state.ts';
import type { KeyVersion } from '../store/key-versions.ts';

/** Of a domain's three keys one stands for all: they have one version. */
export function keysWanted({ profile, targets, domainTarget }: JobState): KeyVersion[] {
  return [
    ...Object.entries(targets).flatMap(([app, keys]) =>
      Object.entries(keys).map(([role, { version }]) => ({ purpose: appKeyPurpose(app, role), version })),
    ),
    ...(domainTarget === null ? [] : [{ purpose: `isd/${profile}/enc`, version: domainTarget.version }]),
  ];
}
