/** What is on record of cards. */
import { z } from 'zod';
import { cardRecordSchema } from '../../../protocol/card-record.ts';
import { cardPageSchema, cardSearchSchema, cursorSchema } from '../../../protocol/search.ts';
import { identificationSchema } from '../../../protocol/wire.ts';
import { readCardRecord } from '../../records/card-record.ts';
import { pageOf, searchCards } from '../../records/search.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';

export const CARD_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/cards',
    may: 'search-cards',
    summary: 'find cards by number, account, operator and time',
    query: cardSearchSchema,
    reply: cardPageSchema,
    handle: ({ context, authority }, { caller, query }) =>
      authority.searching(caller, query, pageOf(query), () => searchCards(context, query, context.now())),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/cards/{card}',
    may: 'read-card',
    summary: 'what is on record of a card',
    params: z.strictObject({ card: identificationSchema }),
    // Which of the card's jobs: those before a place that an earlier answer named.
    query: z.strictObject({ before: cursorSchema.optional() }),
    reply: cardRecordSchema,
    async handle({ context, authority }, { caller, params, query }) {
      await authority.noteReading(caller, params.card);
      return readCardRecord(context, params.card, query.before);
    },
  }),
];
