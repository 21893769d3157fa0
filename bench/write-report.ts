/**
 * The report of a whole run, `bench/results/all.json`: charts, a page with all figures beside them, and the README's
 * block between its `benchmarks` marks.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bundle.ts'
import { chartsOf, isCostRow, rowName } from './charts.ts'
import { paragraphOf, ratio } from './prose.ts'
import type { Results } from './results.ts'
import { BASE, type Cell, type Row, rowsOf, short } from './table.ts'

const BEGIN = '<!-- benchmarks -->'
const END = '<!-- /benchmarks -->'
const folder = join(root, 'bench/results')
const COLUMNS = ['pure', 'node', 'nice-grpc', 'connect-node', 'grpc-go', 'Python']

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** A row for each variant that matters most, with the ratios to grpc-js. */
export function markdownTable(results: Results): string {
  const rows = rowsOf(results).filter(
    ({ variant, cells }) => variant.headline && cells.some(({ library }) => library === BASE),
  )
  const columns = COLUMNS.filter((name) =>
    rows.some(({ cells }) => cells.some((cell) => cell.library === name)),
  )
  const body = rows.map((row) => [
    rowName(row),
    ...columns.map((name) => {
      const value = row.cells.find((cell) => cell.library === name)?.ratio
      return value === undefined ? '' : ratio(value)
    }),
  ])
  return table([`times as good as ${BASE}`, ...columns], body)
}

/**
 * What stands between the marks.
 * @param charts the names of those there are
 */
export function blockOf(results: Results, charts: ReadonlySet<string>): string {
  const image = (name: string, alt: string) =>
    charts.has(name) ? [`![${alt}](bench/results/${name})`, ''] : []
  return [
    '',
    paragraphOf(results),
    '',
    ...image('overview.svg', `How many times as good as ${BASE}`),
    ...image('unary-throughput.svg', 'Calls a second by calls outstanding'),
    markdownTable(results),
    '',
    '[All figures and charts](bench/results/README.md), with CPU time, percentiles, collector pauses and spread;',
    '[what was tried](docs/performance-notes.md) to get there.',
    '',
  ].join('\n')
}

/** Puts `block` between the marks. @returns undefined if they are not there */
export function fillBlock(text: string, block: string): string | undefined {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 || end < begin) return undefined
  return `${text.slice(0, begin + BEGIN.length)}\n${block}\n${text.slice(end)}`
}

/** A column of a table of figures; shown if any cell has it. */
const FIGURES: readonly [string, (cell: Cell, row: Row) => number | undefined][] = [
  ['p50, ms', (cell) => cell.p50Ms],
  ['p99, ms', (cell) => cell.p99Ms],
  ['large calls/s', (cell) => cell.largeOperationsPerSecond],
  ['CPU client, µs', (cell) => cell.clientCpuUs],
  ['CPU server, µs', (cell) => cell.serverCpuUs],
]
const PAUSES: typeof FIGURES = [
  ['CPU client, µs', (cell) => cell.clientCpuUs],
  ['GC client, µs', (cell) => cell.clientGcUs],
  ['longest GC client, ms', (cell) => cell.clientGcLongestMs],
  ['CPU server, µs', (cell) => cell.serverCpuUs],
  ['GC server, µs', (cell) => cell.serverGcUs],
  ['longest GC server, ms', (cell) => cell.serverGcLongestMs],
]

function figureTable(rows: readonly Row[], figures: typeof FIGURES): string {
  const shown = figures.filter(([, of]) =>
    rows.some((row) => row.cells.some((cell) => of(cell, row) !== undefined)),
  )
  const body = rows.flatMap((row) =>
    row.cells.map((cell, at) => [
      at === 0 ? `${row.variant.name} (${row.unit})` : '',
      cell.library,
      cell.ratio === undefined ? '' : ratio(cell.ratio),
      short(cell.median),
      `${short(cell.least)} … ${short(cell.greatest)}`,
      ...shown.map(([, of]) => short(of(cell, row))),
    ]),
  )
  return table(['', 'library', `to ${BASE}`, 'median', 'spread', ...shown.map(([name]) => name)], body)
}

/** `bench/results/README.md`. @param charts the names of those there are */
export function pageOf(results: Results, charts: ReadonlySet<string>): string {
  const rows = rowsOf(results)
  const { machine, versions, date } = results
  const image = (name: string, alt: string) => (charts.has(name) ? [`![${alt}](${name})`, ''] : [])
  const sections = [...new Set(rows.map(({ scenario }) => scenario))].flatMap((scenario) => {
    const { name, title } = scenario
    return [
      `## ${title}`,
      '',
      ...image(`${name}.svg`, `${title}: how many times as good as ${BASE}`),
      ...image(`${name}-throughput.svg`, `${title}: calls a second`),
      ...image(`${name}-p99.svg`, `${title}: 99th percentile`),
      figureTable(
        rows.filter((row) => row.scenario === scenario),
        FIGURES,
      ),
      '',
    ]
  })
  const costs = rows.filter(isCostRow)
  return [
    '# Results of the benchmarks',
    '',
    `Made by \`npm run bench\` from [\`all.json\`](all.json), which has every round. ${paragraphOf(results)}`,
    '',
    '| | |',
    '| --- | --- |',
    `| date | ${date} |`,
    `| machine | ${machine.cores} cores of ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.os} |`,
    `| versions | ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version.replace(/^v/, '')}`)
      .join(', ')} |`,
    `| each measurement | ${results.durationMs} ms after ${results.warmUpMs} ms of load to warm up; processes are new in each round and are warmed up for ${results.firstWarmUpMs} ms before their first |`,
    `| not measured | ${results.missing.length === 0 ? 'nothing' : results.missing.join('; ')} |`,
    '',
    `Medians of all rounds, with the least and the greatest. "To ${BASE}" is how many times as good: rates are divided`,
    "by its rate, its times and sizes by the others', so that above 1× is better everywhere. Every reply is verified",
    'octet for octet; of those to h2load the octets are counted, of those to ghz the statuses. CPU time is the',
    "operating system's, for one call or message. `bare http2` and `raw TCP` are floors: they move the same octets",
    'without any gRPC.',
    '',
    ...image('overview.svg', `How many times as good as ${BASE}`),
    ...sections,
    ...(costs.length === 0
      ? []
      : [
          '## CPU time and pauses of the garbage collector, 64 unary calls outstanding',
          '',
          ...image('costs.svg', 'CPU time and pauses of the garbage collector for one call'),
          figureTable(costs, PAUSES),
          '',
        ]),
  ].join('\n')
}

/** Does all of it; nothing if there was no whole run. */
export async function writeReport(): Promise<void> {
  const file = join(folder, 'all.json')
  if (!existsSync(file)) throw new Error('There are no results of a whole run: npm run bench')
  const results = JSON.parse(readFileSync(file, 'utf8')) as Results
  const charts = await chartsOf(results)
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.svg'))) rmSync(join(folder, name))
  for (const [name, svg] of charts) writeFileSync(join(folder, name), svg)
  const names = new Set(charts.keys())
  writeFileSync(join(folder, 'README.md'), pageOf(results, names))
  const readme = join(root, 'README.md')
  const filled = fillBlock(readFileSync(readme, 'utf8'), blockOf(results, names))
  if (filled === undefined) throw new Error(`README.md has no ${BEGIN} … ${END} to fill`)
  writeFileSync(readme, filled)
}
