/** Whether a secret that somebody chooses can be theirs. Pure. */

/** As the server has it (newSecretSchema). */
const LEAST = 8;
const MOST = 256;

export type SecretFault = 'short' | 'long' | 'same' | 'differs';

/** What is wrong with `chosen`, typed a second time as `again`, in place of `old`; undefined for nothing. */
export function secretFault(old: string, chosen: string, again: string): SecretFault | undefined {
  if (chosen.length < LEAST) return 'short';
  if (chosen.length > MOST) return 'long';
  if (chosen === old) return 'same';
  return chosen === again ? undefined : 'differs';
}
