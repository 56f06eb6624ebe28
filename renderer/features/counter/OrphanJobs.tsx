/** Work in hand that no lane shows: its reader is unplugged, or has other work to show. */
import { useMemo } from 'react';
import { useView, useWords } from '../../state/stores.ts';
import { grouped } from '../../texts/formats.ts';
import css from './Lane.module.css';
import { unseenJobs } from './stage.ts';
import { JobStage } from './stages/JobStage.tsx';

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
