/** Initialises an empty slot as a token (PKCS#11 2.40 base §5.5). Reached from the admin process only. */
import pkcs11 from 'pkcs11js';
import { VaultError } from '../../error.ts';
import { isTokenError, tokenErrorName } from '../token/cryptoki-error.ts';
import { finalize, findSlot, type LoadedModule, loadModule } from '../token/open-token.ts';

/** CK_TOKEN_INFO flag: the token has been initialised. */
const CKF_TOKEN_INITIALIZED = 0x400;

function initialise({ cryptoki, p11, raw }: LoadedModule, label: string, pin: Buffer, soPin: Buffer): void {
  const slots = p11.C_GetSlotList(true).map((slot) => ({ slot, info: p11.C_GetTokenInfo(slot) }));
  if (slots.some(({ info }) => info.label.trimEnd() === label))
    throw new VaultError('refused', `there is a token "${label}" already`);
  const empty = slots.find(({ info }) => (info.flags & CKF_TOKEN_INITIALIZED) === 0);
  if (empty === undefined) throw new VaultError('refused', 'the module has no slot with an empty token');
  raw.initToken(empty.slot, soPin, label);
  const session = p11.C_OpenSession(
    findSlot(cryptoki, label).handle,
    pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION,
  );
  raw.login(session, pkcs11.CKU_SO, soPin);
  raw.initPin(session, pin);
}

/** A token with this label and these PINs. @throws VaultError `refused`, `hsm-away` */
export function initToken(path: string, label: string, pin: Buffer, soPin: Buffer): void {
  const module = loadModule(path);
  try {
    module.p11.C_Initialize({ flags: pkcs11.CKF_OS_LOCKING_OK });
    initialise(module, label, pin, soPin);
  } catch (error) {
    if (!isTokenError(error)) throw error;
    throw new VaultError('hsm-away', `the token cannot be initialised (${tokenErrorName(error)})`);
  } finally {
    finalize(module.p11);
  }
}
