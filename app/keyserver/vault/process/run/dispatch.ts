/** Calls of the serving vault, each on one lent session. Nothing of set-up or ceremony is reachable from here. */
import type { VaultCall } from '../../messages.ts';
import type { VaultStatus } from '../../port.ts';
import type { OpenToken } from '../token/open-token.ts';
import type { Workbench } from './card-key.ts';
import { cryptogram, keyWrite, updateMac } from './fmcos.ts';
import { wrapDomainKeys, wrappingPaths } from './key-wrapping.ts';
import { listMasters } from './masters.ts';
import { seal, unseal } from './seal.ts';
import { channelSessionKeys, foretellChannel } from './secure-channel.ts';

/** CK_SLOT_INFO flag that pkcs11js does not name (PKCS#11 2.40 base §3.2). */
const CKF_HW_SLOT = 0x4;

/** State of the token. A slot without CKF_HW_SLOT is software, and so is SoftHSM whatever it says. */
export function status(token: OpenToken, bench: Workbench): VaultStatus {
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

/** Runs one call. @throws VaultError; Pkcs11Error */
export function dispatch(token: OpenToken, call: VaultCall): unknown {
  return token.sessions.use((session) => {
    const bench = { session, keys: token.keys };
    switch (call.op) {
      case 'status':
        return status(token, bench);
      case 'fmcosCryptogram':
        return cryptogram(bench, call.key, call.challenge);
      case 'fmcosMac':
        return updateMac(bench, call.key, call.challenge, call.message);
      case 'fmcosKeyWrite':
        return keyWrite(bench, call);
      case 'channelSessionKeys':
        return channelSessionKeys(bench, call.keys, call.context);
      case 'foretellChannel':
        return foretellChannel(bench, call.keys, call);
      case 'wrapDomainKeys':
        return wrapDomainKeys(bench, call, wrappingPaths(token));
      case 'seal':
        return seal(session, token.keys.seal(session), call.clear, call.context);
      case 'unseal':
        return unseal(session, token.keys.seal(session), call.sealed, call.context);
    }
  });
}
