/** The product's mark and name. */
import { useWords } from '../state/stores.ts';
import css from './Brand.module.css';

export function Mark({ size = 32 }: { readonly size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 32 32" fill="none">
      <rect width="32" height="32" rx="9" className={css['ground']} />
      <path d="M9 13.2 20.6 8.3a1.6 1.6 0 0 1 2.1.9l1.5 3.7" className={css['line']} />
      <rect x="7" y="13" width="18" height="11.5" rx="2.2" className={css['card']} />
      <path d="M10.5 20.5h5" className={css['line']} />
    </svg>
  );
}

export function Brand() {
  const { t } = useWords();
  return (
    <span className={css['brand']}>
      <Mark />
      <span className={css['name']}>{t('app.name')}</span>
    </span>
  );
}
