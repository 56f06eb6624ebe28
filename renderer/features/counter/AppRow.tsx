/** One app of the card: what it is, a tick to enable it, and apart from that a small button to delete it. */
import { useId } from 'react';
import { Checkbox } from 'react-aria-components';
import { AppIcon } from '../../components/AppIcon.tsx';
import { IconButton } from '../../components/IconButton.tsx';
import { StateBadge } from '../../components/StateBadge.tsx';
import { Icon } from '../../icons/Icon.tsx';
import { useWords, type Words } from '../../state/stores.ts';
import { kilobytes, money } from '../../texts/formats.ts';
import css from './AppRow.module.css';
import type { AppRow as Row } from './rows.ts';

interface AppRowProps {
  readonly row: Row;
  readonly wish: 'enable' | 'delete' | undefined;
  /** Shown without tick and button: nobody is signed in, or the card is set aside. */
  readonly readOnly: boolean;
  readonly onWish: (action: 'enable' | 'delete') => void;
}

export function AppRow({ row, wish, readOnly, onWish }: AppRowProps) {
  const words = useWords();
  const { t } = words;
  const badge = useId();
  const name = words.app(row.app.id);
  const deleting = wish === 'delete';
  const offered = row.canEnable && !deleting && !readOnly;
  const what = (
    <>
      <AppIcon icon={row.app.icon} faint={row.state === 'missing' || row.state === 'unforeseen'} />
      <span className={css['words']}>
        <span className={css['name']}>{name}</span>
        {deleting ? (
          <span className={css['deleting']}>
            <Icon name="trash" size={16} />
            {t('apps.deleting')}
          </span>
        ) : (
          <Aside row={row} words={words} />
        )}
      </span>
    </>
  );
  return (
    <li
      className={css['row']}
      data-deleting={deleting || undefined}
      data-chosen={wish === 'enable' || undefined}
    >
      {offered ? (
        <Checkbox
          className={css['main'] ?? ''}
          aria-label={t('apps.enable', { app: name })}
          aria-describedby={badge}
          isSelected={wish === 'enable'}
          onChange={() => onWish('enable')}
        >
          <span className={css['tick']}>{wish === 'enable' ? <Icon name="check" size={18} /> : null}</span>
          {what}
        </Checkbox>
      ) : (
        <div className={css['main']}>
          <span className={css['gap']} />
          {what}
        </div>
      )}
      <span className={css['state']}>
        <StateBadge state={row.state} id={badge} />
      </span>
      {row.canDelete && !readOnly ? (
        <IconButton
          icon={deleting ? 'undo' : 'trash'}
          label={t(deleting ? 'apps.keep' : 'apps.delete', { app: name })}
          onPress={() => onWish('delete')}
        />
      ) : (
        <span className={css['gap']} />
      )}
    </li>
  );
}

function Aside({ row, words }: { readonly row: Row; readonly words: Words }) {
  const text = asideOf(row, words);
  return text === undefined ? null : <span className={css['aside']}>{text}</span>;
}

function asideOf(row: Row, { t }: Words): string | undefined {
  if (row.state === 'unforeseen') return t('apps.unforeseen');
  if (row.state === 'unread') return t('apps.unread');
  if (row.balance !== undefined) return t('apps.balance', { amount: money(row.balance, t) });
  if (row.whyNot !== undefined) return t(`apps.${row.whyNot}`);
  // Without `canEnable` the card is set aside, and nothing will be loaded onto it.
  if (row.state === 'missing' && row.canEnable) return t('apps.load', { size: kilobytes(row.app.size, t) });
  return undefined;
}
