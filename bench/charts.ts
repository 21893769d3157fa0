/**
 * Charts of results as SVG, drawn by Vega-Lite. All show ratios: absolute times belong to the machine they were
 * measured on.
 */
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { Results } from './results.ts'
import { BASE, type Cell, type Row, rowsOf } from './table.ts'

const WIDTH = 560
const LOOKS: Readonly<Record<string, { colour: string; shape: string }>> = {
  pure: { colour: '#0b7285', shape: 'circle' },
  node: { colour: '#15aabf', shape: 'diamond' },
  'grpc-js': { colour: '#f08c00', shape: 'square' },
  'nice-grpc': { colour: '#e8590c', shape: 'triangle-up' },
  'connect-node': { colour: '#ae3ec9', shape: 'triangle-down' },
  'grpc-go': { colour: '#5c940d', shape: 'cross' },
  Python: { colour: '#c2a300', shape: 'triangle-right' },
  'bare http2': { colour: '#868e96', shape: 'triangle-left' },
  'raw TCP': { colour: '#adb5bd', shape: 'wedge' },
}
const config = {
  background: 'white',
  axis: { labelFontSize: 12, titleFontSize: 12 },
  legend: { title: null },
}

/** Colour and shape of those libraries that are in a chart. */
function encodingOf(values: readonly { library: string }[]) {
  const domain = Object.keys(LOOKS).filter((name) => values.some(({ library }) => library === name))
  const scale = (look: 'colour' | 'shape') => ({ domain, range: domain.map((name) => LOOKS[name]![look]) })
  return {
    color: { field: 'library', type: 'nominal', scale: scale('colour'), title: null },
    shape: { field: 'library', type: 'nominal', scale: scale('shape'), title: null },
  }
}

async function draw(spec: unknown): Promise<string> {
  const view = new View(parse(compile(spec as TopLevelSpec).spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}

/** The name of a row where it stands alone: what prose calls it. */
export function rowName({ scenario, variant }: Row): string {
  return scenario.phrase.replace('{}', variant.name)
}

const LOG_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]

/** How many times better than grpc-js each library is, a line for each row; on a logarithmic scale. */
function ratioChart(rows: readonly Row[]): Promise<string> {
  const values = rows.flatMap((row) =>
    row.cells
      .filter(({ library, ratio }) => ratio !== undefined && library !== BASE)
      .map(({ library, ratio }) => ({ row: rowName(row), library, ratio })),
  )
  return draw({
    config,
    width: WIDTH,
    height: { step: 24 },
    layer: [
      {
        data: { values: [{ at: 1 }] },
        mark: { type: 'rule', color: '#f08c00' },
        encoding: { x: { datum: 1 } },
      },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 70, opacity: 0.9 },
        encoding: {
          y: {
            field: 'row',
            type: 'nominal',
            sort: null,
            title: null,
            axis: { labelLimit: 420, grid: true },
          },
          x: {
            field: 'ratio',
            type: 'quantitative',
            scale: { type: 'log', nice: true },
            axis: { values: LOG_TICKS, format: '~r' },
            title: `times as good as ${BASE} (the line); to the right is better; logarithmic`,
          },
          ...encodingOf(values),
        },
      },
    ],
  })
}

/** A curve for each library over a scale, as multiples of grpc-js at its first point; none without that. */
async function curve(
  rows: readonly Row[],
  figureOf: (cell: Cell) => number | undefined,
  what: string,
): Promise<string | undefined> {
  const first = rows[0]!
  const baseCell = first.cells.find(({ library }) => library === BASE)
  const base = baseCell && figureOf(baseCell)
  if (rows.length < 3 || base === undefined || base <= 0) return undefined
  const values = rows.flatMap(({ variant, cells }) =>
    cells
      .map((cell) => ({ at: variant.name, library: cell.library, value: (figureOf(cell) ?? 0) / base }))
      .filter(({ value }) => value > 0),
  )
  return draw({
    config,
    data: { values },
    width: WIDTH,
    height: 280,
    mark: { type: 'line', point: { filled: true, size: 60 } },
    encoding: {
      x: {
        field: 'at',
        type: 'ordinal',
        sort: null,
        title: first.scenario.scale ?? null,
        axis: { labelAngle: 0 },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        scale: { type: 'log' },
        axis: { format: '~g', tickCount: 5 },
        title: [what, `${BASE} at ${first.variant.name} = 1; logarithmic`],
      },
      ...encodingOf(values),
    },
  })
}

/** CPU time and collector's pauses of a call, client and server, as multiples of grpc-js's CPU time at that end. */
function costChart(row: Row): Promise<string> | undefined {
  const base = row.cells.find(({ library }) => library === BASE)
  if (base?.clientCpuUs === undefined || base.serverCpuUs === undefined) return undefined
  const { clientCpuUs: client, serverCpuUs: server } = base
  const values = row.cells.flatMap((cell) => [
    { library: cell.library, of: 'client, CPU', value: (cell.clientCpuUs ?? 0) / client },
    { library: cell.library, of: 'server, CPU', value: (cell.serverCpuUs ?? 0) / server },
    { library: cell.library, of: 'client, GC pauses', value: (cell.clientGcUs ?? 0) / client },
    { library: cell.library, of: 'server, GC pauses', value: (cell.serverGcUs ?? 0) / server },
  ])
  return draw({
    config,
    data: { values },
    width: WIDTH / 2 - 30,
    height: { step: 16 },
    mark: { type: 'bar' },
    encoding: {
      facet: { field: 'of', type: 'nominal', sort: null, columns: 2, title: null },
      y: { field: 'library', type: 'nominal', sort: Object.keys(LOOKS), title: null },
      x: { field: 'value', type: 'quantitative', title: `CPU of ${BASE} at that end = 1` },
      color: { ...encodingOf(values).color, legend: null },
    },
    resolve: { scale: { x: 'independent' } },
  })
}

/** The row whose costs are shown: unary calls with many outstanding. */
export const isCostRow = ({ scenario, variant }: Row): boolean =>
  scenario.name === 'unary' && variant.name === '64'

/**
 * Charts by file name: `overview.svg` of the rows that matter most; `costs.svg`; for each scenario a chart of its
 * ratios, or, where its variants are a scale, two curves.
 */
export async function chartsOf(results: Results): Promise<Map<string, string>> {
  const rows = rowsOf(results)
  const charts = new Map<string, string>()
  const add = (name: string, svg: string | undefined) => svg !== undefined && charts.set(name, svg)
  const compared = rows.filter(({ cells }) =>
    cells.some(({ library, ratio }) => ratio !== undefined && library !== BASE),
  )
  const headlines = compared.filter(({ variant }) => variant.headline)
  if (headlines.length > 0) add('overview.svg', await ratioChart(headlines))
  const costs = rows.find(isCostRow)
  if (costs !== undefined) add('costs.svg', await costChart(costs))
  for (const scenario of new Set(compared.map((row) => row.scenario))) {
    const points = compared.filter((row) => row.scenario === scenario)
    if (scenario.scale === undefined) {
      add(`${scenario.name}.svg`, await ratioChart(points))
      continue
    }
    // at a fixed rate all make the same number of calls
    if (scenario.name !== 'latency') {
      add(
        `${scenario.name}-throughput.svg`,
        await curve(points, (cell) => cell.operationsPerSecond, 'calls a second'),
      )
    }
    add(`${scenario.name}-p99.svg`, await curve(points, (cell) => cell.p99Ms, '99th percentile of latency'))
  }
  return charts
}
