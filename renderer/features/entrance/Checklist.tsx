/** The station's own parts: found, or why not and what to do. */
import { Button } from '../../components/Button.tsx';
import { nextStep } from '../../components/Notice.tsx';
import { Spinner } from '../../components/Spinner.tsx';
import { Icon } from '../../icons/Icon.tsx';
import type { IconName } from '../../icons/shapes.ts';
import { useView, useWords, type Words } from '../../state/stores.ts';
import { useServerCheck } from '../../state/use-server-check.ts';
import { moment } from '../../texts/formats.ts';
import css from './Checklist.module.css';
import { type Check, checksOf } from './checks.ts';

const ICONS: Readonly<Record<Check['part'], IconName>> = {
  service: 'plug',
  reader: 'reader',
  server: 'server',
};

export function Checklist() {
  const { t } = useWords();
  const station = useView((view) => view.station);
  if (station.engine.kind === 'failed') return null;
  return (
    <section className={css['box']} aria-labelledby="checks">
      <h2 id="checks" className={css['title']}>
        {t('checks.title')}
      </h2>
      <ul className={css['list']}>
        {checksOf(station).map((check) => (
          <Row key={check.part} check={check} />
        ))}
      </ul>
    </section>
  );
}

function Row({ check }: { readonly check: Check }) {
  const words = useWords();
  return (
    <li className={css['row']}>
      <span className={css['icon']}>
        <Icon name={ICONS[check.part]} />
      </span>
      <span className={css['part']}>{words.t(`checks.${check.part}`)}</span>
      <span className={`${css['state']} ${css[check.state]}`}>
        {check.state === 'waiting' ? <Spinner size={18} /> : null}
        {check.state === 'good' ? <Icon name="circle-check" size={18} /> : null}
        {check.state === 'problem' ? <Icon name="alert" size={18} /> : null}
        {check.state === 'blocked' ? <Icon name="circle-off" size={18} /> : null}
        {check.count === undefined
          ? words.t(`checks.${check.state}`)
          : words.t('checks.count', { count: check.count })}
      </span>
      {check.fault === undefined ? null : (
        <div className={css['why']} role="status">
          <p>{words.fault(check.fault).what}</p>
          <p>{nextStep(check.fault, words, false)}</p>
          {check.part === 'server' ? <ServerRetry words={words} /> : null}
        </div>
      )}
    </li>
  );
}

function ServerRetry({ words }: { readonly words: Words }) {
  const lastSeen = useView((view) => view.station.server.lastSeen);
  const { asking, ask } = useServerCheck();
  return (
    <div className={css['retry']}>
      <Button icon="refresh" isPending={asking} onPress={ask}>
        {words.t('checks.retry')}
      </Button>
      <span>
        {lastSeen === undefined
          ? words.t('server.never')
          : words.t('server.seen', { time: moment(lastSeen, words.t, Date.now()) })}
      </span>
    </div>
  );
}
