/**
 * The Priority Field Value of RFC 9218 §4: reading `u=1, i` and writing it.
 *
 * A Structured Field dictionary of which only two members matter; what cannot be read counts as absent, because
 * priority is a hint (RFC 9218 §4, §5). Scheduling by it is the send queue's work.
 */
import type { Priority } from '../transport.ts'

/** Urgency of what says nothing (RFC 9218 §4.1). */
export const DEFAULT_URGENCY = 3

/** The least urgent level (RFC 9218 §4.1). */
export const MAX_URGENCY = 7

const MEMBER = /^\s*([a-z*][a-z0-9_.*-]*)(?:=(\?[01]|[^;\s]*))?(?:;.*)?\s*$/

/**
 * Reads a Priority Field Value.
 *
 * @example
 * parsePriority('u=1, i') // { urgency: 1, incremental: true }
 * parsePriority('u=9') // { urgency: 3, incremental: false }
 */
export function parsePriority(value: string): Required<Priority> {
  let urgency = DEFAULT_URGENCY
  let incremental = false
  for (const member of value.split(',')) {
    const match = MEMBER.exec(member)
    if (match === null) continue
    const [, key, item] = match
    if (key === 'u' && item !== undefined && /^[0-7]$/.test(item)) urgency = Number(item)
    if (key === 'i') incremental = item === undefined || item === '?1'
  }
  return { urgency, incremental }
}

/**
 * Writes a Priority Field Value; members at their default are left out.
 *
 * @throws RangeError if the urgency is no integer from 0 to 7 (misuse)
 * @example
 * formatPriority({ urgency: 1, incremental: true }) // 'u=1, i'
 */
export function formatPriority(priority: Priority): string {
  const { urgency = DEFAULT_URGENCY, incremental = false } = priority
  if (!Number.isInteger(urgency) || urgency < 0 || urgency > MAX_URGENCY) {
    throw new RangeError(`priority urgency is ${urgency}, allowed are integers from 0 to 7 (RFC 9218 §4.1)`)
  }
  const members = []
  if (urgency !== DEFAULT_URGENCY) members.push(`u=${urgency}`)
  if (incremental) members.push('i')
  return members.join(', ')
}
