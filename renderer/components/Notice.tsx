/** Something a clerk has to know: what happened, how the card is now, what to do next. */
import type { ReactNode } from 'react';
import type { FaultView } from '../../electron/ipc-schema.ts';
import { Icon } from '../icons/Icon.tsx';
import type { IconName } from '../icons/shapes.ts';
import { useWords, type Words } from '../state/stores.ts';
import css from './Notice.module.css';

type Tone = 'info' | 'caution' | 'bad';

const ICONS: Readonly<Record<Tone, IconName>> = { info: 'info', caution: 'alert', bad: 'circle-cross' };

interface NoticeProps {
  readonly tone: Tone;
  readonly title: string;
  readonly icon?: IconName;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}

export function Notice({ tone, title, icon = ICONS[tone], children, actions }: NoticeProps) {
  return (
    <div className={`${css['notice']} ${css[tone]}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={icon} size={24} />
      <div className={css['body']}>
        <p className={css['title']}>{title}</p>
        {children}
        {actions === undefined ? null : <div className={css['actions']}>{actions}</div>}
      </div>
    </div>
  );
}

interface FaultNoticeProps {
  readonly fault: FaultView;
  readonly tone?: Tone;
  /** Whether the part about the card is shown; false where there is no card yet. */
  readonly withCard?: boolean;
  /** No work is waiting for the fault to pass, so the text must not promise that it goes on by itself. */
  readonly over?: boolean;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}

/** An error, in full: the text of its code in three parts. */
export function FaultNotice({
  fault,
  tone = 'bad',
  withCard = true,
  over = false,
  children,
  actions,
}: FaultNoticeProps) {
  const words = useWords();
  const text = words.fault(fault);
  return (
    <Notice tone={tone} title={text.what} actions={actions}>
      {text.detail === undefined ? null : <p>{text.detail}</p>}
      {children}
      <dl className={css['parts']}>
        {withCard ? <Part name={words.t('fault.card')}>{text.card}</Part> : null}
        <Part name={words.t('fault.next')}>{nextStep(fault, words, withCard, over)}</Part>
      </dl>
    </Notice>
  );
}

/** Codes whose own text promises that the work goes on by itself. */
const PASSING: ReadonlySet<FaultView['code']> = new Set([
  'server-away',
  'server-busy',
  'server-store-failed',
  'hsm-away',
]);

/**
 * What to do next. Mostly the code's own text. Where no work is waiting (`over`), a text that says it goes on by itself would be
 * wrong; and the text for a missing server speaks of a card, which makes no sense without one. Others stand in for these.
 */
export function nextStep(fault: FaultView, words: Words, withCard: boolean, over = false): string {
  if (over && PASSING.has(fault.code)) return words.t('fault.try-later');
  return fault.code === 'server-away' && !withCard ? words.t('server.hint') : words.fault(fault).next;
}

function Part({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className={css['part']}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
