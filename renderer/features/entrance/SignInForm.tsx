/** A clerk signs in with the key server's user name and password. */
import { type FormEvent, useRef, useState } from 'react';
import type { FaultView } from '../../../electron/ipc-schema.ts';
import { Button } from '../../components/Button.tsx';
import { Field } from '../../components/Field.tsx';
import { FaultNotice } from '../../components/Notice.tsx';
import { inHand } from '../../state/jobs.ts';
import { bridge, useStation, useView, useWords } from '../../state/stores.ts';
import { type Credentials, useCredentials } from '../../state/use-credentials.ts';
import { OwnSecretForm } from './OwnSecretForm.tsx';
import css from './SignInForm.module.css';

export function SignInForm({ inline = false }: { readonly inline?: boolean }) {
  const { t } = useWords();
  const secretField = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const expired = useStation((state) => state.expired);
  const atWork = useView(({ station }) => station.jobs.some(inHand));
  const person = useCredentials();
  const [changing, setChanging] = useState<Credentials | null>(null);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const given = person.check();
    if (given === undefined || busy) return;
    setBusy(true);
    const answer = await bridge.session.signIn(given);
    setBusy(false);
    if (answer.ok) return;
    if (answer.code === 'secret-change-needed') {
      setChanging(given);
      return;
    }
    person.refused({ code: answer.code, details: answer.details });
    secretField.current?.focus();
  };
  if (changing !== null) {
    const end = (fault: FaultView | null) => {
      setChanging(null);
      person.refused(fault);
    };
    return <OwnSecretForm given={changing} inline={inline} onEnd={end} />;
  }

  return (
    <form
      className={inline ? css['inline'] : css['form']}
      onSubmit={(event) => void submit(event)}
      noValidate
    >
      <div className={css['head']}>
        <h1 className={css['title']}>{t('signin.title')}</h1>
        <p className={css['hint']}>{t(atWork ? 'signin.resume' : 'signin.hint')}</p>
      </div>
      {expired && person.fault === null ? (
        <FaultNotice fault={{ code: 'session-expired', details: {} }} tone="info" withCard={false} />
      ) : null}
      {person.fault === null ? null : <FaultNotice fault={person.fault} withCard={false} over />}
      <Field
        label={t('signin.operator')}
        autoComplete="username"
        // On the screen of its own this is what a clerk does first. Above lanes the focus may be needed in one of them.
        autoFocus={!inline}
        value={person.operator}
        onChange={person.setOperator}
        wrong={person.operatorMissing ? t('signin.operator-missing') : undefined}
      />
      <Field
        label={t('signin.secret')}
        type="password"
        autoComplete="current-password"
        inputRef={secretField}
        value={person.secret}
        onChange={person.setSecret}
        wrong={person.secretMissing ? t('signin.secret-missing') : undefined}
      />
      <Button type="submit" tone="primary" size="large" isPending={busy}>
        {t(busy ? 'signin.busy' : 'signin.submit')}
      </Button>
    </form>
  );
}
