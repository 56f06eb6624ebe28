/** A field with its label, hint and what is wrong with it. */
import type { Ref } from 'react';
import {
  type TextFieldProps as AriaTextFieldProps,
  FieldError,
  Input,
  Label,
  Text,
  TextField,
} from 'react-aria-components';
import { Icon } from '../icons/Icon.tsx';
import css from './Field.module.css';

interface FieldProps extends Omit<AriaTextFieldProps, 'className' | 'style' | 'children'> {
  readonly label: string;
  readonly hint?: string;
  /** Shown, and the field marked, when it is there. */
  readonly wrong?: string | undefined;
  readonly inputRef?: Ref<HTMLInputElement>;
  readonly digits?: boolean;
}

export function Field({ label, hint, wrong, inputRef, digits = false, ...props }: FieldProps) {
  return (
    <TextField
      {...props}
      isInvalid={wrong !== undefined}
      validationBehavior="aria"
      className={css['field'] ?? ''}
    >
      <Label className={css['label'] ?? ''}>{label}</Label>
      <Input
        {...(inputRef === undefined ? {} : { ref: inputRef })}
        className={`${css['input']} ${digits ? css['digits'] : ''}`}
        spellCheck={false}
        {...(digits ? { inputMode: 'numeric' } : {})}
      />
      {hint === undefined || wrong !== undefined ? null : (
        <Text slot="description" className={css['hint'] ?? ''}>
          {hint}
        </Text>
      )}
      <FieldError className={css['wrong'] ?? ''}>
        <Icon name="alert" size={16} />
        {wrong}
      </FieldError>
    </TextField>
  );
}
