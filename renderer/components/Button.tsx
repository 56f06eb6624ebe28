/** A button: one primary a screen, the rest quieter. Never under 44 pixels. */
import type { ReactNode, Ref } from 'react';
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components';
import { Icon } from '../icons/Icon.tsx';
import type { IconName } from '../icons/shapes.ts';
import css from './Button.module.css';

interface ButtonProps extends Omit<AriaButtonProps, 'className' | 'style' | 'children'> {
  readonly ref?: Ref<HTMLButtonElement>;
  readonly tone?: 'primary' | 'secondary' | 'quiet' | 'plain' | 'danger';
  readonly size?: 'normal' | 'large';
  readonly icon?: IconName;
  readonly iconAfter?: IconName;
  readonly children?: ReactNode;
}

export function Button({
  tone = 'secondary',
  size = 'normal',
  icon,
  iconAfter,
  children,
  isPending = false,
  ...props
}: ButtonProps) {
  const bare = children === undefined;
  // Not React Aria's own isPending: its announcement names the button by id, and says nothing once the button is gone.
  const held = isPending
    ? ({ type: 'button', onPress: () => undefined, 'aria-disabled': true } as const)
    : {};
  return (
    <AriaButton
      {...props}
      {...held}
      data-pending={isPending || undefined}
      className={`${css['button']} ${css[tone]} ${css[size]} ${bare ? css['bare'] : ''}`}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {bare ? null : <span>{children}</span>}
      {iconAfter === undefined ? null : <Icon name={iconAfter} />}
    </AriaButton>
  );
}
