/** What goes between a test and its dying server. */
import type { OperatorCaller } from '../../app/keyserver/jobs/context.ts';
import type { Limits } from '../../app/keyserver/limits.ts';
import type { AnswersRequest, JobRequest } from '../../app/protocol/wire.ts';
import type { Death } from './dying-store.ts';
import type { VaultAnswer, VaultCall } from './parents-vault.ts';

export type ToServer =
  | {
      readonly kind: 'open';
      readonly file: string;
      readonly resources: string;
      readonly death: Death;
      readonly caller: OperatorCaller;
      readonly limits: Limits;
    }
  | { readonly kind: 'start'; readonly asked: JobRequest }
  | { readonly kind: 'answer'; readonly job: string; readonly seq: number; readonly report: AnswersRequest }
  | VaultAnswer;

export type FromServer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'reply'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: string }
  | VaultCall;
