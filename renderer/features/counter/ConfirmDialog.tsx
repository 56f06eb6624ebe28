/** A second person signs in for the deletion of a purse that may hold money. */
import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { FaultView } from '../../../electron/ipc-schema.ts';
import { Button } from '../../components/Button.tsx';
import { Dialog } from '../../components/Dialog.tsx';
import { Field } from '../../components/Field.tsx';
import { FaultNotice } from '../../components/Notice.tsx';
import { useWords } from '../../state/stores.ts';
import { type Credentials, useCredentials } from '../../state/use-credentials.ts';
import { money } from '../../texts/formats.ts';
import css from './ConfirmDialog.module.css';

interface ConfirmDialogProps {
  /** What is to be deleted, and what each says that it holds. */
  readonly apps: readonly { readonly app: string; readonly balance: number | undefined }[];
  /** Resolves with why it was refused, or null when it was confirmed. `cancelled`: the dialog was closed meanwhile. */
  readonly onConfirm: (person: Credentials, cancelled: AbortSignal) => Promise<FaultView | null>;
  readonly onClose: () => void;
}

export function ConfirmDialog({ apps, onConfirm, onClose }: ConfirmDialogProps) {
  const words = useWords();
  const { t } = words;
  const [busy, setBusy] = useState(false);
  const person = useCredentials();
  const asking = useRef<AbortController | null>(null);
  useEffect(() => () => asking.current?.abort(), []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const given = person.check();
    if (given === undefined || busy) return;
    setBusy(true);
    const control = new AbortController();
    asking.current = control;
    const fault = await onConfirm(given, control.signal);
    if (control.signal.aborted) return;
    setBusy(false);
    if (fault === null) onClose();
    else person.refused(fault);
  };
  const named = ({ app, balance }: (typeof apps)[number]) =>
    balance === undefined
      ? words.app(app)
      : t('confirm.app', { app: words.app(app), amount: money(balance, t) });
  return (
    <Dialog title={t('confirm.title')} onClose={onClose}>
      <form className={css['form']} onSubmit={(event) => void submit(event)} noValidate>
        <p>{t('confirm.text', { apps: words.list(apps.map(named)) })}</p>
        {person.fault === null ? null : <FaultNotice fault={person.fault} withCard={false} over />}
        <Field
          label={t('confirm.operator')}
          autoComplete="off"
          autoFocus
          value={person.operator}
          onChange={person.setOperator}
          wrong={person.operatorMissing ? t('signin.operator-missing') : undefined}
        />
        <Field
          label={t('confirm.secret')}
          type="password"
          autoComplete="off"
          value={person.secret}
          onChange={person.setSecret}
          wrong={person.secretMissing ? t('signin.secret-missing') : undefined}
        />
        <div className={css['actions']}>
          <Button onPress={onClose}>{t('common.cancel')}</Button>
          <Button type="submit" tone="primary" isPending={busy}>
            {t('confirm.submit')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
