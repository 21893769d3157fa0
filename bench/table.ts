/** Results as tables: figures of each library, and their ratio to grpc-js. */
import { mainFigure, type Results, type Series, spread } from './results.ts'
import { type Scenario, scenarios, type Variant } from './scenarios.ts'

/** What ratios are to. */
export const BASE = 'grpc-js'

/** A variant that was measured. */
export interface Row {
  scenario: Scenario
  variant: Variant
  unit: string
  moreIsBetter: boolean
  cells: Cell[]
}

/** A library's part in it. */
export interface Cell {
  library: string
  median: number
  least: number
  greatest: number
  /** How many times better than grpc-js, below 1 for worse; undefined where grpc-js was not measured. */
  ratio: number | undefined
  p50Ms: number | undefined
  p99Ms: number | undefined
  /** Also where something else is what the row is about. */
  operationsPerSecond: number | undefined
  /** CPU time of an operation. */
  clientCpuUs: number | undefined
  serverCpuUs: number | undefined
  /** Pauses for garbage collection, divided by operations, and the longest one. */
  clientGcUs: number | undefined
  serverGcUs: number | undefined
  clientGcLongestMs: number | undefined
  serverGcLongestMs: number | undefined
  /** Large calls a second beside the small ones that were measured. */
  largeOperationsPerSecond: number | undefined
}

function ratioTo(base: number | undefined, median: number, moreIsBetter: boolean): number | undefined {
  if (base === undefined || base <= 0 || median <= 0) return undefined
  return moreIsBetter ? median / base : base / median
}

/** All that was measured, in the order of the scenarios. */
export function rowsOf({ series }: Results): Row[] {
  const find = (scenario: string, variant: string, library: string): Series | undefined =>
    series.find((s) => s.scenario === scenario && s.variant === variant && s.library === library)
  const rows: Row[] = []
  for (const scenario of scenarios) {
    for (const variant of scenario.variants) {
      const { figure, unit, moreIsBetter } = mainFigure(variant.plan)
      const base = spread(find(scenario.name, variant.name, BASE), figure)?.median
      const cells: Cell[] = []
      for (const library of variant.libraries) {
        const found = find(scenario.name, variant.name, library)
        const main = spread(found, figure)
        if (main === undefined) continue
        const medianOf = (name: string) => spread(found, name)?.median
        cells.push({
          library,
          ...main,
          ratio: ratioTo(base, main.median, moreIsBetter),
          p50Ms: medianOf('p50Ms'),
          p99Ms: medianOf('p99Ms'),
          operationsPerSecond: medianOf('operationsPerSecond'),
          clientCpuUs: medianOf('clientCpuUsPerOperation'),
          serverCpuUs: medianOf('serverCpuUsPerOperation'),
          clientGcUs: medianOf('clientGcPausesUsPerOperation'),
          serverGcUs: medianOf('serverGcPausesUsPerOperation'),
          clientGcLongestMs: medianOf('clientGcLongestPauseMs'),
          serverGcLongestMs: medianOf('serverGcLongestPauseMs'),
          largeOperationsPerSecond: medianOf('largeOperationsPerSecond'),
        })
      }
      if (cells.length > 0) rows.push({ scenario, variant, unit, moreIsBetter, cells })
    }
  }
  return rows
}

/** A number with three digits that count. */
export function short(value: number | undefined): string {
  if (value === undefined) return ''
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3)
}

const pauses = (us: number | undefined): string => (us === undefined ? '' : `, ${short(us)} µs GC`)

/** Text for a terminal. */
export function renderTable(results: Results): string {
  const lines: string[] = []
  let title = ''
  for (const { scenario, variant, unit, cells } of rowsOf(results)) {
    if (scenario.title !== title) {
      title = scenario.title
      lines.push('', title)
    }
    lines.push(`  ${variant.name} (${unit})`)
    for (const cell of cells) {
      const { library, median, least, greatest, ratio, p50Ms, p99Ms, clientCpuUs, serverCpuUs } = cell
      const { clientGcUs, serverGcUs, largeOperationsPerSecond } = cell
      const details = [
        ratio === undefined ? '' : `${short(ratio)} x ${BASE}`,
        `${short(least)} … ${short(greatest)}`,
        p50Ms === undefined ? '' : `p50 ${short(p50Ms)} ms, p99 ${short(p99Ms)} ms`,
        largeOperationsPerSecond === undefined ? '' : `${short(largeOperationsPerSecond)} large calls/s`,
        clientCpuUs === undefined ? '' : `client ${short(clientCpuUs)} µs CPU${pauses(clientGcUs)}`,
        serverCpuUs === undefined ? '' : `server ${short(serverCpuUs)} µs CPU${pauses(serverGcUs)}`,
      ].filter((text) => text !== '')
      lines.push(`    ${library.padEnd(14)} ${short(median).padStart(10)}   ${details.join('; ')}`)
    }
  }
  if (results.missing.length > 0)
    lines.push('', 'Not measured:', ...results.missing.map((text) => `  ${text}`))
  return `${lines.join('\n')}\n`
}
