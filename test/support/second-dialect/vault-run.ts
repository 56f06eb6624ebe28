/** Lantern's key operations, over the token. */
import { wipe } from '../../../app/card/bytes.ts';
import type { RunsOf } from '../../../app/keyserver/vault/operation.ts';
import { withCardKey } from '../../../app/keyserver/vault/process/run/card-key.ts';
import { requireOneCard } from '../../../app/keyserver/vault/process/run/one-card.ts';
import type { Workbench } from '../../../app/keyserver/vault/process/run/workbench.ts';
import { asBuffer } from '../../../app/keyserver/vault/process/token/session.ts';
import type { lanternOperations } from './vault-operations.ts';

export const runs: RunsOf<typeof lanternOperations, Workbench> = {
  lanternOpen: (bench, { card, key, random }) =>
    withCardKey(bench, card, key, 'des3-16', 'encrypt', (handle) =>
      bench.session.des3Ecb(handle, asBuffer(random)),
    ),
  lanternChange: (bench, { card, under, newKey }) => {
    requireOneCard(bench, card, under, newKey);
    const clear = asBuffer(new Uint8Array(16));
    try {
      withCardKey(bench, card, newKey, 'des3-16', 'readable', (handle) =>
        bench.session.raw.readValue(bench.session.handle, handle, clear),
      );
      return withCardKey(bench, card, under, 'des3-16', 'encrypt', (handle) =>
        bench.session.des3Ecb(handle, clear),
      );
    } finally {
      wipe(clear);
    }
  },
};
