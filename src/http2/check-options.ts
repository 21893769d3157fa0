/**
 * Options that are numbers, checked before anything is done with them: a size that no frame can carry, or a limit
 * that is NaN, would show much later, far from where it was given.
 */
import { MAX_TIMER_MS } from './long-timer.ts'
import type { EngineOptions, ListenOptions } from './transport.ts'

/** What a number may be. */
export interface NumberRule {
  readonly min: number
  /** Default: as large as it likes, and no integer. */
  readonly max?: number
  /** What Infinity stands for; absent: it is not allowed. */
  readonly infinite?: number
}

/** No limit, where the number is one of our own. */
export const ANY_LIMIT: NumberRule = { min: 0, infinite: Number.POSITIVE_INFINITY }

/** Largest value of most settings, and what stands for no limit (RFC 9113 §6.5.1). */
const MAX_SETTING = 0xffffffff
/** Largest flow-control window (RFC 9113 §6.9.1). */
const MAX_WINDOW_OCTETS = 0x7fffffff

const SETTING: NumberRule = { min: 0, max: MAX_SETTING, infinite: MAX_SETTING }
const WINDOW: NumberRule = { min: 1, max: MAX_WINDOW_OCTETS }

const RULES: Readonly<Partial<Record<keyof EngineOptions | keyof ListenOptions, NumberRule>>> = {
  maxConcurrentStreams: SETTING,
  maxHeaderListSizeOctets: SETTING,
  streamWindowOctets: WINDOW,
  connectionWindowOctets: WINDOW,
  sendBufferOctets: ANY_LIMIT,
  handshakeTimeoutMs: ANY_LIMIT,
  // 0 is never, too
  watchdogIntervalMs: { min: 0, max: MAX_TIMER_MS, infinite: 0 },
  keepaliveTimeMs: ANY_LIMIT,
  keepaliveTimeoutMs: ANY_LIMIT,
  minPingIntervalMs: ANY_LIMIT,
  maxConnectionAgeMs: ANY_LIMIT,
  maxConnectionAgeGraceMs: ANY_LIMIT,
  maxConnectionIdleMs: ANY_LIMIT,
}

/**
 * The options as an engine takes them: numbers in their range, Infinity as what stands for it.
 * @throws TypeError naming the option, its value and what is allowed
 */
export function checkedEngineOptions<Options extends EngineOptions>(options: Options): Options {
  return checkedNumbers(options, RULES)
}

/**
 * The same object, or a copy with what stands for Infinity.
 * @throws TypeError naming the option, its value and what is allowed
 */
export function checkedNumbers<Options extends object>(
  options: Options,
  rules: Readonly<Record<string, NumberRule>>,
): Options {
  const given = options as Readonly<Record<string, unknown>>
  let copy: Record<string, unknown> | undefined
  for (const name of Object.keys(rules)) {
    const value = given[name]
    if (value === undefined) continue
    const checked = checkedNumber(name, value, rules[name]!)
    if (checked === value) continue
    copy ??= { ...given }
    copy[name] = checked
  }
  return (copy as Options | undefined) ?? options
}

/** One number. @throws TypeError naming it, its value and what is allowed */
export function checkedNumber(name: string, value: unknown, rule: NumberRule): number {
  const { min, max, infinite } = rule
  if (value === Number.POSITIVE_INFINITY && infinite !== undefined) return infinite
  const fits = typeof value === 'number' && Number.isFinite(value) && value >= min
  if (fits && (max === undefined || (value <= max && Number.isInteger(value)))) return value
  const range = max === undefined ? `a number from ${min}` : `an integer from ${min} to ${max}`
  const unlimited = infinite === undefined ? '' : ', or Infinity'
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
  throw new TypeError(`${name}: ${shown} is not allowed; give ${range}${unlimited}`)
}
