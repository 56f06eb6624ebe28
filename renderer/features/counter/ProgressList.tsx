/** Every app of a job with how far it is. */
import { Label, ProgressBar } from 'react-aria-components';
import type { StepView } from '../../../electron/ipc-schema.ts';
import { AppIcon } from '../../components/AppIcon.tsx';
import { Icon } from '../../icons/Icon.tsx';
import { type AppProgress, appsOf } from '../../state/meter.ts';
import { useView, useWords, type Words } from '../../state/stores.ts';
import { percent } from '../../texts/formats.ts';
import css from './ProgressList.module.css';

interface ProgressListProps {
  readonly steps: readonly StepView[];
  readonly percents: readonly number[];
  /** The job waits for something: nothing is running. */
  readonly paused: boolean;
}

export function ProgressList({ steps, percents, paused }: ProgressListProps) {
  const { t } = useWords();
  return (
    <ul className={css['list']} aria-label={t('job.progress')}>
      {appsOf(steps, percents).map((one) => (
        <Row key={one.app} one={paused && one.state === 'running' ? { ...one, state: 'waiting' } : one} />
      ))}
    </ul>
  );
}

function Row({ one }: { readonly one: AppProgress }) {
  const words = useWords();
  const icon = useView((view) => view.catalogue.apps.find((app) => app.id === one.app)?.icon ?? 'card');
  const name = words.app(one.app);
  return (
    <li className={css['row']}>
      <AppIcon icon={icon} faint={one.state === 'waiting'} />
      <ProgressBar value={one.percent} className={css['progress'] ?? ''}>
        <div className={css['line']}>
          <Label className={css['name'] ?? ''}>{name}</Label>
          <span className={`${css['state']} ${css[one.state]}`}>
            {one.state === 'done' ? <Icon name="circle-check" size={18} /> : null}
            {one.state === 'failed' ? <Icon name="circle-cross" size={18} /> : null}
            {stateOf(one, words)}
          </span>
        </div>
        <div className={css['track']}>
          <div className={`${css['fill']} ${css[one.state]}`} style={{ width: `${one.percent}%` }} />
        </div>
      </ProgressBar>
    </li>
  );
}

function stateOf({ state, kind, percent: value }: AppProgress, { t }: Words): string {
  return state === 'running' ? `${t(`job.${kind}`)} ${percent(value, t)}` : t(`job.${state}`);
}
