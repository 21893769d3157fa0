/**
 * The value of `grpc-timeout`: how long the client still waits, as at most eight digits and a unit.
 *
 * gRPC PROTOCOL-HTTP2, "Requests": Timeout, TimeoutValue, TimeoutUnit. Deadlines (moments) and clocks are not known here.
 */
import { WireError } from '../wire-error.ts'

const SECTION = 'gRPC PROTOCOL-HTTP2 Requests, Timeout'
const MAX_VALUE = 99_999_999

/** Milliseconds of each TimeoutUnit, fine to coarse. */
const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['n', 1e-6],
  ['u', 1e-3],
  ['m', 1],
  ['S', 1000],
  ['M', 60_000],
  ['H', 3_600_000],
]
const MS_PER_UNIT: ReadonlyMap<string, number> = new Map(UNITS)

/**
 * Writes a timeout for `grpc-timeout`, rounded up to the finest unit that has room for it in eight digits.
 *
 * Whole milliseconds stay milliseconds. What is over already (0 or less) becomes `1n`, because the grammar allows
 * no zero. The longest that can be said, 99999999 hours, stands for everything longer.
 *
 * @param timeoutMs milliseconds, fractions allowed
 * @returns the field value, or undefined for `Infinity`: no timeout, the field is left out
 * @throws RangeError for NaN
 * @example
 * formatTimeout(500) // '500m'
 * formatTimeout(30 * 24 * 3600 * 1000) // '2592000S'
 */
export function formatTimeout(timeoutMs: number): string | undefined {
  if (timeoutMs === Infinity) return undefined
  if (Number.isNaN(timeoutMs)) throw new RangeError('A timeout must be a number of milliseconds, got NaN')
  if (timeoutMs <= 0) return '1n'
  let unit = Number.isInteger(timeoutMs) ? 2 : timeoutMs < 1 ? 0 : 1
  for (; unit < UNITS.length; unit++) {
    const [letter, ms] = UNITS[unit]!
    // Below a millisecond multiply: dividing by 1e-3 would add rounding noise that Math.ceil turns into one unit more.
    const value = Math.ceil(ms < 1 ? timeoutMs * (unit === 0 ? 1e6 : 1e3) : timeoutMs / ms)
    if (value <= MAX_VALUE) return `${value}${letter}`
  }
  return `${MAX_VALUE}H`
}

/**
 * Reads the value of `grpc-timeout`.
 *
 * One to eight digits and one of `n u m S M H`, nothing else. Zero is accepted as a timeout that is over.
 *
 * @returns milliseconds, whole: what is below one is rounded up to one, so only 0 is 0; at most 3.6e14
 * @throws WireError (layer `grpc`) if the text is anything else
 * @example
 * parseTimeout('1500u') // 2
 */
export function parseTimeout(text: string): number {
  const digits = text.length - 1
  const unitMs = MS_PER_UNIT.get(text.charAt(digits))
  if (unitMs === undefined || digits < 1 || digits > 8) throw malformed(text)
  let value = 0
  for (let i = 0; i < digits; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) throw malformed(text)
    value = value * 10 + digit
  }
  return unitMs >= 1 ? value * unitMs : Math.ceil(value / (unitMs === 1e-3 ? 1e3 : 1e6))
}

function malformed(text: string): WireError {
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
  return new WireError(
    `Invalid grpc-timeout value ${shown}, allowed are 1 to 8 digits and one of n u m S M H`,
    {
      layer: 'grpc',
      section: SECTION,
    },
  )
}
