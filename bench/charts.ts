/** Charts of results as SVG, drawn by Vega-Lite. */
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { Results } from './results.ts'
import { BASE, type Row, rowsOf } from './table.ts'

const WIDTH = 560
const ORDER = [
  'pure',
  'node',
  'grpc-js',
  'nice-grpc',
  'connect-node',
  'grpc-go',
  'Python',
  'bare http2',
  'raw TCP',
]
const COLOURS = [
  '#0b7285',
  '#15aabf',
  '#f08c00',
  '#ffc078',
  '#ae3ec9',
  '#5c940d',
  '#ffd43b',
  '#868e96',
  '#ced4da',
]
const config = { background: 'white', axis: { labelFontSize: 12, titleFontSize: 12 } }
const colour = {
  field: 'library',
  type: 'nominal' as const,
  scale: { domain: ORDER, range: COLOURS },
  title: null,
}

async function draw(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}

/** The name of a row where it stands alone. */
export function rowName({ scenario, variant }: Row): string {
  return `${scenario.name}: ${variant.name}`
}

/** How many times better than grpc-js each library is, in each row that grpc-js is in; on a logarithmic scale. */
function ratioChart(rows: readonly Row[]): Promise<string> {
  const values = rows.flatMap((row) =>
    row.cells
      .filter(({ ratio }) => ratio !== undefined)
      .map(({ library, ratio }) => ({ row: rowName(row), library, ratio })),
  )
  return draw({
    config,
    data: { values },
    width: WIDTH,
    height: { step: 9 },
    mark: { type: 'bar', tooltip: false },
    encoding: {
      y: { field: 'row', type: 'nominal', sort: null, title: null, axis: { labelLimit: 240 } },
      yOffset: { field: 'library', sort: ORDER },
      x: {
        field: 'ratio',
        type: 'quantitative',
        scale: { type: 'log' },
        title: `times as good as ${BASE} (log)`,
      },
      color: colour,
    },
  } as TopLevelSpec)
}

/** A curve for each library: throughput, or the 99th percentile, over a scale. */
function curve(rows: readonly Row[], figure: 'median' | 'p99Ms', title: string): Promise<string> {
  const values = rows.flatMap(({ variant, cells }) =>
    cells
      .filter((cell) => cell[figure] !== undefined)
      .map((cell) => ({ at: variant.name, library: cell.library, value: cell[figure] })),
  )
  return draw({
    config,
    data: { values },
    width: WIDTH,
    height: 280,
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'at',
        type: 'ordinal',
        sort: null,
        title: rows[0]?.scenario.scale ?? null,
        axis: { labelAngle: 0 },
      },
      y: { field: 'value', type: 'quantitative', scale: { type: 'log' }, title },
      color: colour,
    },
  } as TopLevelSpec)
}

/** Charts by file name: one of ratios, and two curves for each scenario with a scale. */
export async function chartsOf(name: string, results: Results): Promise<Map<string, string>> {
  const rows = rowsOf(results)
  const charts = new Map<string, string>()
  const compared = rows.filter(({ cells }) => cells.some(({ ratio }) => ratio !== undefined && ratio !== 1))
  if (compared.length > 0) charts.set(`${name}.svg`, await ratioChart(compared))
  const scales = new Set(rows.map(({ scenario }) => scenario).filter(({ scale }) => scale !== undefined))
  for (const scenario of scales) {
    const points = rows.filter((row) => row.scenario === scenario)
    if (points.length < 3) continue
    if (points.every(({ moreIsBetter }) => moreIsBetter || scenario.name === 'unary')) {
      charts.set(
        `${scenario.name}-throughput.svg`,
        await curve(throughputOf(points, results), 'median', 'calls/s (log)'),
      )
    }
    charts.set(`${scenario.name}-p99.svg`, await curve(points, 'p99Ms', 'p99 in ms (log)'))
  }
  return charts
}

/** The same rows with calls a second, also where latency is what a row is about. */
function throughputOf(rows: readonly Row[], { series }: Results): Row[] {
  const median = (row: Row, library: string): number => {
    const rounds = series.find(
      (s) => s.scenario === row.scenario.name && s.variant === row.variant.name && s.library === library,
    )?.rounds
    const sorted = (rounds ?? []).map((figures) => figures.operationsPerSecond ?? 0).sort((a, b) => a - b)
    return sorted[sorted.length >> 1] ?? 0
  }
  return rows.map((row) => ({
    ...row,
    cells: row.cells.map((cell) => ({ ...cell, median: median(row, cell.library) })),
  }))
}
