/** What is about to happen, in words and in order; whether it fits; and the one button that starts it. */
import { useState } from 'react';
import type { CardView, PlanView } from '../../../../electron/ipc-schema.ts';
import { Button } from '../../../components/Button.tsx';
import { FaultNotice } from '../../../components/Notice.tsx';
import { Icon } from '../../../icons/Icon.tsx';
import type { IconName } from '../../../icons/shapes.ts';
import { useView, useWords } from '../../../state/stores.ts';
import { grouped, kilobytes } from '../../../texts/formats.ts';
import { ConfirmDialog } from '../ConfirmDialog.tsx';
import { accountOf, type Choice, toggled } from '../choice.ts';
import { choices } from '../choices.ts';
import { type AppRow, rowsOf } from '../rows.ts';
import plan from './PlanStage.module.css';
import css from './Stage.module.css';

interface PlanStageProps {
  readonly reader: string;
  readonly card: CardView;
  readonly choice: Choice;
  readonly plan: PlanView;
}

type Fitting = Extract<PlanView, { fits: true }>;
type Step = Fitting['steps'][number];

export function PlanStage({ reader, card, choice, plan: planned }: PlanStageProps) {
  const { t } = useWords();
  const catalogue = useView((view) => view.catalogue);
  const rows = rowsOf(card, catalogue);
  const back = () => choices.edit(reader, (one) => ({ ...one, plan: null, fault: null }));
  if (planned.fits) {
    return <FittingPlan reader={reader} rows={rows} choice={choice} plan={planned} onBack={back} />;
  }
  return (
    <div className={css['stage']}>
      <h3 className={css['title']}>{t('plan.refused')}</h3>
      <Refused reader={reader} rows={rows} fault={planned.fault} />
      <footer className={css['foot']}>
        <span />
        <Button size="large" icon="arrow-left" autoFocus onPress={back}>
          {t('plan.back')}
        </Button>
      </footer>
    </div>
  );
}

interface RefusedProps {
  readonly reader: string;
  readonly rows: readonly AppRow[];
  readonly fault: Extract<PlanView, { fits: false }>['fault'];
}

/** Why the plan was refused; when space is missing, with the apps that could be deleted. */
function Refused({ reader, rows, fault }: RefusedProps) {
  const words = useWords();
  const { t } = words;
  const { suggestions, ...others } = fault.details;
  const { needed, free } = others;
  const suggested = rows.filter((row) => Array.isArray(suggestions) && suggestions.includes(row.app.id));
  const remove = (app: string) => {
    choices.edit(reader, (one) => toggled(one, app, 'delete'));
    void choices.review(reader, rows);
  };
  return (
    <>
      <FaultNotice fault={{ ...fault, details: others }} tone="caution">
        {typeof needed === 'number' && typeof free === 'number' ? (
          <p>{t('plan.no-fit-value', { needed: kilobytes(needed, t), free: kilobytes(free, t) })}</p>
        ) : null}
      </FaultNotice>
      {suggested.length === 0 ? null : (
        <div className={plan['suggest']}>
          <p>{t('plan.suggest')}</p>
          <div className={css['actions']}>
            {suggested.map((row) => (
              <Button key={row.app.id} icon="trash" onPress={() => remove(row.app.id)}>
                {t('plan.delete', { app: words.app(row.app.id) })}
              </Button>
            ))}
          </div>
        </div>
      )}
    </>
  );
}

interface FittingPlanProps {
  readonly reader: string;
  readonly rows: readonly AppRow[];
  readonly choice: Choice;
  readonly plan: Fitting;
  readonly onBack: () => void;
}

function FittingPlan({ reader, rows, choice, plan: planned, onBack }: FittingPlanProps) {
  const { t } = useWords();
  const [confirming, setConfirming] = useState(false);
  const { needed, free } = planned.memory;
  const start = () => {
    if (planned.confirm.length > 0) setConfirming(true);
    else void choices.start(reader, rows);
  };
  return (
    <div className={css['stage']}>
      <h3 className={css['title']}>{t('plan.title')}</h3>
      {choice.fault === null ? null : <FaultNotice fault={choice.fault} />}
      <dl className={plan['facts']}>
        <dt>{t('card.account')}</dt>
        <dd>{grouped(accountOf(choice) ?? '')}</dd>
        {needed === 0 ? null : (
          <>
            <dt>{t('plan.space')}</dt>
            <dd>
              {free === null
                ? t('plan.space-unknown', { needed: kilobytes(needed, t) })
                : t('plan.space-fits', { needed: kilobytes(needed, t), free: kilobytes(free, t) })}
            </dd>
          </>
        )}
      </dl>
      <ol className={plan['steps']} aria-label={t('plan.steps')}>
        {planned.steps.map((step) => (
          <StepLine
            key={`${step.kind} ${step.app}`}
            step={step}
            confirm={planned.confirm.includes(step.app)}
          />
        ))}
      </ol>
      <footer className={css['foot']}>
        <Button size="large" tone="quiet" icon="arrow-left" onPress={onBack}>
          {t('plan.back')}
        </Button>
        <Button size="large" tone="primary" autoFocus isPending={choice.busy} onPress={start}>
          {t(choice.busy ? 'plan.starting' : 'plan.start')}
        </Button>
      </footer>
      {confirming ? (
        <ConfirmDialog
          apps={planned.confirm.map((app) => ({
            app,
            balance: rows.find((row) => row.app.id === app)?.balance,
          }))}
          onConfirm={(person, cancelled) => choices.confirm(reader, rows, person, cancelled)}
          onClose={() => setConfirming(false)}
        />
      ) : null}
    </div>
  );
}

const ICONS: Readonly<Record<Step['kind'], IconName>> = {
  enable: 'check',
  load: 'card-in',
  delete: 'trash',
  renew: 'check',
};

function StepLine({ step, confirm }: { readonly step: Step; readonly confirm: boolean }) {
  const words = useWords();
  const { t } = words;
  const size = useView((view) => view.catalogue.apps.find((app) => app.id === step.app)?.size ?? 0);
  const asks = confirm && step.kind === 'delete';
  return (
    <li className={plan['step']} data-kind={step.kind}>
      <span className={plan['mark']}>
        <Icon name={ICONS[step.kind]} />
      </span>
      <div>
        <p className={plan['what']}>{t(`plan.${step.kind}`, { app: words.app(step.app) })}</p>
        <p className={plan['hint']}>{t(`plan.${step.kind}-hint`, { size: kilobytes(size, t) })}</p>
        {asks ? (
          <p className={plan['asks']}>
            <Icon name="users" size={18} />
            {t('plan.confirm-hint')}
          </p>
        ) : null}
      </div>
    </li>
  );
}
