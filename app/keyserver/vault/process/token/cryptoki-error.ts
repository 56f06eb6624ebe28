/** PKCS#11 return values as errors, and what they mean for us. */
import pkcs11 from 'pkcs11js';

const NAMES = new Map<number, string>();
for (const [name, value] of Object.entries(pkcs11))
  if (name.startsWith('CKR_') && typeof value === 'number') NAMES.set(value, name);

/** @throws Pkcs11Error naming the return value, unless it is CKR_OK. */
export function assertOk(rv: number, method: string): void {
  if (rv === pkcs11.CKR_OK) return;
  throw new pkcs11.Pkcs11Error(`${NAMES.get(rv) ?? 'CKR_VENDOR_DEFINED'}:${rv}`, rv, method);
}

/** Whether an error came out of the module or its binding, rather than out of our own code. */
export function isTokenError(error: unknown): error is Error {
  return error instanceof pkcs11.NativeError;
}

/** CKR name (never data) of an error of the module. */
export function tokenErrorName(error: Error): string {
  return /^CKR_[A-Z0-9_]+/.exec(error.message)?.[0] ?? error.name;
}

/** CKR_PIN_…: trying again would only bring the token nearer to locking. */
export function isPinRefusal(error: unknown): error is Error {
  return isTokenError(error) && tokenErrorName(error).startsWith('CKR_PIN_');
}
