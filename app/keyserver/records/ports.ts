/** What reading the record needs of the server. */
import type { Catalogue } from '../../catalogue/schema.ts';
import type { Store } from '../store/store.ts';

export interface RecordPorts {
  readonly store: Store;
  /** A card type's rules say which key makes an app the issuer's. */
  readonly catalogue: Catalogue;
}
