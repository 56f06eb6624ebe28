/** A button that is an icon only; its name is said to screen readers and shown on hover and focus. */
import { Tooltip, TooltipTrigger } from 'react-aria-components';
import type { IconName } from '../icons/shapes.ts';
import { Button } from './Button.tsx';
import css from './IconButton.module.css';

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onPress: () => void;
}

export function IconButton({ icon, label, onPress }: IconButtonProps) {
  return (
    <TooltipTrigger delay={500} closeDelay={80}>
      <Button tone="plain" icon={icon} aria-label={label} onPress={onPress} />
      <Tooltip offset={6} className={css['tip'] ?? ''}>
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}
