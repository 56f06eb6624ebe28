/** Whoever signs in with a secret that somebody else made chooses one of their own, and is signed in with it. */
import { type FormEvent, useState } from 'react';
import type { FaultView } from '../../../electron/ipc-schema.ts';
import { Button } from '../../components/Button.tsx';
import { Field } from '../../components/Field.tsx';
import { FaultNotice } from '../../components/Notice.tsx';
import { bridge, useWords } from '../../state/stores.ts';
import type { Credentials } from '../../state/use-credentials.ts';
import { type SecretFault, secretFault } from './own-secret.ts';
import css from './SignInForm.module.css';

interface OwnSecretFormProps {
  /** What they signed in with. */
  readonly given: Credentials;
  readonly inline: boolean;
  /** They are to sign in once more: what they gave does not serve any longer, or they do not want to. */
  readonly onEnd: (fault: FaultView | null) => void;
}

const STILL_GOOD: ReadonlySet<string> = new Set([
  'server-away',
  'server-slow',
  'server-busy',
  'server-store-failed',
  'bad-request',
  'secret-change-needed',
]);

export function OwnSecretForm({ given, inline, onEnd }: OwnSecretFormProps) {
  const { t } = useWords();
  const [chosen, setChosen] = useState('');
  const [again, setAgain] = useState('');
  const [wrong, setWrong] = useState<SecretFault | undefined>();
  const [fault, setFault] = useState<FaultView | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const found = secretFault(given.secret, chosen, again);
    setWrong(found);
    setFault(null);
    if (found !== undefined) return;
    setBusy(true);
    const answer = await bridge.session.signIn({ ...given, newSecret: chosen });
    setBusy(false);
    if (answer.ok) return;
    const why = { code: answer.code, details: answer.details };
    // The server was not reached, or not now: what was typed is still good.
    if (STILL_GOOD.has(answer.code)) setFault(why);
    else onEnd(why);
  };

  const change = (set: (value: string) => void) => (value: string) => {
    set(value);
    setWrong(undefined);
  };
  return (
    <form
      className={inline ? css['inline'] : css['form']}
      onSubmit={(event) => void submit(event)}
      noValidate
    >
      <div className={css['head']}>
        <h1 className={css['title']}>{t('own-secret.title')}</h1>
        <p className={css['hint']}>{t('own-secret.hint')}</p>
      </div>
      {fault === null ? null : <FaultNotice fault={fault} withCard={false} over />}
      <Field
        label={t('own-secret.new')}
        type="password"
        autoComplete="new-password"
        autoFocus
        value={chosen}
        onChange={change(setChosen)}
        wrong={wrong === undefined || wrong === 'differs' ? undefined : t(`own-secret.${wrong}`)}
      />
      <Field
        label={t('own-secret.again')}
        type="password"
        autoComplete="new-password"
        value={again}
        onChange={change(setAgain)}
        wrong={wrong === 'differs' ? t('own-secret.differs') : undefined}
      />
      <div className={css['choices']}>
        <Button type="submit" tone="primary" size="large" isPending={busy}>
          {t(busy ? 'signin.busy' : 'own-secret.submit')}
        </Button>
        <Button size="large" onPress={() => onEnd(null)}>
          {t('common.cancel')}
        </Button>
      </div>
    </form>
  );
}
