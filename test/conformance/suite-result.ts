/** What a suite found, and the table that all of them are shown in. */
import type { EngineName } from '../../src/http2/transport.ts'

/** The outcome of one suite with one engine. */
export interface SuiteResult {
  suite: string
  engine: string
  passed: number
  failed: number
  /** What is to be read if something failed. */
  report: string
}

/** A suite that has not run yet. */
export interface Suite {
  /** The part that `--only` names. */
  part: Part
  suite: string
  engine: string
  /** Engines under test, for `--engine`. */
  engines: readonly EngineName[]
  run(): Promise<Omit<SuiteResult, 'suite' | 'engine'>>
}

/** The public suites. */
export const parts = ['connect', 'interop', 'h2spec'] as const
/** One of the public suites. */
export type Part = (typeof parts)[number]
/** Both engines. */
export const engines: readonly EngineName[] = ['node', 'pure']

/**
 * The result of a suite whose number of cases is known: cases that did not run failed.
 *
 * @param expected the number of cases that there must be
 */
export function counted(
  passed: number,
  failed: number,
  expected: number,
  report: string,
): Omit<SuiteResult, 'suite' | 'engine'> {
  const missing = Math.max(0, expected - passed - failed)
  const note = missing === 0 ? '' : `\n${missing} of ${expected} cases did not run`
  return { passed, failed: failed + missing, report: report + note }
}

/** Suite, engine, passed, failed: as Markdown. */
export function table(results: readonly SuiteResult[]): string {
  const rows = results.map(({ suite, engine, passed, failed }) => [
    suite,
    engine,
    String(passed),
    String(failed),
  ])
  const head = ['Suite', 'Engine', 'Passed', 'Failed']
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column < 2 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
