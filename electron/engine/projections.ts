/** From the engine's values to what the window is shown (electron/ipc-schema/views.ts). Pure. */
import { estimatedFree, makePlan, type PlanStep } from '../../app/catalogue/plan.ts';
import type { CardApplication, Catalogue } from '../../app/catalogue/schema.ts';
import type { CardRecord } from '../../app/protocol/card-record.ts';
import { setAsideDetails } from '../../app/protocol/set-aside.ts';
import type { AppOutcome, Outcome } from '../../app/protocol/wire.ts';
import type { CardLook } from '../../app/station/readers/look.ts';
import type {
  JobState as EngineJobState,
  Notification as EngineNotification,
  JobView,
  ReaderView,
  ServiceView,
  Snapshot,
} from '../../app/station/views.ts';
import type {
  CardApp,
  CardHistory,
  CardView,
  CatalogueView,
  Change,
  PlanView,
  ResultView,
  StationView,
  JobView as WindowJob,
  JobState as WindowJobState,
  ReaderView as WindowReader,
  ServiceView as WindowService,
  WishView,
} from '../ipc-schema.ts';

function catalogue({ apps, profiles }: Catalogue): CatalogueView {
  return {
    apps: apps.map((app) => ({
      id: app.id,
      name: app.name,
      icon: app.icon,
      purse: app.purse,
      size: app.memory.load + app.memory.instance,
      loadable: app.package !== undefined,
    })),
    cardTypes: profiles.map((profile) => ({
      id: profile.id,
      name: profile.name,
      managed: profile.securityDomain !== undefined,
      reserve: profile.memoryReserve,
    })),
  };
}

/** In the catalogue's order, with those that the card's type should not have (`unforeseen`) or that could not be read (`unread`). */
function card(look: CardLook, { apps }: Catalogue): CardView {
  return {
    type: look.type,
    ...(look.code === undefined ? {} : { code: look.code }),
    number: look.identification,
    freeMemory: look.freeMemory,
    apps: apps.flatMap((app) => cardApp(look, app)),
  };
}

function cardApp(look: CardLook, { id }: CardApplication): CardApp[] {
  const observed = look.apps.find((one) => one.app === id);
  if (observed !== undefined) {
    const { app, state, balance } = observed;
    return [balance === undefined ? { app, state } : { app, state, balance }];
  }
  if (look.unforeseen.includes(id)) return [{ app: id, state: 'unforeseen' }];
  return look.unread.includes(id) ? [{ app: id, state: 'unread' }] : [];
}

function job({ id, reader, card, created, wishes, progress, state }: JobView): WindowJob {
  const { steps, current, sent, commands } = progress;
  return {
    id,
    reader,
    card,
    created,
    wishes: wishes.map(({ app, action }) => ({ app, action })),
    progress: { steps: steps.map((step) => ({ ...step })), current, sent, commands },
    state: jobState(state),
  };
}

function jobState(state: EngineJobState): WindowJobState {
  switch (state.kind) {
    case 'done':
      return { kind: 'done', result: result(state.outcome) };
    case 'failed':
      return { kind: 'failed', fault: { code: state.code, details: state.details } };
    case 'working':
    case 'waiting-for-card':
    case 'waiting-for-server':
    case 'waiting-for-disk':
    case 'abandoned':
      return state;
  }
}

function result(outcome: Outcome): ResultView {
  const { error, details = {} } = outcome;
  return {
    result: outcome.result,
    apps: outcome.apps.map(withoutVersions),
    deleted: outcome.deleted,
    ...(error === undefined ? {} : { fault: { code: error, details } }),
  };
}

function withoutVersions({ app, before, after, error }: AppOutcome): ResultView['apps'][number] {
  return { app, before, after, ...(error === undefined ? {} : { error }) };
}

