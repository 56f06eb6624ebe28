/**
 * A key server that somebody has taken over, against the vault. It knows the names of all keys, it has cards of its own whose transport keys it
 * knows, it knows identification codes and accounts of everybody's cards, and it asks for whatever it likes. What comes out is read with every
 * key that it knows or has learned. Its own cards' new keys it may learn, because they travel under keys it knows; a key of another's card is one
 * key too many. All of it is computed by node:crypto.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes, randomInt } from 'node:crypto';
import type { MasterKeyId } from '../../../app/keyserver/vault/keys.ts';
import type { Vault } from '../../../app/keyserver/vault/vault.ts';
import { cardKey, issuersCardKey, type KnownMaster, oddParity } from '../known-token.ts';

/** A card, and what a server has on record of it. */
interface Card {
  readonly identification: string;
  readonly account: string;
  readonly data: Buffer;
}

export interface VaultAttack {
  readonly calls: number;
  /** Keys of cards that are not the attacker's, and masters, that it had in clear at the end. */
  readonly keysOut: number;
  /** Calls that the vault carried out: an attack that is always refused would show nothing. */
  readonly answered: number;
  /** New keys of its own cards that it learned: it can read what it is given. */
  readonly ownKeys: number;
}

export interface AttackedVault {
  readonly vault: Pick<
    Vault,
    'ask' | 'channelSessionKeys' | 'wrapDomainKeys' | 'foretellChannel' | 'seal' | 'unseal'
  >;
  /** Every master in the token, with its value. Those of apps are of the apps' rules, those of domains `identification`. */
  readonly masters: readonly (KnownMaster & { readonly version?: number })[];
}

export async function attackVault({ vault, masters }: AttackedVault, calls: number): Promise<VaultAttack> {
  const world = new World(masters);
  let answered = 0;
  for (let call = 0; call < calls; call += 1) {
    try {
      world.read(await world.anyCall(vault));
      answered += 1;
    } catch {
      // Refused; which is what is to be seen.
    }
  }
  return { calls, answered, ...world.found() };
}

