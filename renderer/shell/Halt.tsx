/** Nothing else can be shown: the station did not answer the window's first question, or a screen broke. */
import type { FaultView } from '../../electron/ipc-schema.ts';
import { Button } from '../components/Button.tsx';
import { FaultNotice } from '../components/Notice.tsx';
import { useWords } from '../state/stores.ts';
import css from './Halt.module.css';

export function Halt({ fault, onAgain }: { readonly fault: FaultView; readonly onAgain: () => void }) {
  const { t } = useWords();
  return (
    <main className={css['halt']}>
      <h1 className={css['title']}>{t('app.name')}</h1>
      <FaultNotice
        fault={fault}
        actions={
          <Button icon="refresh" autoFocus onPress={onAgain}>
            {t('checks.retry')}
          </Button>
        }
      />
    </main>
  );
}
