/** How a job ended: what was done to which app, what went wrong, and what to do next. */
import { useEffect, useRef } from 'react';
import type { FaultView, ResultView } from '../../../../electron/ipc-schema.ts';
import { AppIcon } from '../../../components/AppIcon.tsx';
import { Button } from '../../../components/Button.tsx';
import { FaultNotice } from '../../../components/Notice.tsx';
import { StateBadge } from '../../../components/StateBadge.tsx';
import { Icon } from '../../../icons/Icon.tsx';
import type { IconName } from '../../../icons/shapes.ts';
import { type End, wentWell } from '../../../state/jobs.ts';
import { bridge, useView, useWords } from '../../../state/stores.ts';
import end from './EndStage.module.css';
import { mayTakeFocus } from './focus.ts';
import css from './Stage.module.css';

export function EndStage({ reader, end: how }: { readonly reader: string; readonly end: End }) {
  const { t } = useWords();
  const fault = faultOf(how);
  const again = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (again.current !== null && mayTakeFocus(again.current)) again.current.focus();
  }, []);
  return (
    <div className={css['stage']}>
      <Head end={how} />
      {fault === undefined ? null : <FaultNotice fault={fault} over />}
      {how.kind === 'done' ? <AppEnds result={how.result} well={wentWell(how)} /> : null}
      <footer className={css['foot']}>
        <span />
        <Button ref={again} size="large" onPress={() => void bridge.card.relook({ reader })}>
          {t('end.again')}
        </Button>
      </footer>
    </div>
  );
}

function faultOf(how: End): FaultView | undefined {
  if (how.kind === 'failed') return how.fault;
  // A renewal that nobody asked for may have failed in a job that is complete: staff need do nothing, so it is not shown.
  if (how.kind !== 'done' || wentWell(how)) return undefined;
  if (how.result.fault !== undefined) return how.result.fault;
  const failed = how.result.apps.find((app) => app.error !== undefined);
  return failed?.error === undefined ? undefined : { code: failed.error, details: { app: failed.app } };
}

type Ending = 'complete' | 'partial' | 'refused' | 'failed' | 'abandoned';

const LOOK: Readonly<Record<Ending, readonly [IconName, string]>> = {
  complete: ['check', 'good'],
  partial: ['alert', 'caution'],
  refused: ['cross', 'bad'],
  failed: ['cross', 'bad'],
  abandoned: ['undo', 'quiet'],
};

function Head({ end: how }: { readonly end: End }) {
  const { t } = useWords();
  const ending: Ending = how.kind === 'done' ? how.result.result : how.kind;
  const [icon, tone] = LOOK[ending];
  const well = wentWell(how);
  return (
    <div className={end['head']}>
      <span className={`${end['seal']} ${end[tone]}`}>
        <Icon name={icon} size={36} />
      </span>
      <div>
        <h3 className={end['title']}>{well ? t('end.take') : t(`end.${ending}`)}</h3>
        {well ? <p className={end['under']}>{t('end.complete')}</p> : null}
        {ending === 'abandoned' ? <p className={end['under']}>{t('end.kept')}</p> : null}
      </div>
    </div>
  );
}

function AppEnds({ result, well }: { readonly result: ResultView; readonly well: boolean }) {
  const words = useWords();
  const apps = useView((view) => view.catalogue.apps);
  const changed = result.apps.filter(
    (app) =>
      app.before !== app.after || (app.error !== undefined && !well) || result.deleted.includes(app.app),
  );
  // The server may name a deleted app in `deleted` only.
  const gone = result.deleted.filter((id) => changed.every(({ app }) => app !== id));
  const shown = [...changed, ...gone.map((app) => ({ app, after: 'missing' as const, error: undefined }))];
  if (shown.length === 0) return null;
  return (
    <ul className={css['list']} aria-label={words.t('end.result')}>
      {shown.map((one) => (
        <li key={one.app} className={end['row']}>
          <AppIcon
            icon={apps.find((app) => app.id === one.app)?.icon ?? 'card'}
            faint={one.after === 'missing'}
          />
          <span className={end['name']}>
            {words.app(one.app)}
            {one.error === undefined || well ? null : (
              <span className={end['wrong']}>{words.fault({ code: one.error, details: {} }).what}</span>
            )}
          </span>
          <StateBadge state={one.after} />
        </li>
      ))}
    </ul>
  );
}
