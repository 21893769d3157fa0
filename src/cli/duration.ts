/** Durations as they are typed: a number with its unit. */
import { InvalidArgumentError } from 'commander'

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * Reads a duration.
 * @returns milliseconds
 * @throws InvalidArgumentError saying what is allowed
 * @example
 * parseDuration('1.5s') // 1500
 */
export function parseDuration(text: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  const unitMs = UNITS_MS[unit]
  if (amount === undefined || unitMs === undefined) {
    throw new InvalidArgumentError('Write a number and a unit: 500ms, 1.5s, 2m, 1h.')
  }
  return Number(amount) * unitMs
}
