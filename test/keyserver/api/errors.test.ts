/** What a failure is called on the wire. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { toErrorBody } from '../../../app/keyserver/api/errors.ts';

it('something stored that does not follow its schema is a fault of the server, not of the request', () => {
  const { error } = z.string().safeParse(1);
  expect(toErrorBody(error, 'r')).toMatchObject({ code: 'internal', requestId: 'r' });
});
