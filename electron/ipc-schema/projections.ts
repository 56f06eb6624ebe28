/** From the engine's values to the window's: the types of the pure functions that do it. */
import type { Catalogue } from '../../app/catalogue/schema.ts';
import type { CardRecord } from '../../app/protocol/wire.ts';
import type { CardLook } from '../../app/station/readers/look.ts';
import type { Notification as EngineNotification, JobView, Snapshot } from '../../app/station/views.ts';
import type {
  CardHistory,
  CardView,
  CatalogueView,
  Change,
  PlanView,
  StationView,
  JobView as WindowJob,
  WishView,
} from '../ipc-schema.ts';

export interface Projections {
  readonly catalogue: (catalogue: Catalogue) => CatalogueView;
  /** Apps in the catalogue's order, the unforeseen and the unread ones among them. */
  readonly card: (look: CardLook, catalogue: Catalogue) => CardView;
  readonly job: (job: JobView) => WindowJob;
  /** The whole of a running engine. */
  readonly station: (snapshot: Snapshot, catalogue: Catalogue) => StationView;
  readonly change: (notification: EngineNotification, catalogue: Catalogue) => Change;
  /** makePlan's answer with its steps flattened: of a content step the deletions first, then the loads. */
  readonly plan: (look: CardLook, catalogue: Catalogue, wishes: readonly WishView[]) => PlanView;
  /** Jobs newest first; steps, versions and hashes left out. */
  readonly history: (record: CardRecord) => CardHistory;
}
