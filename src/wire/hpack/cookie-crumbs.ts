/** Cookie crumbs: one `cookie` field may be sent as several, one for each pair (RFC 9113 §8.2.3). */

/**
 * Splits the value of a `cookie` field into its pairs.
 *
 * @example
 * splitCookieCrumbs('a=1; b=2') // ['a=1', 'b=2']
 */
export function splitCookieCrumbs(value: string): string[] {
  return value.split('; ')
}

/**
 * Joins all `cookie` fields into one with `; ` between, at the place of the first one, as a context that is
 * not HTTP/2 needs them. Without a second one the given list is returned as it is.
 *
 * @param fields name, value, name, value
 *
 * @example
 * joinCookieCrumbs(['cookie', 'a=1', 'te', 'trailers', 'cookie', 'b=2'])
 * // ['cookie', 'a=1; b=2', 'te', 'trailers']
 */
export function joinCookieCrumbs(fields: readonly string[]): readonly string[] {
  const first = cookieAfter(fields, 0)
  if (first < 0 || cookieAfter(fields, first + 2) < 0) return fields
  const joined: string[] = []
  const crumbs: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === 'cookie') crumbs.push(fields[i + 1]!)
    if (fields[i] !== 'cookie' || i === first) joined.push(fields[i]!, fields[i + 1]!)
  }
  joined[first + 1] = crumbs.join('; ')
  return joined
}

/** Where the first `cookie` field at or after `from` is, or -1. */
function cookieAfter(fields: readonly string[], from: number): number {
  for (let i = from; i < fields.length; i += 2) if (fields[i] === 'cookie') return i
  return -1
}
