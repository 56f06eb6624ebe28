/** A choice of one among a few options that stand side by side. */
import { Label, Radio, RadioGroup } from 'react-aria-components';
import { Icon } from '../icons/Icon.tsx';
import type { IconName } from '../icons/shapes.ts';
import css from './Choices.module.css';

interface ChoicesProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly {
    readonly id: T;
    readonly text: string;
    readonly icon?: IconName;
    readonly lang?: string;
  }[];
  readonly onChange: (value: T) => void;
}

export function Choices<T extends string>({ label, value, options, onChange }: ChoicesProps<T>) {
  return (
    <RadioGroup
      className={css['group'] ?? ''}
      value={value}
      onChange={(chosen) => {
        const option = options.find(({ id }) => id === chosen);
        if (option !== undefined) onChange(option.id);
      }}
    >
      <Label className={css['label'] ?? ''}>{label}</Label>
      <div className={css['options']}>
        {options.map(({ id, text, icon, lang }) => (
          <Radio key={id} value={id} className={css['option'] ?? ''}>
            {icon === undefined ? null : <Icon name={icon} size={18} />}
            <span lang={lang}>{text}</span>
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
