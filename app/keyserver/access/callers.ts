/** The kinds of caller, and what is known of each once its certificate and token were checked. */

/** A station, known by its client certificate. */
export interface StationCaller {
  readonly station: string;
}

/** A station with an operator signed in. */
export interface OperatorCaller extends StationCaller {
  readonly operator: string;
}

/** What is known of a caller by the kind of caller that an endpoint asks for. */
export interface Callers {
  readonly certificate: null;
  readonly station: StationCaller;
  readonly operator: OperatorCaller;
}

/** The kinds of caller, each with more to show than the one before. */
export type Who = keyof Callers;
