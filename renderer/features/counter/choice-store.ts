/** What the clerk chose for the card in each reader, until a job is started. Until then nothing has happened to the card. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Bridge } from '../../../electron/ipc-schema/bridge.ts';
import type { FaultView } from '../../../electron/ipc-schema.ts';
import type { Credentials } from '../../state/use-credentials.ts';
import { accountOf, type Choice, confirmedWishes, emptyChoice, type RecordView, wishesOf } from './choice.ts';
import type { AppRow } from './rows.ts';

/** By reader. */
type Choices = Readonly<Record<string, Choice>>;

interface ChoiceStore extends StoreApi<Choices> {
  /** A card is ready to be served: begins its choice, unless it has begun, and asks the server what it knows. */
  begin(reader: string, card: string): Promise<void>;
  /** The card is gone, or a job has taken over. */
  forget(reader: string): void;
  edit(reader: string, change: (choice: Choice) => Choice): void;
  /** Plans what is ticked. Says what is missing before that. */
  review(reader: string, rows: readonly AppRow[]): Promise<'account' | 'wishes' | 'planned' | 'refused'>;
  /** Starts what was planned. */
  start(reader: string, rows: readonly AppRow[], handles?: ReadonlyMap<string, string>): Promise<void>;
  /** Has a second person confirm the plan's deletions, then starts unless it was cancelled. Gives why it was refused. */
  confirm(
    reader: string,
    rows: readonly AppRow[],
    person: Credentials,
    cancelled: AbortSignal,
  ): Promise<FaultView | null>;
}

/** `onExpired`: the server says that the session is over. */
export function createChoiceStore(bridge: Bridge, onExpired: () => void): ChoiceStore {
  const store = createStore<Choices>(() => ({}));

  const edit = (reader: string, change: (choice: Choice) => Choice) => {
    const choice = store.getState()[reader];
    if (choice !== undefined) store.setState({ [reader]: change(choice) });
  };
  /** For answers, which come late: by then another card may be in the reader, and its choice must stay as it is. */
  const editOf = (reader: string, card: string, change: (choice: Choice) => Choice) => {
    if (store.getState()[reader]?.card === card) edit(reader, change);
  };

  /** Shows why; a session that is over sends the clerk to sign in again, with the choice kept. */
  const refused = (reader: string, card: string, { code, details }: FaultView) => {
    const expired = code === 'session-expired';
    editOf(reader, card, (one) => ({ ...one, busy: false, fault: expired ? null : { code, details } }));
    if (expired) onExpired();
  };

  const start: ChoiceStore['start'] = async (reader, rows, handles = new Map()) => {
    const choice = store.getState()[reader];
    const account = choice === undefined ? undefined : accountOf(choice);
    if (choice === undefined || account === undefined || choice.busy) return;
    edit(reader, (one) => ({ ...one, busy: true, fault: null }));
    const wishes = confirmedWishes(wishesOf(choice, rows), handles);
    const answer = await bridge.job.start({ reader, card: choice.card, account, wishes });
    // After a good answer `busy` stays set: the reader soon shows the job, and the choice is forgotten then. Until that moment a
    // second click must not start a second job.
    if (!answer.ok) refused(reader, choice.card, answer);
  };

  return {
    ...store,
    edit,
    start,
    forget(reader) {
      const { [reader]: _, ...others } = store.getState();
      store.setState(others, true);
    },
    async begin(reader, card) {
      const known = store.getState()[reader];
      if (known?.card !== card) store.setState({ [reader]: emptyChoice(card) });
      else if (known.record.kind !== 'unconfirmed') return;
      const answer = await bridge.card.history({ card });
      if (!answer.ok && answer.code === 'session-expired') onExpired();
      const record: RecordView = answer.ok
        ? { kind: 'known', history: answer.value }
        : answer.code === 'not-found'
          ? { kind: 'new' }
          : { kind: 'unconfirmed', fault: { code: answer.code, details: answer.details } };
      editOf(reader, card, (one) => ({ ...one, record }));
    },
    async review(reader, rows) {
      const choice = store.getState()[reader];
      if (choice === undefined || choice.busy) return 'refused';
      const wishes = wishesOf(choice, rows);
      const missing = accountOf(choice) === undefined ? 'account' : wishes.length === 0 ? 'wishes' : null;
      edit(reader, (one) => ({ ...one, missing }));
      if (missing !== null) return missing;
      edit(reader, (one) => ({ ...one, busy: true, fault: null }));
      const answer = await bridge.job.preview({ reader, wishes });
      if (answer.ok) editOf(reader, choice.card, (one) => ({ ...one, busy: false, plan: answer.value }));
      else refused(reader, choice.card, answer);
      return answer.ok ? 'planned' : 'refused';
    },
    async confirm(reader, rows, person, cancelled) {
      const choice = store.getState()[reader];
      const plan = choice?.plan;
      if (choice === undefined || plan?.fits !== true) return null;
      // A handle is good for one wish.
      const handles = new Map<string, string>();
      for (const app of plan.confirm) {
        const answer = await bridge.session.confirm({ ...person, reader, card: choice.card, app });
        // The second person confirmed the plan that was on the screen. Another plan, or a closed dialog: nothing is started.
        if (cancelled.aborted || store.getState()[reader]?.plan !== plan) return null;
        if (!answer.ok) return { code: answer.code, details: answer.details };
        handles.set(app, answer.value);
      }
      await start(reader, rows, handles);
      return null;
    },
  };
}