function reader({ name, state }: ReaderView, offered: Catalogue): WindowReader {
  switch (state.kind) {
    case 'card': {
      const { look, ...jobs } = state;
      return { name, state: { ...jobs, card: card(look, offered) } };
    }
    case 'job':
      return {
        name,
        state: { kind: 'job', job: state.job, card: state.look === null ? null : card(state.look, offered) },
      };
    case 'empty':
    case 'looking':
    case 'problem':
      return { name, state };
  }
}

function service(view: ServiceView): WindowService {
  return view.kind === 'missing' ? { kind: 'missing', code: view.code } : view;
}

/** The whole of a running engine. */
function station(snapshot: Snapshot, offered: Catalogue): StationView {
  return {
    engine: { kind: 'running' },
    service: service(snapshot.service),
    server: snapshot.server,
    operator: snapshot.operator,
    readers: snapshot.readers.map((one) => reader(one, offered)),
    jobs: snapshot.jobs.map(job),
  };
}

function change(notification: EngineNotification, offered: Catalogue): Change {
  switch (notification.kind) {
    case 'snapshot':
      return { kind: 'station', station: station(notification.snapshot, offered) };
    case 'service':
      return { kind: 'service', service: service(notification.service) };
    case 'reader':
      return { kind: 'reader', reader: reader(notification.reader, offered) };
    case 'job':
      return { kind: 'job', job: job(notification.job) };
    case 'server':
    case 'operator':
    case 'reader-gone':
    case 'job-gone':
      return notification;
  }
}

/** makePlan's answer with its steps flattened: of a content step the deletions first, then the loads. */
function plan(look: CardLook, offered: Catalogue, wishes: readonly WishView[]): PlanView {
  const refused = (code: 'unknown-card' | 'nothing-to-do'): PlanView => ({
    fits: false,
    fault: { code, details: {} },
  });
  const profile = offered.profiles.find((one) => one.id === look.type);
  if (profile === undefined) return refused('unknown-card');
  const planned = makePlan({
    catalogue: offered,
    profile,
    observed: look.apps,
    wishes,
    // Where the card does not tell its free memory it is estimated, in the same way as the server does.
    free: look.freeMemory ?? estimatedFree(offered, profile, look.apps),
  });
  if ('refusal' in planned) {
    return { fits: false, fault: { code: planned.refusal.code, details: { ...planned.refusal.details } } };
  }
  const steps = planned.plan.steps.flatMap(flatten);
  if (steps.length === 0) return refused('nothing-to-do');
  const deleted = steps.filter((step) => step.kind === 'delete').map((step) => step.app);
  return {
    fits: true,
    steps,
    memory: planned.plan.memory,
    // What a purse says that it holds proves nothing, so that none is deleted by one person alone.
    confirm: deleted.filter((id) => offered.apps.find((app) => app.id === id)?.purse === true),
  };
}

function flatten(step: PlanStep): Extract<PlanView, { fits: true }>['steps'] {
  if (step.kind === 'enable' || step.kind === 'renew') return [{ kind: step.kind, app: step.app }];
  // The exchange of the card's own keys belongs to no app, and staff cannot choose it: it is not shown.
  if (step.kind === 'domain-keys') return [];
  return [
    ...step.deletes.map((app) => ({ kind: 'delete' as const, app })),
    ...step.loads.map((app) => ({ kind: 'load' as const, app })),
  ];
}

/** Jobs newest first; steps, versions and hashes left out. */
function history(record: CardRecord): CardHistory {
  return {
    number: record.card,
    type: record.cardType,
    account: record.account,
    issued: record.issued,
    setAside: record.setAside === null ? null : setAsideDetails(record.setAside),
    jobs: record.jobs
      .map(({ name, confirmed, station, reader, started, ended, result, apps, deleted }) => ({
        name,
        confirmedBy: [...new Set(confirmed.map((one) => one.name))],
        station,
        reader,
        started,
        ended,
        result,
        apps: apps.map(withoutVersions),
        deleted,
      }))
      .sort((a, b) => Date.parse(b.started) - Date.parse(a.started)),
  };
}

export const projections = { catalogue, card, job, station, change, plan, history };
