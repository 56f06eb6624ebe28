/** What goes between a test and its dying server. */
import type { AnswersRequest, JobRequest } from '../../app/protocol/wire.ts';
import type { Death } from './dying-store.ts';

export type ToServer =
  | { readonly kind: 'open'; readonly file: string; readonly resources: string; readonly death: Death }
  | { readonly kind: 'start'; readonly asked: JobRequest }
  | { readonly kind: 'answer'; readonly job: string; readonly seq: number; readonly report: AnswersRequest }
  | { readonly kind: 'vault-answer'; readonly id: number; readonly value?: unknown; readonly error?: string };

export type FromServer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'reply'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: string }
  | {
      readonly kind: 'vault';
      readonly id: number;
      readonly method: string;
      readonly args: readonly unknown[];
    };
