/** The log takes the fields of its list and no others: what somebody adds by mistake is not written. */
import { expect, it } from 'vitest';
import { framesOf, type LogFields, openLog } from '../../../app/keyserver/log.ts';

it('one JSON object a line, with time, level, event and listed fields only', () => {
  const lines: string[] = [];
  const log = openLog(
    (line) => lines.push(line),
    () => new Date('2026-11-23T09:17:40.859Z'),
  );
  const fields = {
    requestId: 'r',
    status: 200,
    // Not in the type, as it would come from a value that was spread into it.
    apdu: '84D43900',
    account: '6217001234567890',
    token: 'secret',
    card: { id: '1234567890123456' },
  };
  log('info', 'request', fields satisfies LogFields & Record<string, unknown>);
  log('error', 'a\nb', { reason: 'x\ny' });
  expect(lines).toHaveLength(2);
  expect(lines[0]).toBe(
    '{"level":"info","time":"2026-11-23T09:17:40.859Z","event":"request","requestId":"r","status":200}\n',
  );
  // A line is a line, whatever stands in it.
  for (const line of lines) expect(line.trimEnd().split('\n')).toHaveLength(1);
});

it('of a fault the places in the program, and nothing of what its message quotes', () => {
  const fault = new Error('unexpected token at 6217001234567890\n    at 84D43900 (the body:1:1');
  const frames = framesOf(fault);
  expect(frames[0]).toMatch(/^at .*log\.test\.ts:\d+:\d+\)?$/);
  expect(frames.join()).not.toMatch(/6217001234567890|84D43900/);
  expect(framesOf('no error at all')).toEqual([]);
});
