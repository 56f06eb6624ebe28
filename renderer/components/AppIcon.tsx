/** An app's own icon on its tile. */

import type { CatalogueApp } from '../../electron/ipc-schema.ts';
import { Icon } from '../icons/Icon.tsx';
import css from './AppIcon.module.css';

export function AppIcon({
  icon,
  faint = false,
}: {
  readonly icon: CatalogueApp['icon'];
  readonly faint?: boolean;
}) {
  return (
    <span className={`${css['tile']} ${faint ? css['faint'] : ''}`}>
      <Icon name={icon} size={24} />
    </span>
  );
}
