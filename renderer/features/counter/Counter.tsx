/** The counter: a lane for each reader. */
import type { ReactNode } from 'react';
import { FaultNotice, Notice } from '../../components/Notice.tsx';
import { Icon } from '../../icons/Icon.tsx';
import { needsSignIn } from '../../state/jobs.ts';
import { useView, useWords } from '../../state/stores.ts';
import css from './Counter.module.css';
import { HistoryOf, type ShowHistory } from './history-of.ts';
import { Lane } from './Lane.tsx';
import { OrphanJobs } from './OrphanJobs.tsx';

interface CounterProps {
  /** What stands above the lanes. */
  readonly bar: ReactNode;
  /** Shown above the lanes while somebody has to sign in. */
  readonly signIn: ReactNode;
  readonly historyOf: ShowHistory;
}

export function Counter({ bar, signIn, historyOf }: CounterProps) {
  const { t } = useWords();
  const mustSignIn = useView((view) => needsSignIn(view.station));
  const engine = useView((view) => view.station.engine);
  const service = useView((view) => view.station.service);
  const readers = useView((view) => view.station.readers);
  const fault =
    service.kind === 'missing'
      ? service.code
      : service.kind === 'running' && readers.length === 0
        ? 'no-reader'
        : null;
  return (
    <div className={css['counter']}>
      {bar}
      <main className={css['main']}>
        <h1 className={css['unseen']}>{t('counter.title')}</h1>
        {engine.kind === 'away' ? <Notice tone="caution" icon="refresh" title={t('engine.away')} /> : null}
        {mustSignIn ? signIn : null}
        <OrphanJobs />
        {fault === null ? null : (
          <section className={css['none']}>
            <span className={css['none-mark']}>
              <Icon name="plug" size={40} />
            </span>
            <h2 className={css['none-title']}>{t('counter.no-reader')}</h2>
            <FaultNotice fault={{ code: fault, details: {} }} tone="caution" withCard={false} />
          </section>
        )}
        <div className={css['lanes']} data-count={Math.min(readers.length, 4)}>
          <HistoryOf value={historyOf}>
            {readers.map((reader, at) => (
              <Lane key={reader.name} reader={reader} number={at + 1} alone={readers.length === 1} />
            ))}
          </HistoryOf>
        </div>
      </main>
    </div>
  );
}
