/** No card: the one thing to do, large. */
import { useWords } from '../../../state/stores.ts';
import css from './EmptyStage.module.css';

export function EmptyStage() {
  const { t } = useWords();
  return (
    <div className={css['empty']}>
      <ReaderArt />
      <p className={css['title']}>{t('empty.title')}</p>
      <p className={css['hint']}>{t('empty.hint')}</p>
    </div>
  );
}

/** A reader with a card on its way in. */
function ReaderArt() {
  return (
    <svg aria-hidden="true" className={css['art']} viewBox="0 0 220 190" fill="none">
      <ellipse cx="110" cy="174" rx="84" ry="9" className={css['shade']} />
      <g className={css['moving']}>
        <rect x="62" y="12" width="96" height="118" rx="10" className={css['card']} />
        <rect x="94" y="84" width="32" height="26" rx="5" className={css['chip']} />
        <path d="M105 84v26M115 84v26M94 97h32" className={css['contacts']} />
        <path d="M76 30h34M76 42h20" className={css['lines']} />
      </g>
      <path d="M30 112h160l9 50a10 10 0 0 1-10 11H31a10 10 0 0 1-10-11z" className={css['body']} />
      <path d="M52 122h116" className={css['slot']} />
      <circle cx="110" cy="150" r="4" className={css['lamp']} />
    </svg>
  );
}
