/** State of the token. */

import type { RunsOf } from '../../operation.ts';
import type { tokenOperations, VaultStatus } from '../../operations/token.ts';
import { wrappingPaths } from './key-wrapping.ts';
import { listMasters } from './masters.ts';
import type { Workbench } from './workbench.ts';

/** CK_SLOT_INFO flag that pkcs11js does not name (PKCS#11 2.40 base §3.2). */
const CKF_HW_SLOT = 0x4;

/** A slot without CKF_HW_SLOT is software, and so is SoftHSM whatever it says. */
function status(bench: Workbench): VaultStatus {
  const { token } = bench;
  const info = token.p11.C_GetTokenInfo(token.slot);
  const slot = token.p11.C_GetSlotInfo(token.slot);
  const manufacturer = info.manufacturerID.trimEnd();
  return {
    token: token.label,
    manufacturer,
    softwareToken: (slot.flags & CKF_HW_SLOT) === 0 || /softhsm/i.test(manufacturer),
    demo: token.demo,
    newKeys: 'wiped-buffer',
    newDomainKeys: wrappingPaths(token),
    masters: listMasters(bench),
  };
}

export const runs: RunsOf<typeof tokenOperations, Workbench> = { status };
