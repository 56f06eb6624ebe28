/** Card types whose domain keys are moved in every way there is, and one whose are not. */
import type { TypeSpec } from './other-type.ts';

const NONE = { kind: 'none' };
const ADD = { put: 'add', atIssuing: true, secured: false };
export const MOVING_TYPES: readonly TypeSpec[] = [
  {
    id: 'vanishing',
    scp: '03',
    i: '70',
    atr: '5101',
    securityLevel: '33',
    factoryKeys: { keyVersion: 'FF', diversification: NONE },
    issuerKeys: { ...ADD, keyVersion: '30', diversification: { kind: 'kdf3' }, secured: true },
  },
  {
    id: 'added',
    scp: '03',
    i: '60',
    atr: '5202',
    factoryKeys: { keyVersion: '01', diversification: NONE },
    issuerKeys: { ...ADD, keyVersion: '30', diversification: { kind: 'pboc', factor: 'identification' } },
  },
  {
    id: 'replaced',
    scp: '02',
    i: '15',
    atr: '5303',
    factoryKeys: { keyVersion: '01', diversification: NONE },
    issuerKeys: { ...ADD, keyVersion: '20', diversification: { kind: 'visa2' }, put: 'replace' },
    maximumTries: 4,
  },
  {
    id: 'unmoved',
    scp: '02',
    i: '55',
    atr: '5404',
    factoryKeys: { keyVersion: '01', diversification: NONE },
    issuerKeys: { ...ADD, keyVersion: '20', diversification: { kind: 'emv-cps' }, atIssuing: false },
  },
];
/** What is on a card of each type afterwards. */
export const MOVED = {
  vanishing: { versions: [0x30], lifecycle: 0x0f },
  added: { versions: [0x30], lifecycle: 0x01 },
  replaced: { versions: [0x20], lifecycle: 0x01 },
} as const;
export const MOVING = ['vanishing', 'added', 'replaced'] as const;
