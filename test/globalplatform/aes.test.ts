/** NIST SP 800-38A, SP 800-38B examples D.1 to D.3, SP 800-108 in counter mode, and as SCP03 uses it. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex, xor } from '../../app/card/bytes.ts';
import { AesKey, counterKdf, scp03Kdf } from '../../app/globalplatform/aes.ts';
import { aesEcb } from '../support/globalplatform/ecb.ts';

describe('AES-CMAC', () => {
  it.each([
    { key: '2B7E151628AED2A6ABF7158809CF4F3C', bytes: 0, mac: 'BB1D6929E95937287FA37D129B756746' },
    { key: '2B7E151628AED2A6ABF7158809CF4F3C', bytes: 16, mac: '070A16B46B4D4144F79BDD9DD04A287C' },
    { key: '2B7E151628AED2A6ABF7158809CF4F3C', bytes: 40, mac: 'DFA66747DE9AE63030CA32611497C827' },
    { key: '2B7E151628AED2A6ABF7158809CF4F3C', bytes: 64, mac: '51F0BEBF7E3B9D92FC49741779363CFE' },
    {
      key: '8E73B0F7DA0E6452C810F32B809079E562F8EAD2522C6B7B',
      bytes: 40,
      mac: '8A1DE5BE2EB31AAD089A82E6EE908B0E',
    },
    {
      key: '603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4',
      bytes: 64,
      mac: 'E1992190549F6ED5696A2C056C315410',
    },
  ])('$mac', ({ key, bytes, mac }) => {
    expect(toHex(new AesKey(fromHex(key)).cmac(fromHex(MESSAGE.slice(0, 2 * bytes))))).toBe(mac);
  });
});

describe('a key that is set up once', () => {
  it('gives the same as one set up anew each time, in any order of calls', () => {
    const key = fromHex('2B7E151628AED2A6ABF7158809CF4F3C');
    const aes = new AesKey(key);
    for (let round = 0; round < 40; round += 1) {
      const iv = new Uint8Array(randomBytes(16));
      const data = new Uint8Array(randomBytes(16 * (round % 4)));
      expect(aes.cbc(data, iv)).toEqual(new AesKey(key).cbc(data, iv));
      expect(aes.ecb(data)).toEqual(aesEcb(key, data));
      expect(aes.cmac(data)).toEqual(new AesKey(key).cmac(data));
      expect(aes.cbcDecipher(data, iv)).toEqual(new AesKey(key).cbcDecipher(data, iv));
      expect(aes.cbcDecipher(aes.cbc(data, iv), iv)).toEqual(data);
    }
    aes.close();
    aes.close();
    expect(() => aes.cmac(key)).toThrow('closed');
  });

  it('enciphers by the vectors of NIST SP 800-38A, F.1.1 and F.2.1', () => {
    const aes = new AesKey(fromHex('2B7E151628AED2A6ABF7158809CF4F3C'));
    const block = fromHex('6BC1BEE22E409F96E93D7E117393172A');
    const iv = fromHex('000102030405060708090A0B0C0D0E0F');
    expect(toHex(aes.ecb(block))).toBe('3AD77BB40D7A3660A89ECAF32466EF97');
    expect(toHex(aes.cbc(block, iv))).toBe('7649ABAC8119B246CEE98E9B12E9197D');
    expect(
      toHex(
        aes.cbc(fromHex('AE2D8A571E03AC9C9EB76FAC45AF8E51'), fromHex('7649ABAC8119B246CEE98E9B12E9197D')),
      ),
    ).toBe('5086CB9B507219EE95DB113A917678B2');
  });
});

describe('key derivation in counter mode', () => {
  // NIST's vectors for SP 800-108 (CAVP KDFCTR, PRF = CMAC_AES128, CTRLOCATION = BEFORE_FIXED, RLEN = 8_BITS).
  it.each([
    [
      'DFF1E50AC0B69DC40F1051D46C2B069C',
      'C16E6E02C5A3DCC8D78B9AC1306877761310455B4E41469951D9E6C2245A064B33FD8C3B01203A7824485BF0A64060C4648B707D2607935699316EA5',
      '8BE8F0869B3C0BA97B71863D1B9F7813',
    ],
    [
      'C3BA16A8EC864C0F6F27CEA220ECCAAA',
      'C20FF015EA1E1C97FED4E973B46A9B2626CB3AC9A8776CB08D73D4534D3837CCF88E93D1682C6E779EA9F2F9EDE47A2E07EF281D8867722B310C1CAE',
      'CEEAAB29648CFF00B89F7330076298B1E036D73ED7C5E61F2E97BD5CE0920F0F45133EACA3D3712B',
    ],
  ])('key %s', (key, fixed, derived) => {
    const none = new Uint8Array(0);
    expect(toHex(counterKdf(fromHex(key), none, fromHex(fixed), derived.length / 2))).toBe(derived);
  });
});

describe('key derivation of SCP03', () => {
  it('gives a 192-bit key from two counted blocks, written out by hand', () => {
    const key = fromHex('404142434445464748494A4B4C4D4E4F');
    const context = fromHex('000102030405060708090A0B0C0D0E0F');
    // 32 bytes of input: two whole blocks, so the CMAC is CBC with K1 on the last one.
    const block = (counter: string) => {
      const input = concat(fromHex(`${'00'.repeat(11)}040000C0${counter}`), context);
      const zero = ecb(key, new Uint8Array(16));
      let carry = 0;
      const k1 = zero.slice();
      for (let i = 15; i >= 0; i -= 1) {
        const byte = zero[i] ?? 0;
        k1[i] = ((byte << 1) | carry) & 0xff;
        carry = byte >> 7;
      }
      if (carry === 1) k1[15] = (k1[15] ?? 0) ^ 0x87;
      return ecb(key, xor(xor(ecb(key, input.slice(0, 16)), input.slice(16)), k1));
    };
    expect(toHex(scp03Kdf(key, 0x04, context, 24))).toBe(
      toHex(concat(block('01'), block('02')).slice(0, 24)),
    );
  });
});

function ecb(key: Uint8Array, block: Uint8Array): Uint8Array {
  return Uint8Array.from(createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block));
}

const MESSAGE =
  '6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710';
