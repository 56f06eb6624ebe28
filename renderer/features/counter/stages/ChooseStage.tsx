/** The card's apps, ticks for what to enable, a calm way to delete, and whose account it is. */
import { type FormEvent, type KeyboardEvent, useEffect, useRef } from 'react';
import type { CardView } from '../../../../electron/ipc-schema.ts';
import { Button } from '../../../components/Button.tsx';
import { Field } from '../../../components/Field.tsx';
import { FaultNotice, Notice } from '../../../components/Notice.tsx';
import { useView, useWords } from '../../../state/stores.ts';
import { AppRow } from '../AppRow.tsx';
import { boundAccount, type Choice, setAsideOf, toggled, wishesOf, withAccount } from '../choice.ts';
import { choices } from '../choices.ts';
import { rowsOf, shownOnly } from '../rows.ts';
import { focusFirst, mayTakeFocus, moveFocus } from './focus.ts';
import css from './Stage.module.css';

interface ChooseStageProps {
  readonly reader: string;
  readonly card: CardView;
  /** Undefined while nobody is signed in. */
  readonly choice: Choice | undefined;
}

export function ChooseStage({ reader, card, choice }: ChooseStageProps) {
  const { t } = useWords();
  const form = useRef<HTMLFormElement>(null);
  const catalogue = useView((view) => view.catalogue);
  const signedIn = useView((view) => view.station.operator !== null);
  const serverAway = useView((view) => view.station.server.state === 'away');
  const aside = choice === undefined ? null : setAsideOf(choice);
  const rows = aside === null ? rowsOf(card, catalogue) : shownOnly(rowsOf(card, catalogue));
  const readOnly = choice === undefined || !signedIn || aside !== null;
  const record = choice?.record.kind;
  const needsAccount =
    choice !== undefined && boundAccount(choice) === undefined && (record !== 'asking' || serverAway);
  const ready = record !== undefined && (record !== 'asking' || serverAway);

  useEffect(() => {
    if (ready && form.current !== null && mayTakeFocus(form.current)) focusFirst(form.current);
  }, [ready]);

  const submit = async (event?: FormEvent) => {
    event?.preventDefault();
    // While the server is asked whose card it is, nobody knows yet whether an account is missing.
    if (!ready) return;
    const missing = await choices.review(reader, rows);
    if (missing === 'account' || missing === 'wishes') focusFirst(form.current, missing);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (form.current === null || !isTick(event.target)) return;
    if (event.key === 'Enter') {
      event.preventDefault();
      void submit();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      moveFocus(form.current, event.key === 'ArrowDown' ? 1 : -1);
    } else if (/^[1-9]$/.test(event.key)) {
      // The number of an app in the list ticks it.
      const row = rows[Number(event.key) - 1];
      if (row?.canEnable === true) choices.edit(reader, (one) => toggled(one, row.app.id, 'enable'));
    }
  };

  return (
    <form
      ref={form}
      className={css['stage']}
      onSubmit={(event) => void submit(event)}
      onKeyDown={onKeyDown}
      noValidate
    >
      {aside === null ? null : <FaultNotice fault={aside} tone="caution" />}
      {!signedIn ? <Notice tone="info" icon="user" title={t('signin.lane')} /> : null}
      {choice?.fault == null || aside !== null ? null : <FaultNotice fault={choice.fault} />}
      {needsAccount && !readOnly ? (
        <Field
          label={t('account.label')}
          hint={t('account.hint')}
          wrong={choice.missing === 'account' ? t('account.wrong') : undefined}
          digits
          autoComplete="off"
          value={choice.account}
          onChange={(typed) => choices.edit(reader, (one) => withAccount(one, typed))}
        />
      ) : null}
      <h3 className={css['title']}>{t(readOnly ? 'apps.label' : 'apps.title')}</h3>
      <ul className={css['list']} aria-label={t('apps.label')}>
        {rows.map((row) => (
          <AppRow
            key={row.app.id}
            row={row}
            wish={choice?.wishes[row.app.id]}
            readOnly={readOnly}
            onWish={(action) => choices.edit(reader, (one) => toggled(one, row.app.id, action))}
          />
        ))}
      </ul>
      {readOnly ? null : (
        <footer className={css['foot']}>
          <Sum
            wishes={wishesOf(choice, rows)}
            missing={choice.missing === 'wishes'}
            nothingLeft={rows.every((row) => row.state === 'enabled')}
          />
          <Button
            type="submit"
            tone="primary"
            size="large"
            iconAfter="arrow-right"
            isPending={choice.busy || !ready}
          >
            {t('apps.next')}
          </Button>
        </footer>
      )}
    </form>
  );
}

function isTick(target: EventTarget): boolean {
  return target instanceof HTMLInputElement && target.type === 'checkbox';
}

interface SumProps {
  readonly wishes: ReturnType<typeof wishesOf>;
  /** It was to go on without any. */
  readonly missing: boolean;
  readonly nothingLeft: boolean;
}

function Sum({ wishes, missing, nothingLeft }: SumProps) {
  const { t } = useWords();
  const count = (action: 'enable' | 'delete') => wishes.filter((wish) => wish.action === action).length;
  const [enable, remove] = [count('enable'), count('delete')];
  return (
    <p className={css['sum']} role="status" data-missing={missing || undefined}>
      {enable > 0 ? <span>{t('apps.chosen-enable', { count: enable })}</span> : null}
      {remove > 0 ? <span>{t('apps.chosen-delete', { count: remove })}</span> : null}
      {enable + remove === 0 ? (
        <span>
          {t(nothingLeft ? 'apps.all-enabled' : missing ? 'apps.chosen-missing' : 'apps.chosen-none')}
        </span>
      ) : null}
    </p>
  );
}