const digits = (length: number) => Array.from({ length }, () => randomInt(10)).join('');
const newCard = (): Card => ({ identification: digits(16), account: digits(16), data: randomBytes(10) });
const pick = <T>(of: readonly T[]): T => {
  const one = of[randomInt(of.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
};
const hash8 = ({ identification, account }: Card) =>
  createHash('sha256').update(`kaika card key 1:${identification}:${account}`).digest().subarray(0, 8);
const bcd = (code: string) => Buffer.from(code.slice(-16).padStart(16, '0'), 'hex');

class World {
  readonly #masters: AttackedVault['masters'];
  readonly #own = Array.from({ length: 3 }, newCard);
  readonly #others = Array.from({ length: 4 }, newCard);
  /** 16-byte keys that the attacker has, by their names. */
  readonly #known = new Map<string, Buffer>();
  readonly #secret = new Set<string>();
  readonly #ownKeys = new Set<string>();
  readonly #out = new Set<string>();

  constructor(masters: AttackedVault['masters']) {
    this.#masters = masters;
    for (const master of masters) {
      this.#secret.add(nameOf(master.value));
      for (const card of this.#own)
        if (master.origin === 'issuer') this.#ownKeys.add(nameOf(keyOf(master, card)));
        else this.#know(keyOf(master, card));
      for (const card of this.#others) this.#secret.add(nameOf(keyOf(master, card)));
    }
  }

  found(): { keysOut: number; ownKeys: number } {
    return {
      keysOut: this.#out.size,
      ownKeys: [...this.#ownKeys].filter((key) => this.#known.has(key)).length,
    };
  }

  /** One call of any kind; most are about one card as an honest one would be, with one thing or another exchanged. */
  anyCall(vault: AttackedVault['vault']): Promise<unknown> {
    const card = this.#statement();
    switch (randomInt(8)) {
      case 0:
        return vault.ask('fmcosCryptogram', {
          card,
          key: this.#key('app', card),
          challenge: this.#challenge(),
        });
      case 1:
        return vault.ask('fmcosMac', {
          card,
          key: this.#key('app', card),
          challenge: this.#challenge(),
          message: pick([
            Buffer.from('04D6950805AA', 'hex'),
            Buffer.from('84D439001C', 'hex'),
            randomBytes(12),
          ]),
        });
      case 2:
      case 3:
      case 4:
        return vault.ask('fmcosKeyWrite', this.#keyWrite(card));
      case 5:
        return vault.wrapDomainKeys(this.#wrap(card));
      case 6:
        return vault.channelSessionKeys({
          card,
          keys: this.#domainKeys(card),
          context: pick([
            { scp: '02' as const, sequenceCounter: randomBytes(2) },
            { scp: '03' as const, hostChallenge: randomBytes(8), cardChallenge: randomBytes(8) },
          ]),
        });
      default:
        return pick([
          () => vault.seal({ clear: randomBytes(24), context: 'attack' }),
          () => vault.unseal({ sealed: randomBytes(60), context: 'attack' }),
          () =>
            vault.foretellChannel({
              card,
              keys: this.#domainKeys(card),
              hostChallenge: randomBytes(8),
              sequenceCounter: randomBytes(3),
              invoker: Buffer.from('A000000151000000', 'hex'),
            }),
          () => vault.ask(pick(['setRule', 'generateMaster', 'status', 'configure', 'toString']), { card }),
        ])();
    }
  }

  /** What an answer says to somebody with these keys. */
  read(answer: unknown): void {
    if (answer instanceof Uint8Array) this.#readBytes(Buffer.from(answer));
    else if (typeof answer === 'object' && answer !== null)
      for (const part of Object.values(answer)) this.read(part);
  }

  #readBytes(bytes: Buffer): void {
    for (let at = 0; at + 16 <= bytes.length; at += 1) this.#note(bytes.subarray(at, at + 16));
    for (const key of [...this.#known.values()]) {
      if (bytes.length >= 24) this.#readRecord(decrypt('des-ede3', key, bytes.subarray(0, 24)));
      if (bytes.length === 16) {
        this.#learn(decrypt('aes-128-ecb', key, bytes));
        for (const counter of COUNTERS) this.#learn(decrypt('des-ede3', sessionDek(key, counter), bytes));
      }
    }
  }

  /** A key record of FMCOS: 15, five fields, the key, 80 00. */
  #readRecord(plain: Buffer): void {
    if (plain[0] === 0x15 && plain.subarray(22).equals(Buffer.from('8000', 'hex')))
      this.#learn(plain.subarray(6, 22));
  }

  /** A key, if it is one that there is: what was deciphered with the wrong key looks like nothing. */
  #learn(key: Buffer): void {
    this.#note(key);
    if (this.#ownKeys.has(nameOf(key))) this.#know(key);
  }

  #note(key: Buffer): void {
    const name = nameOf(key);
    if (!this.#secret.has(name)) return;
    this.#out.add(name);
    this.#know(key);
  }

  #know(key: Buffer): void {
    this.#known.set(nameOf(key), Buffer.from(key));
  }

  #card(): Card {
    return pick([...this.#own, ...this.#others]);
  }

  /** A card that there is, or one made up of several. */
  #statement(): Card {
    const card = this.#card();
    if (randomInt(3) !== 0) return card;
    return pick([
      { ...card, account: this.#card().account },
      { ...card, identification: this.#card().identification },
      { ...card, data: this.#card().data },
    ]);
  }

  #challenge(): Uint8Array {
    return randomBytes(pick([4, 4, 4, 8]));
  }

  #master(kind: 'app' | 'isd', role?: string, origin?: string): MasterKeyId {
    const fitting = this.#masters.filter(
      (one) =>
        one.purpose.startsWith(`${kind}/`) &&
        (role === undefined || one.purpose.endsWith(`/${role}`)) &&
        (origin === undefined || one.origin === origin),
    );
    const { purpose, origin: whose, version = 1 } = pick(fitting);
    return { purpose, origin: whose, version };
  }

  /** Mostly what the master's rule makes of some card. */
  #factor(master: MasterKeyId, card: Card): Uint8Array {
    const other = randomInt(4) === 0 ? this.#card() : card;
    const right = master.origin === 'factory' ? bcd(other.identification) : hash8(other);
    return randomInt(8) === 0 ? pick([bcd(other.account), hash8(other), randomBytes(8)]) : right;
  }

  #key(kind: 'app', card: Card, role?: string, origin?: string) {
    const master = this.#master(kind, role, origin);
    return { master, factor: this.#factor(master, card) };
  }

  #keyWrite(card: Card) {
    const p1 = pick([0x39, 0x36]);
    const role = p1 === 0x39 ? 'mck' : 'mtk';
    const newKey = this.#key('app', card, role, pick(['issuer', 'issuer', 'issuer', 'factory']));
    const app = newKey.master.purpose.split('/')[1] ?? '';
    const under = this.#key('app', card, 'mck', pick(['factory', 'factory', 'issuer']));
    const sameApp = { ...under, master: { ...under.master, purpose: `app/${app}/mck` } };
    const header = {
      typeInside: p1 | 0xc0,
      useRight: 0xf0,
      changeRight: 0xaa,
      nextState: p1 === 0x39 ? 0xaa : 0xff,
      counter: 0x33,
    };
    const changed = randomInt(6) === 0 ? { ...header, changeRight: 0x00, counter: 0xff } : header;
    return {
      card,
      under: randomInt(6) === 0 ? under : sameApp,
      newKey,
      p1,
      keyId: 0,
      header: changed,
      challenge: this.#challenge(),
    };
  }

  #diversified(master: MasterKeyId, card: Card) {
    const other = randomInt(4) === 0 ? this.#card() : card;
    const { data } = other;
    const diversification = pick([
      { kind: 'pboc' as const, factor: bcd(other.identification) },
      { kind: 'pboc' as const, factor: bcd(other.identification) },
      { kind: 'pboc' as const, factor: bcd(other.identification) },
      { kind: 'none' as const },
      { kind: 'kdf3' as const, data },
      { kind: 'visa2' as const, data },
    ]);
    return { master, diversification };
  }

  #domainKeys(card: Card, type?: string, origin?: 'factory' | 'issuer') {
    const first = this.#master('isd', 'enc', origin);
    const owner = type ?? first.purpose.split('/')[1] ?? '';
    const key = (role: string) => this.#diversified({ ...first, purpose: `isd/${owner}/${role}` }, card);
    return { enc: key('enc'), mac: key('mac'), dek: key('dek') };
  }

  #wrap(card: Card) {
    const keys = this.#domainKeys(card, undefined, pick(['issuer', 'issuer', 'factory']));
    const type = keys.enc.master.purpose.split('/')[1] ?? '';
    const { dek } = this.#domainKeys(card, type, pick(['factory', 'issuer']));
    const under = type.endsWith('02')
      ? { scp: '02' as const, dek, sequenceCounter: pick(COUNTERS) }
      : { scp: '03' as const, dek };
    return { card, under, keys };
  }
}

/** Few, so that what was wrapped can be read again. */
const COUNTERS = [Buffer.from('0000', 'hex'), Buffer.from('0001', 'hex')];

/** A card's key by the rule of its master. */
function keyOf(master: KnownMaster, card: Card): Buffer {
  return master.origin === 'factory' || master.purpose.startsWith('isd/')
    ? cardKey(master, card.identification)
    : issuersCardKey(master, card);
}

function nameOf(key: Uint8Array): string {
  return oddParity(key).toString('hex');
}

function sessionDek(key: Buffer, counter: Buffer): Buffer {
  const cipher = createCipheriv('des-ede3-cbc', double(key), Buffer.alloc(8)).setAutoPadding(false);
  return cipher.update(Buffer.concat([Buffer.from('0181', 'hex'), counter, Buffer.alloc(12)]));
}

function double(key: Buffer): Buffer {
  return Buffer.concat([key, key.subarray(0, 8)]);
}

function decrypt(name: 'des-ede3' | 'aes-128-ecb', key: Buffer, data: Buffer): Buffer {
  const decipher = createDecipheriv(name, name === 'des-ede3' ? double(key) : key, null).setAutoPadding(
    false,
  );
  return decipher.update(data);
}
