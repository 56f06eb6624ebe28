/** The stand-in keeps the contract of the real one. */
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../app/card/bytes.ts';
import { openVirtualReaders } from '../../app/simulator/virtual-reader.ts';
import { describeReaderPort, fault } from '../station/readers/pcsc/port-contract.ts';
import { ECHO_ATR, echoCard } from './rig/echo-card.ts';

describeReaderPort('openVirtualReaders', async () => {
  const names = ['Virtual Reader A', 'Virtual Reader B'];
  const port = openVirtualReaders(names);
  const nameOf = (reader: number): string => names[reader] ?? '';
  return {
    port,
    readers: names,
    insert: async (reader, atr = ECHO_ATR) => port.insert(nameOf(reader), echoCard(fromHex(atr))),
    remove: async (reader) => port.remove(nameOf(reader)),
    stopService: async () => port.stopService(),
    startService: async () => port.startService(),
    close: port.close,
  };
});

describe('openVirtualReaders', () => {
  it('shows a card without an ATR as mute', async () => {
    const port = openVirtualReaders(['A']);
    port.insert('A', echoCard(new Uint8Array(0)));
    expect(port.state).toEqual({ service: 'running', readers: [{ name: 'A', card: 'mute', events: 1 }] });
    expect(await fault(port.connect('A'))).toBe('card-mute');
    await port.close();
  });

  it('refuses a second card in one reader, and a reader that is not there', async () => {
    const port = openVirtualReaders(['A']);
    port.insert('A', echoCard());
    expect(() => port.insert('A', echoCard())).toThrow(RangeError);
    expect(() => port.remove('B')).toThrow(RangeError);
    await port.close();
  });
});
