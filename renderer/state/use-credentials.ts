/** A person's user name and password while they are typed. The password is forgotten as soon as it was refused. */
import { useState } from 'react';
import type { FaultView } from '../../electron/ipc-schema.ts';

export interface Credentials {
  readonly operator: string;
  readonly secret: string;
}

interface CredentialsForm extends Credentials {
  readonly operatorMissing: boolean;
  readonly secretMissing: boolean;
  readonly fault: FaultView | null;
  readonly setOperator: (value: string) => void;
  readonly setSecret: (value: string) => void;
  /** What was typed, or undefined, with the missing fields marked. */
  readonly check: () => Credentials | undefined;
  /** The password is forgotten; with a fault that says why. */
  readonly refused: (fault: FaultView | null) => void;
}

export function useCredentials(): CredentialsForm {
  const [operator, setOperator] = useState('');
  const [secret, setSecret] = useState('');
  const [checked, setChecked] = useState(false);
  const [fault, setFault] = useState<FaultView | null>(null);
  return {
    operator,
    secret,
    fault,
    operatorMissing: checked && operator.trim() === '',
    secretMissing: checked && secret === '' && fault === null,
    setOperator,
    setSecret: (value) => {
      setSecret(value);
      setFault(null);
    },
    check: () => {
      setChecked(true);
      setFault(null);
      const name = operator.trim();
      return name === '' || secret === '' ? undefined : { operator: name, secret };
    },
    refused: (why) => {
      setFault(why);
      setSecret('');
      setChecked(false);
    },
  };
}
