/** Reads the TAP that a program printed, against the list of cases that it was to report. */

/** What a program reported. */
export interface TapReport {
  /** Points and comments, as printed. */
  lines: string[]
  passed: number
  failed: number
}

/**
 * Counts the points of a TAP stream; every expected case that is not there counts as failed.
 *
 * @param errors shown as comments if anything failed
 */
export function readTap(output: string, expected: readonly string[], errors: string): TapReport {
  const points = new Map<string, boolean>()
  const lines: string[] = []
  for (const line of output.split('\n')) {
    const point = /^(not )?ok \d+ - (.*)$/.exec(line)
    if (point !== null) points.set(point[2]!, point[1] === undefined)
    if (point !== null || line.startsWith('#')) lines.push(line)
  }
  for (const name of expected) {
    if (points.has(name)) continue
    points.set(name, false)
    lines.push(`not ok ${points.size} - ${name}`, '# the program did not report it')
  }
  const failed = [...points.values()].filter((passed) => !passed).length
  if (failed > 0) lines.push(...errors.split('\n').filter(Boolean).map(commented))
  return { lines: [...lines, `1..${points.size}`], passed: points.size - failed, failed }
}

function commented(line: string): string {
  return `# ${line}`
}
