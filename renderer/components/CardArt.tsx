/** The card in the reader as a picture of a card. The number is the one on the card itself. */
import { grouped } from '../texts/formats.ts';
import css from './CardArt.module.css';
import { Rosette } from './Rosette.tsx';

interface CardArtProps {
  readonly title: string;
  readonly number: string | null;
  /** What stands under the number, e.g. the account. */
  readonly line?: string | undefined;
  readonly faint?: boolean;
}

export function CardArt({ title, number, line, faint = false }: CardArtProps) {
  return (
    <div className={`${css['card']} ${faint ? css['faint'] : ''}`}>
      <Rosette className={css['rose']} />
      <p className={css['title']}>{title}</p>
      <Chip />
      <div className={css['foot']}>
        {number === null ? null : <p className={css['number']}>{grouped(number)}</p>}
        {line === undefined ? null : <p className={css['line']}>{line}</p>}
      </div>
    </div>
  );
}

function Chip() {
  return (
    <svg aria-hidden="true" className={css['chip']} width="46" height="36" viewBox="0 0 46 36" fill="none">
      <rect x="0.5" y="0.5" width="45" height="35" rx="7" className={css['metal']} />
      <path
        d="M16 .5v10a3 3 0 0 1-3 3H.5M16 35.5v-10a3 3 0 0 0-3-3H.5M30 .5v10a3 3 0 0 0 3 3h12.5M30 35.5v-10a3 3 0 0 1 3-3h12.5M16 12h14v12H16z"
        className={css['contacts']}
      />
    </svg>
  );
}
