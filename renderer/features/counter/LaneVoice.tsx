/** What a screen reader says as a lane's stage changes. */
import { useWords, type Words } from '../../state/stores.ts';
import css from './Counter.module.css';
import type { Stage } from './stage.ts';

export function LaneVoice({ stage }: { readonly stage: Stage }) {
  const words = useWords();
  return (
    <p className={css['unseen']} role="status">
      {sayingOf(stage, words)}
    </p>
  );
}

/** Nothing where a stage shows a notice: a screen reader says that by itself (the role in Notice.tsx), and would say it twice. */
function sayingOf(stage: Stage, { t }: Words): string {
  switch (stage.kind) {
    case 'empty':
      return t('empty.title');
    case 'looking':
      return t('looking.title');
    case 'choose':
      return t('apps.title');
    case 'running':
      return t(stage.writing ? 'job.writing' : 'job.working');
    case 'ended':
      return stage.end.kind === 'done' ? `${t(`end.${stage.end.result.result}`)} ${t('end.take')}` : '';
    case 'foreign':
    case 'waiting':
    case 'other-card':
    case 'problem':
      return '';
  }
}
