/** What `glass bench` has found: counts, percentiles and a histogram, as text or as JSON. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { Status, statusName } from '../wire/grpc/status-codes.ts'
import { printable } from './printable.ts'

const PERCENTILES = [50, 75, 90, 95, 99, 99.9, 99.99]
const BUCKETS = 10
const BAR_LENGTH = 40
const NS_PER_MS = 1e6
/** Steps that find the share of calls below a limit to one in 2^30. */
const BISECTIONS = 30

/** A bucket of the histogram: calls that took longer than the bucket before says, and at most `upToMs`. */
export interface Bucket {
  readonly upToMs: number
  readonly calls: number
}

/** The report as data. */
export interface BenchReport {
  readonly calls: number
  readonly seconds: number
  readonly callsPerSecond: number
  /** True if latencies count from when calls were due. */
  readonly corrected: boolean
  readonly latencyMs: { min: number; mean: number; max: number; percentiles: Record<string, number> }
  readonly histogram: readonly Bucket[]
  /** Calls by the name of their status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Up to some texts of failed calls, each with its count. */
  readonly failures: Readonly<Record<string, number>>
}

/** Failures are told apart up to this many texts: a server may put anything into them. */
const MAX_FAILURES = 10

/** Collects what calls end with. */
export class BenchTally {
  readonly #histogram: RecordableHistogram = createHistogram({ figures: 3 })
  readonly #statuses = new Map<number, number>()
  readonly #failures = new Map<string, number>()

  /** @param latencyMs how long a call took */
  latency(latencyMs: number): void {
    this.#histogram.record(Math.max(1, Math.round(latencyMs * NS_PER_MS)))
  }

  /** How a call ended; `details` of those that failed. */
  status(code: number, details = ''): void {
    this.#statuses.set(code, (this.#statuses.get(code) ?? 0) + 1)
    if (code === Status.OK) return
    const text = `${statusName(code)}: ${details}`
    const known = this.#failures.get(text)
    if (known !== undefined || this.#failures.size < MAX_FAILURES) this.#failures.set(text, (known ?? 0) + 1)
  }

  /** The status that most of the failed calls ended with; OK if none failed. */
  get exitStatus(): number {
    const failed = [...this.#statuses].filter(([code]) => code !== Status.OK)
    return failed.sort(([, a], [, b]) => b - a)[0]?.[0] ?? Status.OK
  }

  /** How many calls have ended. */
  get ended(): number {
    return this.#histogram.count
  }

  report(seconds: number, corrected: boolean): BenchReport {
    const histogram = this.#histogram
    const some = histogram.count > 0
    const statuses = [...this.#statuses].sort(([a], [b]) => a - b)
    const at = (percent: number) => histogram.percentile(percent) / NS_PER_MS
    return {
      calls: histogram.count,
      seconds,
      callsPerSecond: histogram.count / seconds,
      corrected,
      latencyMs: {
        min: some ? histogram.min / NS_PER_MS : 0,
        mean: some ? histogram.mean / NS_PER_MS : 0,
        max: some ? histogram.max / NS_PER_MS : 0,
        percentiles: Object.fromEntries(
          PERCENTILES.map((percent) => [`p${percent}`, some ? at(percent) : 0]),
        ),
      },
      histogram: some ? this.#buckets() : [],
      statuses: Object.fromEntries(statuses.map(([code, calls]) => [statusName(code), calls])),
      failures: Object.fromEntries(this.#failures),
    }
  }

  /** Buckets of the same width up to the 99th percentile, and one for the rest, if there is any. */
  #buckets(): Bucket[] {
    const histogram = this.#histogram
    const maxMs = histogram.max / NS_PER_MS
    const p99Ms = histogram.percentile(99) / NS_PER_MS
    const widthMs = p99Ms < maxMs ? p99Ms / (BUCKETS - 1) : maxMs / BUCKETS
    const atMost = (limitMs: number): number => {
      let low = 0
      let high = 100
      for (let step = 0; step < BISECTIONS; step++) {
        const middle = (low + high) / 2
        if (histogram.percentile(middle) / NS_PER_MS <= limitMs) low = middle
        else high = middle
      }
      return Math.floor((high / 100) * histogram.count + 1e-6)
    }
    const buckets: Bucket[] = []
    let before = 0
    for (let i = 1; i <= BUCKETS; i++) {
      const upToMs = i === BUCKETS ? maxMs : Math.min(i * widthMs, maxMs)
      const total = i === BUCKETS ? histogram.count : atMost(upToMs)
      buckets.push({ upToMs, calls: total - before })
      before = total
    }
    return buckets
  }
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 3 : 1)} ms`

/** The report for reading. */
export function renderBench(report: BenchReport): string {
  const { latencyMs } = report
  const most = Math.max(1, ...report.histogram.map(({ calls }) => calls))
  const lines = [
    `${report.calls} calls in ${report.seconds.toFixed(report.seconds < 1 ? 3 : 2)} s: ${report.callsPerSecond.toFixed(1)} calls/s`,
    '',
    `Latency${report.corrected ? ', from when calls were due' : ''}`,
    `  min ${ms(latencyMs.min)}, mean ${ms(latencyMs.mean)}, max ${ms(latencyMs.max)}`,
    ...Object.entries(latencyMs.percentiles).map(([name, value]) => `  ${name.padEnd(7)}${ms(value)}`),
    '',
    'Histogram',
    ...report.histogram.map(({ upToMs, calls }) =>
      `  ${ms(upToMs).padStart(12)} ${String(calls).padStart(9)} ${'■'.repeat(Math.round((calls / most) * BAR_LENGTH))}`.trimEnd(),
    ),
    '',
    'Status',
    ...Object.entries(report.statuses).map(([name, calls]) => `  ${name.padEnd(20)} ${calls}`),
  ]
  for (const [text, calls] of Object.entries(report.failures)) lines.push(`  ${calls} x ${printable(text)}`)
  return lines.join('\n')
}
