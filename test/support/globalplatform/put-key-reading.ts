/** What a PUT KEY carries, read from its data field without the code that writes it (GPC 2.3.1 §11.8.2.3, Amendment D §7.2). */
import {
  type AesKeyForm,
  CHECK_VALUE_LENGTH,
  keyKind,
  type WrappedKey,
} from '../../../app/globalplatform/put-key.ts';

interface PutKeyData {
  readonly newVersion: number;
  readonly keys: readonly WrappedKey[];
  /** Of the AES keys; absent where there are none. */
  readonly aesKeyForm?: AesKeyForm;
}

/** @throws Error for what no PUT KEY of ours may be: cut short, without a key, of other keys than DES and AES, in two forms. */
export function readPutKey(data: Uint8Array): PutKeyData {
  const [newVersion] = data;
  const keys: WrappedKey[] = [];
  const forms = new Set<AesKeyForm>();
  for (let at = 1; at < data.length; ) {
    const [type = 0, length = 0] = data.slice(at, at + 2);
    const body = data.slice(at + 2, at + 2 + length);
    const check = at + 2 + length;
    const next = check + 1 + CHECK_VALUE_LENGTH;
    if (data[check] !== CHECK_VALUE_LENGTH || next > data.length)
      throw new Error(`key at ${at} is cut short`);
    const checkValue = data.slice(check + 1, next);
    const kind = keyKind(type);
    if (kind === undefined) throw new Error(`key at ${at} is neither DES nor AES`);
    // Whole blocks alone have no length; one byte more is the length of the clear key (tables 11-68, 11-70).
    const hasLength = body.length % 8 === 1;
    if (kind === 'aes') forms.add(hasLength ? 'with-length' : 'without-length');
    const cipher = hasLength ? body.slice(1) : body;
    keys.push({ kind, length: hasLength ? (body[0] ?? 0) : body.length, cipher, checkValue });
    at = next;
  }
  const [aesKeyForm, another] = forms;
  if (newVersion === undefined || keys.length === 0 || another !== undefined)
    throw new Error('no PUT KEY of ours');
  return aesKeyForm === undefined ? { newVersion, keys } : { newVersion, keys, aesKeyForm };
}
