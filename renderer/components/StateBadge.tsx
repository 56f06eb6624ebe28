/** The state of an app on a card: word, icon and colour together. */

import type { CardApp } from '../../electron/ipc-schema.ts';
import { Icon } from '../icons/Icon.tsx';
import type { IconName } from '../icons/shapes.ts';
import { useWords } from '../state/stores.ts';
import css from './StateBadge.module.css';

const ICONS: Readonly<Record<CardApp['state'], IconName>> = {
  enabled: 'circle-check',
  installed: 'circle-half',
  missing: 'circle-dashed',
  unforeseen: 'circle-off',
  unread: 'circle-question',
};

export function StateBadge({ state, id }: { readonly state: CardApp['state']; readonly id?: string }) {
  const { t } = useWords();
  return (
    <span id={id} className={`${css['badge']} ${css[state]}`} data-state={state}>
      <Icon name={ICONS[state]} size={18} />
      {t(`state.${state}`)}
    </span>
  );
}
