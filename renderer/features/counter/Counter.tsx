/** The counter: a lane for each reader. */
import { FaultNotice, Notice } from '../../components/Notice.tsx';
import { Icon } from '../../icons/Icon.tsx';
import { TopBar } from '../../shell/TopBar.tsx';
import { useView, useWords } from '../../state/stores.ts';
import { SignInForm } from '../entrance/SignInForm.tsx';
import css from './Counter.module.css';
import { Lane } from './Lane.tsx';
import { OrphanJobs } from './OrphanJobs.tsx';
import { needsSignIn } from './stage.ts';

export function Counter() {
  const { t } = useWords();
  const signIn = useView((view) => needsSignIn(view.station));
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
      <TopBar />
      <main className={css['main']}>
        <h1 className={css['unseen']}>{t('counter.title')}</h1>
        {engine.kind === 'away' ? <Notice tone="caution" icon="refresh" title={t('engine.away')} /> : null}
        {signIn ? <SignInForm inline /> : null}
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
          {readers.map((reader, at) => (
            <Lane key={reader.name} reader={reader} number={at + 1} alone={readers.length === 1} />
          ))}
        </div>
      </main>
    </div>
  );
}
