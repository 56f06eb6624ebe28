/** A card or a reader that cannot be served, and what to do about it. */
import type { CardView, FaultView, JobView } from '../../../../electron/ipc-schema.ts';
import { Button } from '../../../components/Button.tsx';
import { FaultNotice } from '../../../components/Notice.tsx';
import { bridge, useWords } from '../../../state/stores.ts';
import { JobStage } from './JobStage.tsx';
import css from './Stage.module.css';

interface ProblemStageProps {
  readonly reader: string;
  readonly fault: FaultView;
  /** A job in hand that was begun in this reader. */
  readonly job: JobView | null;
}

export function ProblemStage({ reader, fault, job }: ProblemStageProps) {
  return (
    <>
      <div className={css['stage']}>
        <FaultNotice fault={fault} withCard={job !== null} actions={<Again reader={reader} />} />
      </div>
      {job === null ? null : <JobStage job={job} />}
    </>
  );
}

export function ForeignStage({ reader, card }: { readonly reader: string; readonly card: CardView }) {
  return (
    <div className={css['stage']}>
      <FaultNotice
        fault={{ code: card.code ?? 'unknown-card', details: {} }}
        actions={<Again reader={reader} />}
      />
    </div>
  );
}

function Again({ reader }: { readonly reader: string }) {
  const { t } = useWords();
  return (
    <Button icon="refresh" onPress={() => void bridge.card.relook({ reader })}>
      {t('card.again')}
    </Button>
  );
}
