/** Latencies of one measurement: kept as numbers while it runs, sorted into an HDR histogram when it is over. */
import { createHistogram } from 'node:perf_hooks'
import type { Latency } from './task.ts'

const CAPACITY = 1 << 20
const NS_PER_MS = 1e6

/** One for the process: a large array for each measurement would be work for the collector that is not the library's. */
const values = new Float64Array(CAPACITY)

/** Takes latencies at the price of a store. Beyond its capacity, each new one replaces an old one, in turn. */
export class Latencies {
  readonly #values = values
  #count = 0

  add(latencyMs: number): void {
    this.#values[this.#count++ & (CAPACITY - 1)] = latencyMs
  }

  /** Forgets all. */
  clear(): void {
    this.#count = 0
  }

  summary(): Latency {
    const histogram = createHistogram({ figures: 3 })
    const kept = Math.min(this.#count, CAPACITY)
    for (let i = 0; i < kept; i++) histogram.record(Math.max(1, Math.round(this.#values[i]! * NS_PER_MS)))
    const at = (percent: number) => (kept === 0 ? 0 : histogram.percentile(percent) / NS_PER_MS)
    return {
      meanMs: kept === 0 ? 0 : histogram.mean / NS_PER_MS,
      p50Ms: at(50),
      p90Ms: at(90),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: kept === 0 ? 0 : histogram.max / NS_PER_MS,
    }
  }
}
