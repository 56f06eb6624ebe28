/** How much of the card's space is free, as a small bar. */
import { Label, Meter } from 'react-aria-components';
import { useWords } from '../state/stores.ts';
import { kilobytes } from '../texts/formats.ts';
import css from './MemoryBar.module.css';

interface MemoryBarProps {
  /** Bytes. */
  readonly free: number;
  readonly whole: number;
}

export function MemoryBar({ free, whole }: MemoryBarProps) {
  const { t } = useWords();
  const text = t('card.space-value', { free: kilobytes(free, t), whole: kilobytes(whole, t) });
  return (
    <Meter value={free} maxValue={Math.max(whole, 1)} valueLabel={text} className={css['meter'] ?? ''}>
      {({ percentage }) => (
        <>
          <div className={css['line']}>
            <Label>{t('card.space')}</Label>
            <span>{text}</span>
          </div>
          <div className={css['track']}>
            <div className={css['fill']} style={{ width: `${percentage}%` }} />
          </div>
        </>
      )}
    </Meter>
  );
}
