/** Who did what to a card, where and when. */
import { useEffect, useState } from 'react';
import type { Answer } from '../../../electron/ipc-schema/answer.ts';
import type { CardHistory } from '../../../electron/ipc-schema.ts';
import { Dialog } from '../../components/Dialog.tsx';
import { FaultNotice } from '../../components/Notice.tsx';
import { Spinner } from '../../components/Spinner.tsx';
import { Icon } from '../../icons/Icon.tsx';
import type { IconName } from '../../icons/shapes.ts';
import { bridge, station, useWords } from '../../state/stores.ts';
import { grouped, moment } from '../../texts/formats.ts';
import css from './HistorySheet.module.css';

type Visit = CardHistory['jobs'][number];

export function HistorySheet({ number, onClose }: { readonly number: string; readonly onClose: () => void }) {
  const { t } = useWords();
  const [answer, setAnswer] = useState<Answer<CardHistory> | null>(null);
  useEffect(() => {
    let gone = false;
    void bridge.card.history({ card: number }).then((got) => {
      if (!gone) setAnswer(got);
      if (!got.ok && got.code === 'session-expired') station.sessionOver();
    });
    return () => {
      gone = true;
    };
  }, [number]);
  return (
    <Dialog place="side" title={t('history.title')} onClose={onClose}>
      <p className={css['number']}>{t('job.card', { number: grouped(number) })}</p>
      <Content answer={answer} />
    </Dialog>
  );
}

function Content({ answer }: { readonly answer: Answer<CardHistory> | null }) {
  const { t } = useWords();
  if (answer === null) {
    return (
      <p className={css['loading']} role="status">
        <Spinner /> {t('history.loading')}
      </p>
    );
  }
  if (!answer.ok && answer.code !== 'not-found') {
    return (
      <FaultNotice
        fault={{ code: answer.code, details: answer.details }}
        tone="caution"
        withCard={false}
        over
      />
    );
  }
  const visits = answer.ok ? answer.value.jobs : [];
  if (visits.length === 0) return <p className={css['loading']}>{t('history.empty')}</p>;
  return (
    <ol className={css['list']}>
      {visits.map((visit) => (
        <VisitRow key={`${visit.started} ${visit.station}`} visit={visit} />
      ))}
    </ol>
  );
}

const LOOK: Readonly<Record<NonNullable<Visit['result']> | 'open', readonly [IconName, string]>> = {
  complete: ['circle-check', 'good'],
  partial: ['alert', 'caution'],
  refused: ['circle-cross', 'bad'],
  superseded: ['circle-off', 'quiet'],
  open: ['clock', 'accent'],
};

function VisitRow({ visit }: { readonly visit: Visit }) {
  const words = useWords();
  const { t } = words;
  const result = visit.result ?? 'open';
  const [icon, tone] = LOOK[result];
  return (
    <li className={css['visit']}>
      <span className={`${css['mark']} ${css[tone]}`}>
        <Icon name={icon} />
      </span>
      <div className={css['body']}>
        <p className={css['head']}>
          <span className={css['result']}>{t(`history.${result}`)}</span>
          <time dateTime={visit.started}>{moment(visit.started, t, Date.now())}</time>
        </p>
        <ul className={css['changes']}>
          {changesOf(visit).map(({ app, text, wrong }) => (
            <li key={`${app} ${text}`}>
              <span>{words.app(app)}</span>
              <span className={wrong === undefined ? css['change'] : css['wrong']}>
                {wrong === undefined ? t(text) : words.fault({ code: wrong, details: {} }).what}
              </span>
            </li>
          ))}
          {changesOf(visit).length === 0 ? <li className={css['change']}>{t('history.nothing')}</li> : null}
        </ul>
        <p className={css['where']}>
          {t('history.by')} {visit.name}
          {visit.confirmedBy.length === 0
            ? null
            : ` · ${t('history.confirmed')} ${words.list(visit.confirmedBy)}`}
          {` · ${t('history.at')} ${visit.station}`}
        </p>
      </div>
    </li>
  );
}

interface ChangeLine {
  readonly app: string;
  readonly text: 'end.deleted' | 'state.enabled' | 'state.installed' | 'state.missing';
  readonly wrong: Visit['apps'][number]['error'];
}

/** Apps whose state changed or that went wrong, and what was deleted. */
function changesOf({ apps, deleted }: Visit): ChangeLine[] {
  const changed = apps.filter((one) => one.before !== one.after || one.error !== undefined);
  return [
    ...changed
      .filter((one) => !deleted.includes(one.app))
      .map(({ app, after, error }): ChangeLine => ({ app, text: `state.${after}`, wrong: error })),
    ...deleted.map((app): ChangeLine => ({ app, text: 'end.deleted', wrong: undefined })),
  ];
}
