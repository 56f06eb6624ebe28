/** The binding's own parts: layouts against the systems' headers, return codes, the watcher's model, T=0. */
import koffi from 'koffi';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../app/card/bytes.ts';
import { pcscAbi } from '../../../../app/station/readers/pcsc/abi.ts';
import {
  cardError,
  faultOf,
  SCARD_STATE,
  serviceFaultOf,
} from '../../../../app/station/readers/pcsc/codes.ts';
import { openPcsc } from '../../../../app/station/readers/pcsc/index.ts';
import type { WatchedReaders } from '../../../../app/station/readers/pcsc/model.ts';
import {
  readersOf,
  withNames,
  withoutReaders,
  withStates,
} from '../../../../app/station/readers/pcsc/model.ts';
import { scardStructs } from '../../../../app/station/readers/pcsc/structs.ts';
import { toTpdu } from '../../../../app/station/readers/pcsc/tpdu.ts';
import { fault } from './port-contract.ts';

describe.skipIf(process.platform === 'win32')('the structures on a 64-bit machine', () => {
  for (const { platform, size, eventState, cbAtr, rgbAtr, request } of LAYOUTS) {
    it(`lie as on ${platform}`, () => {
      const { SCARD_IO_REQUEST, SCARD_READERSTATE } = scardStructs(pcscAbi(platform));
      expect(koffi.sizeof(SCARD_READERSTATE)).toBe(size);
      expect(koffi.offsetof(SCARD_READERSTATE, 'dwEventState')).toBe(eventState);
      expect(koffi.offsetof(SCARD_READERSTATE, 'cbAtr')).toBe(cbAtr);
      expect(koffi.offsetof(SCARD_READERSTATE, 'rgbAtr')).toBe(rgbAtr);
      expect(koffi.sizeof(SCARD_IO_REQUEST)).toBe(request);
    });
  }
});

describe('return codes', () => {
  it.each([
    [0x8010001d, 'service-missing'],
    [0x8010001e, 'service-missing'],
    [0x80100009, 'reader-lost'],
    [0x80100017, 'reader-lost'],
    [0x8010002e, 'reader-lost'],
    [0x8010000c, 'card-absent'],
    [0x80100069, 'card-removed'],
    [0x80100068, 'card-reset'],
    [0x80100066, 'card-mute'],
    [0x8010000b, 'card-held'],
    [0x80100016, 'communication'],
    [0x8010002f, 'communication'],
  ])('%i is %s', (rv, expected) => {
    expect(faultOf(rv)).toBe(expected);
  });

  it('tells a refused service from one that does not run', () => {
    expect(serviceFaultOf(0x8010006a)).toBe('refused');
    expect(serviceFaultOf(5)).toBe('refused');
    expect(serviceFaultOf(0x8010001d)).toBe('not-running');
  });

  it('names call and code for the log', () => {
    expect(cardError('SCardConnect', 0x80100009).detail).toBe('SCardConnect 0x80100009');
  });
});

describe('what the watcher knows', () => {
  const ATR = fromHex('3B00');
  const look = (known: WatchedReaders, word: number, atr: Uint8Array = new Uint8Array(0)): WatchedReaders =>
    withStates(known, [{ szReader: 'A', dwCurrentState: 0, dwEventState: word, atr }]);
  const { PRESENT, EMPTY, MUTE } = SCARD_STATE;

  it('takes presence, ATR and the count of events from the state word', () => {
    const empty = look(withNames(new Map(), ['A']), EMPTY);
    expect(readersOf(empty)).toEqual([{ name: 'A', card: 'absent', events: 0 }]);
    const inside = look(empty, PRESENT | (1 << 16), ATR);
    expect(readersOf(inside)).toEqual([{ name: 'A', card: 'present', atr: ATR, events: 1 }]);
    expect(readersOf(look(inside, PRESENT | (3 << 16), ATR))[0]?.events).toBe(3);
    expect(readersOf(look(inside, PRESENT | MUTE | (3 << 16)))[0]?.card).toBe('mute');
  });

  it('counts across the wrap of the 16-bit count', () => {
    const before = look(withNames(new Map(), ['A']), PRESENT | 0xffff0000, ATR);
    const after = look(before, (PRESENT | (1 << 16)) >>> 0, ATR);
    expect((readersOf(after)[0]?.events ?? 0) - (readersOf(before)[0]?.events ?? 0)).toBe(2);
  });

  it('counts what it sees where the service does not count', () => {
    const inside = look(look(withNames(new Map(), ['A']), EMPTY), PRESENT, ATR);
    expect(readersOf(inside)[0]?.events).toBe(1);
    expect(readersOf(look(inside, PRESENT, fromHex('3B01')))[0]?.events).toBe(3);
    expect(readersOf(look(inside, EMPTY))[0]?.events).toBe(2);
  });

  it('never counts back when a reader or the service went and came', () => {
    const inside = look(withNames(new Map(), ['A']), PRESENT | (9 << 16), ATR);
    const gone = withoutReaders(inside);
    expect(readersOf(gone)).toEqual([]);
    const back = look(withNames(gone, ['A']), PRESENT, ATR);
    expect(readersOf(back)[0]?.events).toBeGreaterThan(readersOf(inside)[0]?.events ?? 0);
  });
});

describe('a command for T=0', () => {
  it.each([
    ['case 1 gets P3', '00440000', '0044000000'],
    ['case 2 stays', '00B0000010', '00B0000010'],
    ['case 3 stays', '00D6000002AABB', '00D6000002AABB'],
    ['case 4 goes without Le', '00A4040002AABB00', '00A4040002AABB'],
    ['extended stays', '00A40400000002AABB0000', '00A40400000002AABB0000'],
  ])('%s', (_, command, tpdu) => {
    expect(toHex(toTpdu(fromHex(command), 1))).toBe(tpdu);
    expect(toHex(toTpdu(fromHex(command), 2))).toBe(command);
  });
});

describe('a machine without PC/SC', () => {
  it('says so, and refuses to connect', async () => {
    const port = openPcsc({ library: '/nonexistent/libpcsclite.so.1' });
    expect(port.state).toEqual({ service: 'missing', fault: 'not-installed' });
    expect(await fault(port.connect('A'))).toBe('service-missing');
    await port.close();
  });
});

// Worked out by hand from the declarations in pcsclite.h, winscard.h (x64) and Apple's headers (#pragma pack(1)).
const LAYOUTS = [
  { platform: 'linux', size: 80, eventState: 24, cbAtr: 32, rgbAtr: 40, request: 16 },
  { platform: 'win32', size: 64, eventState: 20, cbAtr: 24, rgbAtr: 28, request: 8 },
  { platform: 'darwin', size: 61, eventState: 20, cbAtr: 24, rgbAtr: 28, request: 8 },
] as const;
