/** While the station starts, or why it does not. */
import { FaultNotice } from '../../components/Notice.tsx';
import { Spinner } from '../../components/Spinner.tsx';
import { useView, useWords } from '../../state/stores.ts';
import css from './StartPanel.module.css';

export function StartPanel() {
  const { t } = useWords();
  const engine = useView((view) => view.station.engine);
  if (engine.kind === 'failed') {
    return (
      <section className={css['panel']}>
        <h1 className={css['title']}>{t('start.failed')}</h1>
        <FaultNotice fault={{ code: engine.code, details: {} }} withCard={false} />
      </section>
    );
  }
  return (
    <section className={css['panel']} role="status">
      <Spinner size={36} />
      <h1 className={css['title']}>{t('start.title')}</h1>
      <p className={css['hint']}>{t('start.hint')}</p>
    </section>
  );
}
