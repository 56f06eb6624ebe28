/** A job in hand: what it does, how far it is, and whether the card has to stay. */
import { type ReactNode, useState } from 'react';
import type { JobView } from '../../../../electron/ipc-schema.ts';
import { Button } from '../../../components/Button.tsx';
import { Dialog } from '../../../components/Dialog.tsx';
import { FaultNotice } from '../../../components/Notice.tsx';
import { Spinner } from '../../../components/Spinner.tsx';
import { Icon } from '../../../icons/Icon.tsx';
import { bridge, useMeter, useView, useWords, type Words } from '../../../state/stores.ts';
import { useQuiet } from '../../../state/use-quiet.ts';
import { duration, grouped, moment } from '../../../texts/formats.ts';
import { ProgressList } from '../ProgressList.tsx';
import job from './JobStage.module.css';
import css from './Stage.module.css';

/** A command or an answer that takes longer than this, in milliseconds, is waited for in words. */
const QUIET_MS = 20_000;

interface JobStageProps {
  readonly job: JobView;
  /** Another card lies in the reader. */
  readonly otherCard?: boolean;
}

export function JobStage({ job: view, otherCard = false }: JobStageProps) {
  const words = useWords();
  const { t } = words;
  const meter = useMeter(view.id);
  const remaining = meter?.remaining ?? null;
  const quiet = useQuiet(view, QUIET_MS);
  return (
    <div className={css['stage']}>
      {otherCard ? (
        <Waiting title={t('job.other-card')} job={view} words={words}>
          <FaultNotice fault={{ code: 'other-card', details: {} }} tone="caution" />
        </Waiting>
      ) : (
        <Head job={view} words={words} />
      )}
      {view.progress.steps.length === 0 ? (
        view.state.kind === 'working' ? (
          <p className={job['preparing']}>{t('job.preparing')}</p>
        ) : null
      ) : (
        <ProgressList
          steps={view.progress.steps}
          percents={meter?.percents ?? []}
          paused={view.state.kind !== 'working'}
        />
      )}
      {view.state.kind === 'working' ? (
        <Time quiet={quiet} atCard={view.state.atCard === true} remaining={remaining} words={words} />
      ) : null}
    </div>
  );
}

interface TimeProps {
  /** Nothing has moved for a while: what was reckoned of the time left is worth nothing then. */
  readonly quiet: boolean;
  readonly atCard: boolean;
  readonly remaining: number | null;
  readonly words: Words;
}

function Time({ quiet, atCard, remaining, words }: TimeProps) {
  if (!quiet && remaining === null) return null;
  return (
    <p className={job['remaining']} role={quiet ? 'status' : undefined}>
      <Icon name="clock" size={18} />
      {quiet || remaining === null
        ? words.t(atCard ? 'job.card-slow' : 'job.server-slow')
        : timeLeft(remaining, words)}
    </p>
  );
}

function timeLeft(milliseconds: number, { t }: Words): string {
  const { unit, count } = duration(milliseconds);
  return t(`job.${unit}`, { count });
}

function Head({ job: view, words }: { readonly job: JobView; readonly words: Words }) {
  const { t } = words;
  const lastSeen = useView(({ station }) => station.server.lastSeen);
  const { state } = view;
  switch (state.kind) {
    case 'working':
      return state.writing ? (
        <Banner
          hold
          icon={<Icon name="hand" size={40} />}
          title={t('job.writing')}
          hint={t('job.writing-hint')}
        />
      ) : (
        <Banner icon={<Spinner size={36} />} title={t('job.working')} hint={t('job.working-hint')} />
      );
    case 'waiting-for-card':
      return (
        <Waiting title={t('job.put-back')} job={view} words={words}>
          <FaultNotice fault={{ code: state.code, details: {} }} tone="caution" />
        </Waiting>
      );
    case 'waiting-for-server':
      return (
        <Waiting title={t('job.for-server')} job={view} words={words}>
          <FaultNotice fault={{ code: state.code, details: {} }} tone="caution">
            <p className={job['since']}>
              {t('job.since', { time: moment(state.since, t, Date.now()) })}
              {lastSeen === undefined || state.code !== 'server-away'
                ? null
                : ` · ${t('server.seen', { time: moment(lastSeen, t, Date.now()) })}`}
            </p>
          </FaultNotice>
        </Waiting>
      );
    case 'waiting-for-disk':
      return (
        <Waiting title={t('job.for-disk')} job={view} words={words}>
          <FaultNotice fault={{ code: 'station-disk-full', details: {} }} tone="caution" withCard={false} />
        </Waiting>
      );
    case 'done':
    case 'failed':
    case 'abandoned':
      return null;
  }
}

interface BannerProps {
  readonly icon: ReactNode;
  readonly title: string;
  readonly hint: string;
  /** The card has to stay where it is. */
  readonly hold?: boolean;
}

/** Of the same size whether it warns or not, so that nothing on the screen moves when writing begins or ends. */
function Banner({ icon, title, hint, hold = false }: BannerProps) {
  return (
    <div className={job['banner']} data-hold={hold || undefined}>
      {icon}
      <div>
        <p className={job['headline']}>{title}</p>
        <p className={job['subline']}>{hint}</p>
      </div>
    </div>
  );
}

interface WaitingProps {
  readonly title: string;
  readonly job: JobView;
  readonly words: Words;
  readonly children: ReactNode;
}

function Waiting({ title, job: view, words: { t }, children }: WaitingProps) {
  const [asking, setAsking] = useState(false);
  return (
    <div className={job['waiting']}>
      <h3 className={css['title']}>{title}</h3>
      <p className={job['which']}>
        {t(view.state.kind === 'waiting-for-card' ? 'job.expected' : 'job.card', {
          number: grouped(view.card),
        })}
      </p>
      {children}
      {view.state.kind === 'waiting-for-disk' ? null : (
        <div className={css['actions']}>
          <Button onPress={() => setAsking(true)}>{t('job.give-up')}</Button>
        </div>
      )}
      {asking ? <GiveUp job={view.id} onClose={() => setAsking(false)} /> : null}
    </div>
  );
}

function GiveUp({ job: id, onClose }: { readonly job: string; readonly onClose: () => void }) {
  const { t } = useWords();
  const giveUp = () => {
    void bridge.job.abandon({ job: id });
    onClose();
  };
  return (
    <Dialog title={t('give-up.title')} onClose={onClose} asks>
      <p>{t('give-up.text')}</p>
      <div className={job['answers']}>
        <Button autoFocus onPress={onClose}>
          {t('give-up.no')}
        </Button>
        <Button tone="danger" onPress={giveUp}>
          {t('give-up.yes')}
        </Button>
      </div>
    </Dialog>
  );
}
