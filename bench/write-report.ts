/** Draws the charts of all results there are, and fills the README's block between its `benchmarks` marks. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root } from './bundle.ts'
import { chartsOf } from './charts.ts'
import type { Results } from './results.ts'
import { BASE, type Row, rowsOf, short } from './table.ts'

const BEGIN = '<!-- benchmarks -->'
const END = '<!-- /benchmarks -->'
const folder = join(root, 'bench/results')
const LIBRARIES = ['pure', 'node', 'nice-grpc', 'connect-node', 'grpc-go', 'Python', 'bare http2', 'raw TCP']
/** Ratios within this of 1 are within what rounds differ by. */
const EVEN = 0.1

function labels(row: Row): string {
  return `${row.scenario.title.split(',')[0]}: ${row.variant.name}`
}

function heapSentence(rows: readonly Row[]): string {
  const soak = rows.find(({ scenario }) => scenario.name === 'soak')
  if (soak === undefined) return ''
  const grown = soak.cells.map(({ library, median }) => `${short(median)} octets a call on \`${library}\``)
  return ` Over a million calls the heaps of client and server together grew by ${grown.join(' and ')}.`
}

/** One paragraph: where we are ahead, where not. Made from the figures, so that it can't say anything else. */
export function paragraphOf(results: Results): string {
  const rows = rowsOf(results)
  const ahead: string[] = []
  const behind: string[] = []
  for (const row of rows) {
    for (const { library, ratio } of row.cells) {
      if ((library !== 'pure' && library !== 'node') || ratio === undefined) continue
      const text = `${row.scenario.name} ${row.variant.name} (\`${library}\`, ${short(ratio)})`
      if (ratio >= 1 + EVEN) ahead.push(text)
      else behind.push(text)
    }
  }
  const rivals = rows.flatMap((row) => {
    const best = row.cells.filter(({ library }) => library === 'pure' || library === 'node')
    const goal = row.cells.find(({ library }) => library === 'grpc-go')
    if (goal === undefined || best.length === 0) return []
    const each = best.map(({ library, median }) => {
      const ratio = row.moreIsBetter ? median / goal.median : goal.median / median
      return `\`${library}\` ${short(ratio)}`
    })
    return [`${row.scenario.name} ${row.variant.name}: ${each.join(', ')}`]
  })
  const { machine, versions, date } = results
  const go = rivals.length === 0 ? '' : ` To grpc-go on one core: ${rivals.join('; ')}.`
  return (
    `Ratios to ${BASE} ${versions['@grpc/grpc-js']} (above 1 is better), medians of the rounds. ` +
    `Ahead: ${ahead.length === 0 ? 'nowhere' : ahead.join(', ')}. ` +
    `Not ahead: ${behind.length === 0 ? 'nowhere' : behind.join(', ')}.${go}${heapSentence(rows)} ` +
    `Measured on ${date.slice(0, 10)} with Node ${versions.node} on ${machine.cores} cores of ${machine.cpu}` +
    `${machine.pinned ? ', server and client pinned to a core each' : ''}; read ratios, not absolute figures. ` +
    'To rerun: `npm run bench -- --standard`.'
  )
}

/** A table with a row for each variant: the figure of grpc-js, and ratios to it. */
export function markdownTable(results: Results): string {
  const rows = rowsOf(results).filter(({ scenario }) => scenario.name !== 'soak')
  const columns = LIBRARIES.filter((name) =>
    rows.some(({ cells }) => cells.some((cell) => cell.library === name)),
  )
  const lines = [
    `| | ${columns.join(' | ')} | ${BASE} |`,
    `| --- | ${columns.map(() => '---:').join(' | ')} | ---: |`,
  ]
  for (const row of rows) {
    const cell = (name: string) => row.cells.find(({ library }) => library === name)
    const ratios = columns.map((name) => {
      const ratio = cell(name)?.ratio
      return ratio === undefined ? '' : `${short(ratio)}×`
    })
    const base = cell(BASE)
    lines.push(
      `| ${labels(row)} | ${ratios.join(' | ')} | ${base === undefined ? '' : `${short(base.median)} ${row.unit}`} |`,
    )
  }
  return lines.join('\n')
}

/** What stands between the marks. */
export function blockOf(results: Results, chart: string): string {
  return [paragraphOf(results), '', `![Ratios to ${BASE}](${chart})`, '', markdownTable(results)].join('\n')
}

/** Puts `block` between the marks. @returns undefined if they are not there */
export function fillBlock(text: string, block: string): string | undefined {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 || end < begin) return undefined
  return `${text.slice(0, begin + BEGIN.length)}\n${block}\n${text.slice(end)}`
}

/** Does all of it. The README shows `standard.json`. */
export async function writeReport(): Promise<void> {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const results = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Results
    for (const [name, svg] of await chartsOf(basename(file, '.json'), results)) {
      writeFileSync(join(folder, name), svg)
    }
  }
  const readme = join(root, 'README.md')
  const standard = join(folder, 'standard.json')
  if (!existsSync(readme) || !existsSync(standard)) return
  const results = JSON.parse(readFileSync(standard, 'utf8')) as Results
  const filled = fillBlock(readFileSync(readme, 'utf8'), blockOf(results, 'bench/results/standard.svg'))
  if (filled === undefined) {
    process.stderr.write(`README.md has no ${BEGIN} … ${END} to fill\n`)
    return
  }
  writeFileSync(readme, filled)
}
