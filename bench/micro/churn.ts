/**
 * What a set of calls under way costs the collector, when calls come and go: `Set` and `Map` against `MemberList` and
 * `StreamTable`. 64 at a time, with a full collection every so often, as any process has. Prints the time of a call and
 * how much of it the collections of the young generation took.
 *
 * Run: `node --expose-gc --import=tsx bench/micro/churn.ts`
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { MemberList } from '../../src/http2/member-list.ts'
import { StreamTable } from '../../src/http2/pure/stream-table.ts'

const OUTSTANDING = 64
const CALLS = 2_000_000
const CALLS_BETWEEN_FULL_COLLECTIONS = 100_000

class Call {
  place = -1
  readonly id: number
  /** Stands for what a call holds. */
  readonly state = new Array<number>(100).fill(0)
  constructor(id: number) {
    this.id = id
  }
}

const set = new Set<Call>()
const map = new Map<number, Call>()
const list = new MemberList<Call>()
const table = new StreamTable<Call>()
const kinds = {
  Set: { add: (call: Call) => set.add(call), delete: (call: Call) => set.delete(call) },
  MemberList: { add: (call: Call) => list.add(call), delete: (call: Call) => list.delete(call) },
  Map: { add: (call: Call) => map.set(call.id, call), delete: (call: Call) => map.delete(call.id) },
  StreamTable: { add: (call: Call) => table.add(call), delete: (call: Call) => table.delete(call.id) },
}

let youngMs = 0
new PerformanceObserver((entries) => {
  for (const entry of entries.getEntries()) {
    const { detail, duration } = entry as unknown as { detail: { kind: number }; duration: number }
    // 1 is a collection of the young generation (perf_hooks.constants.NODE_PERFORMANCE_GC_MINOR)
    if (detail.kind === 1) youngMs += duration
  }
}).observe({ entryTypes: ['gc'] })

for (const [name, kind] of Object.entries(kinds)) {
  const underWay: Call[] = []
  youngMs = 0
  let fullMs = 0
  const startedAt = performance.now()
  for (let id = 1; id <= CALLS; id++) {
    const call = new Call(2 * id + 1)
    kind.add(call)
    underWay.push(call)
    if (underWay.length > OUTSTANDING) kind.delete(underWay.shift()!)
    if (id % CALLS_BETWEEN_FULL_COLLECTIONS === 0) {
      const collectingAt = performance.now()
      globalThis.gc?.()
      fullMs += performance.now() - collectingAt
    }
  }
  const tookMs = performance.now() - startedAt - fullMs
  await setTimeout(10) // what the observer is told comes later
  console.log(
    `${name.padEnd(12)} ${((tookMs / CALLS) * 1e6).toFixed(0).padStart(5)} ns a call, collecting ${((youngMs / tookMs) * 100).toFixed(0)} %`,
  )
  for (const call of underWay) kind.delete(call)
}
