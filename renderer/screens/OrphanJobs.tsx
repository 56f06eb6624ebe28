/** Work in hand that no lane shows: its reader is unplugged, or has other work to show. */
import { useMemo } from 'react';
import { grouped } from '../logic/formats.ts';
import { unseenJobs } from '../logic/stage.ts';
import { JobStage } from '../stages/JobStage.tsx';
import { useView, useWords } from '../state/stores.ts';
import css from './Lane.module.css';

export function OrphanJobs() {
  const { t } = useWords();
  const jobs = useView((view) => view.station.jobs);
  const readers = useView((view) => view.station.readers);
  const orphans = useMemo(() => unseenJobs(readers, jobs), [readers, jobs]);
  return orphans.map((job) => (
    <section key={job.id} className={css['lane']} aria-labelledby={job.id}>
      <h2 id={job.id} className={css['name']}>
        {t('job.card', { number: grouped(job.card) })}
      </h2>
      <div className={css['panel']}>
        <JobStage job={job} />
      </div>
    </section>
  ));
}
