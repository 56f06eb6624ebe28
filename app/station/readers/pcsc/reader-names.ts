/**
 * Names of readers, which to PC/SC are bytes with a zero behind them and no more: they are given back as they came. On systems where they should
 * be UTF-8, a driver's may be Latin-1 (the byte AE for ®), and one that came back changed would fail the wait for all readers.
 */
export class ReaderNames {
  readonly #encoding: 'utf8' | 'utf16le';
  /** Bytes of the names that are no UTF-8, by the name that we have for them. */
  readonly #odd = new Map<string, Uint8Array>();

  constructor(encoding: 'utf8' | 'utf16le') {
    this.#encoding = encoding;
  }

  /** The names of a multi-string as SCardListReaders writes it. Of two that cannot be told apart the first is kept. */
  read(list: Buffer): string[] {
    if (this.#encoding === 'utf16le') return list.toString('utf16le').split('\0').filter(Boolean);
    const names = new Set<string>();
    for (const bytes of split(list)) {
      const { name, odd } = named(bytes);
      if (names.has(name)) continue;
      names.add(name);
      if (odd === undefined) this.#odd.delete(name);
      else if (!this.#odd.has(name)) this.#odd.set(name, odd);
    }
    return [...names];
  }

  /** What to hand to PC/SC for a name: the text, or the very bytes that it came as. */
  given(name: string): string | Uint8Array {
    return this.#odd.get(name) ?? name;
  }
}

/** `odd`: the bytes with their zero, where they are no UTF-8. */
function named(bytes: Buffer): { readonly name: string; readonly odd?: Uint8Array } {
  try {
    return { name: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { name: bytes.toString('latin1'), odd: Uint8Array.from([...bytes, 0]) };
  }
}

function split(list: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start < list.length; ) {
    const zero = list.indexOf(0, start);
    const end = zero < 0 ? list.length : zero;
    if (end > start) parts.push(list.subarray(start, end));
    start = end + 1;
  }
  return parts;
}
