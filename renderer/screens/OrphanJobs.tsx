/** Work in hand whose reader is not there: unplugged, or the card is wanted in another one. */
import { useMemo } from 'react';
import { grouped } from '../logic/formats.ts';
import { inHand } from '../logic/stage.ts';
import { JobStage } from '../stages/JobStage.tsx';
import { useView, useWords } from '../state/stores.ts';
import css from './Lane.module.css';

export function OrphanJobs() {
  const { t } = useWords();
  const jobs = useView((view) => view.station.jobs);
  const readers = useView((view) => view.station.readers);
  const orphans = useMemo(
    () => jobs.filter((job) => inHand(job) && readers.every((reader) => reader.name !== job.reader)),
    [jobs, readers],
  );
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
