/** One reader: its card on one side, what is to be done on the other. */
import { useEffect, useId, useMemo } from 'react';
import type { ReaderView } from '../../../electron/ipc-schema.ts';
import { useView, useWords } from '../../state/stores.ts';
import { readerName } from '../../texts/formats.ts';
import { CardSide } from './CardSide.tsx';
import { choices, useChoice } from './choices.ts';
import css from './Lane.module.css';
import { LaneVoice } from './LaneVoice.tsx';
import { type Stage, stageOf } from './stage.ts';
import { ChooseStage } from './stages/ChooseStage.tsx';
import { EmptyStage } from './stages/EmptyStage.tsx';
import { EndStage } from './stages/EndStage.tsx';
import { JobStage } from './stages/JobStage.tsx';
import { LookingStage } from './stages/LookingStage.tsx';
import { PlanStage } from './stages/PlanStage.tsx';
import { ForeignStage, ProblemStage } from './stages/ProblemStage.tsx';

interface LaneProps {
  readonly reader: ReaderView;
  readonly number: number;
  /** The only reader there is. */
  readonly alone: boolean;
}

export function Lane({ reader, number, alone }: LaneProps) {
  const { t } = useWords();
  const heading = useId();
  const jobs = useView((view) => view.station.jobs);
  const operator = useView((view) => view.station.operator?.id);
  const serverUp = useView((view) => view.station.server.state === 'up');
  const stage = useMemo(() => stageOf(reader, jobs), [reader, jobs]);
  const toServe = stage.kind === 'choose' ? stage.number : undefined;

  useEffect(() => {
    if (toServe === undefined) choices.forget(reader.name);
    else if (operator !== undefined) void choices.begin(reader.name, toServe);
  }, [reader.name, toServe, operator]);
  useEffect(() => {
    // What could not be confirmed while the server was away is asked for again when it is back.
    if (serverUp && toServe !== undefined && operator !== undefined) void choices.begin(reader.name, toServe);
  }, [serverUp, reader.name, toServe, operator]);

  return (
    <section className={css['lane']} aria-labelledby={heading} data-stage={stage.kind}>
      <h2 id={heading} className={css['name']}>
        {t(alone ? 'lane.only' : 'lane.title', { number })}
        <span className={css['model']}>{readerName(reader.name)}</span>
      </h2>
      <LaneVoice stage={stage} />
      <Content reader={reader} stage={stage} />
    </section>
  );
}

function Content({ reader, stage }: { readonly reader: ReaderView; readonly stage: Stage }) {
  switch (stage.kind) {
    case 'empty':
      return <EmptyStage />;
    case 'looking':
      return <LookingStage />;
    case 'problem':
      return (
        <div className={css['pair']}>
          <CardSide reader={reader.name} card={null} number={null} facts={false} />
          <div className={css['panel']}>
            <ProblemStage reader={reader.name} fault={stage.fault} job={stage.job} />
          </div>
        </div>
      );
    case 'foreign':
      return (
        <div className={css['pair']}>
          <CardSide reader={reader.name} card={stage.card} number={null} facts={false} />
          <div className={css['panel']}>
            <ForeignStage reader={reader.name} card={stage.card} />
          </div>
        </div>
      );
    case 'choose':
      return (
        <div className={css['pair']}>
          <CardSide reader={reader.name} card={stage.card} number={stage.number} facts />
          <div className={css['panel']}>
            <Serving reader={reader.name} stage={stage} />
          </div>
        </div>
      );
    case 'running':
    case 'waiting':
      return (
        <div className={css['pair']}>
          <CardSide reader={reader.name} card={stage.card} number={stage.job.card} facts={false} />
          <div className={css['panel']}>
            <JobStage job={stage.job} />
          </div>
        </div>
      );
    case 'other-card':
      return (
        <div className={css['pair']}>
          <CardSide reader={reader.name} card={stage.card} number={stage.card.number} facts={false} />
          <div className={css['panel']}>
            <JobStage job={stage.job} otherCard />
          </div>
        </div>
      );
    case 'ended':
      return (
        <div className={css['pair']}>
          <CardSide reader={reader.name} card={stage.card} number={stage.job.card} facts={false} />
          <div className={css['panel']}>
            <EndStage reader={reader.name} end={stage.end} />
          </div>
        </div>
      );
  }
}

function Serving({
  reader,
  stage,
}: {
  readonly reader: string;
  readonly stage: Extract<Stage, { kind: 'choose' }>;
}) {
  const choice = useChoice(reader);
  if (choice !== undefined && choice.plan !== null) {
    return <PlanStage reader={reader} card={stage.card} choice={choice} plan={choice.plan} />;
  }
  return <ChooseStage reader={reader} card={stage.card} choice={choice} />;
}
