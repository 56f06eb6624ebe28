/** Figures about the server in Prometheus' text format. Labels have few values, never ids. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Upper bounds of the histograms, in seconds. */
const SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** What is counted: every name with its kind, its help and its labels. */
const FAMILIES = {
  kaika_requests_total: {
    kind: 'counter',
    help: 'HTTP requests by route and status',
    labels: ['route', 'status'],
  },
  kaika_request_seconds: {
    kind: 'histogram',
    help: 'Time from a request to its answer, by route',
    labels: ['route'],
  },
  kaika_lines_refused_total: {
    kind: 'counter',
    help: 'Lines closed because somebody had too many, failed too often, or sent two requests at once, by why',
    labels: ['why'],
  },
  kaika_errors_total: { kind: 'counter', help: 'Requests refused, by error code', labels: ['code'] },
  kaika_jobs_started_total: { kind: 'counter', help: 'Jobs begun', labels: [] },
  kaika_jobs_total: { kind: 'counter', help: 'Jobs ended, by result', labels: ['result'] },
  kaika_job_trips_total: { kind: 'counter', help: 'HTTPS requests of the jobs that ended', labels: [] },
  kaika_steps_total: { kind: 'counter', help: 'Answers of stations taken in', labels: [] },
  kaika_receipts_total: {
    kind: 'counter',
    help: 'Receipts that stations gave back after a restored backup, by what they were',
    labels: ['end'],
  },
  kaika_hsm_calls_total: {
    kind: 'counter',
    help: 'Calls to the vault, by operation and how they ended',
    labels: ['op', 'end'],
  },
  kaika_hsm_seconds: {
    kind: 'histogram',
    help: 'Time of a call to the vault, waiting included, by operation',
    labels: ['op'],
  },
  kaika_hsm_waiting: { kind: 'gauge', help: 'Calls to the vault that wait or run', labels: [] },
  kaika_vault_processes_total: {
    kind: 'counter',
    help: 'Starts and ends of vault processes',
    labels: ['kind'],
  },
} as const satisfies Record<
  string,
  { kind: 'counter' | 'gauge' | 'histogram'; help: string; labels: readonly string[] }
>;

type Families = typeof FAMILIES;
type NameOf<Kind> = {
  [Name in keyof Families]: Families[Name]['kind'] extends Kind ? Name : never;
}[keyof Families];
type MetricName = keyof Families;
/** A value for every label of the family, no more and no fewer. */
type Labels<Name extends MetricName> = Readonly<Record<Families[Name]['labels'][number], string>>;

export class Metrics {
  readonly #registry = new Registry();
  /** Counters and gauges: what can be added to. */
  readonly #sums = new Map<MetricName, Counter | Gauge>();
  readonly #histograms = new Map<MetricName, Histogram>();

  constructor() {
    const registers = [this.#registry];
    for (const [name, { kind, help, labels }] of entries()) {
      const family = { name, help, labelNames: [...labels], registers };
      if (kind === 'histogram') this.#histograms.set(name, new Histogram({ ...family, buckets: SECONDS }));
      else this.#sums.set(name, kind === 'counter' ? new Counter(family) : new Gauge(family));
    }
  }

  /** Adds to a counter or gauge. */
  add<Name extends NameOf<'counter' | 'gauge'>>(name: Name, labels?: Labels<Name>, by?: number): void;
  add(name: MetricName, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    this.#sums.get(name)?.inc({ ...labels }, by);
  }

  /** Notes a duration in a histogram. */
  observe<Name extends NameOf<'histogram'>>(name: Name, seconds: number, labels: Labels<Name>): void;
  observe(name: MetricName, seconds: number, labels: Readonly<Record<string, string>>): void {
    this.#histograms.get(name)?.observe({ ...labels }, seconds);
  }

  /** Everything, as Prometheus reads it. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The media type of `text`, with the version of the format. */
  get contentType(): string {
    return this.#registry.contentType;
  }
}

function entries() {
  return Object.entries(FAMILIES) as [MetricName, Families[MetricName]][];
}
