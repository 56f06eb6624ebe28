/** Figures about the server in Prometheus' text format 0.0.4. Labels have few values, never ids. */

type Labels = Readonly<Record<string, string>>;

/** Upper bounds of the histograms, in seconds. */
const BUCKETS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

interface Family {
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: Map<string, number>;
}

/** What is counted; every name is declared here. */
const FAMILIES = {
  kaika_requests_total: ['counter', 'HTTP requests by route and status'],
  kaika_request_seconds: ['histogram', 'Time from a request to its answer, by route'],
  kaika_errors_total: ['counter', 'Requests refused, by error code'],
  kaika_jobs_started_total: ['counter', 'Jobs begun'],
  kaika_jobs_total: ['counter', 'Jobs ended, by result'],
  kaika_job_trips_total: ['counter', 'HTTPS requests of the jobs that ended'],
  kaika_steps_total: ['counter', 'Answers of stations taken in'],
  kaika_receipts_total: [
    'counter',
    'Receipts that stations gave back after a restored backup, by what they were',
  ],
  kaika_hsm_calls_total: ['counter', 'Calls to the vault, by operation and how they ended'],
  kaika_hsm_seconds: ['histogram', 'Time of a call to the vault, waiting included, by operation'],
  kaika_hsm_waiting: ['gauge', 'Calls to the vault that wait or run'],
  kaika_vault_processes_total: ['counter', 'Starts and ends of vault processes'],
} as const satisfies Record<string, readonly ['counter' | 'gauge' | 'histogram', string]>;
export type MetricName = keyof typeof FAMILIES;

export class Metrics {
  readonly #families = new Map<string, Family>(
    Object.entries(FAMILIES).map(([name, [type, help]]) => [name, { type, help, values: new Map() }]),
  );

  /** Adds to a counter or gauge. */
  add(name: MetricName, labels: Labels = {}, by = 1): void {
    this.#bump(name, name, labels, by);
  }

  /** Notes a duration in a histogram. */
  observe(name: MetricName, seconds: number, labels: Labels = {}): void {
    for (const bound of BUCKETS)
      this.#bump(name, `${name}_bucket`, { ...labels, le: String(bound) }, seconds <= bound ? 1 : 0);
    this.#bump(name, `${name}_bucket`, { ...labels, le: '+Inf' }, 1);
    this.#bump(name, `${name}_sum`, labels, seconds);
    this.#bump(name, `${name}_count`, labels, 1);
  }

  /** Current value of one series; 0 when there is none. For tests and the bench. */
  value(series: string): number {
    for (const { values } of this.#families.values()) {
      const found = values.get(series);
      if (found !== undefined) return found;
    }
    return 0;
  }

  /** Everything, as Prometheus reads it. */
  text(): string {
    const lines: string[] = [];
    for (const [name, { help, type, values }] of this.#families) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [series, value] of values) lines.push(`${series} ${value}`);
    }
    return `${lines.join('\n')}\n`;
  }

  #bump(family: MetricName, name: string, labels: Labels, by: number): void {
    const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value.replace(/[\\"\n]/g, '_')}"`);
    const series = pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
    const values = this.#families.get(family)?.values;
    values?.set(series, (values.get(series) ?? 0) + by);
  }
}
