/** The card is being read: under a second. */
import { Spinner } from '../../../components/Spinner.tsx';
import { useWords } from '../../../state/stores.ts';
import css from './LookingStage.module.css';

export function LookingStage() {
  const { t } = useWords();
  return (
    <div className={css['looking']}>
      <Spinner size={40} />
      <p className={css['title']}>{t('looking.title')}</p>
      <p className={css['hint']}>{t('looking.hint')}</p>
    </div>
  );
}
