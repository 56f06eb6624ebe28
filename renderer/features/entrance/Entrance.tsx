/** The frame of the screens before the counter: the product's name on one side, the one thing to do on the other. */
import type { ReactNode } from 'react';
import { Mark } from '../../components/Brand.tsx';
import { Rosette } from '../../components/Rosette.tsx';
import { useView, useWords } from '../../state/stores.ts';
import { Checklist } from './Checklist.tsx';
import css from './Entrance.module.css';

interface EntranceProps {
  /** What can be set before anybody signs in. */
  readonly tools: ReactNode;
  readonly children: ReactNode;
}

export function Entrance({ tools, children }: EntranceProps) {
  const { t } = useWords();
  const version = useView((view) => view.version);
  return (
    <div className={css['entrance']}>
      <header className={css['face']}>
        <Rosette className={css['rose']} />
        <Mark size={56} />
        <div className={css['words']}>
          <p className={css['name']}>{t('app.name')}</p>
          <p className={css['tagline']}>{t('app.tagline')}</p>
        </div>
        <p className={css['version']}>{t('app.version', { version })}</p>
      </header>
      <main className={css['side']}>
        <div className={css['tools']}>{tools}</div>
        <div className={css['middle']}>
          {children}
          <Checklist />
        </div>
      </main>
    </div>
  );
}
