/** The kinds of caller, and what is known of each once its certificate and token were checked. */

import type { Right } from './rights.ts';

/** A station, known by its client certificate. */
export interface StationCaller {
  readonly station: string;
  /** Absent where a site has none. */
  readonly branch?: string;
}

/** A station with an operator signed in. */
export interface OperatorCaller extends StationCaller {
  readonly operator: string;
}

/** What is known of a caller, by whom an endpoint lets through: somebody signed in has shown everything that a station shows. */
export type Callers = {
  readonly certificate: null;
  readonly station: StationCaller;
} & { readonly [May in Right]: OperatorCaller };

/** Everybody with a certificate, an enrolled station, or somebody signed in at one whose role has the right. */
export type Who = keyof Callers;
