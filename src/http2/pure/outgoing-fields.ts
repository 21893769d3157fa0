/**
 * Fields that we are asked to send: what HTTP/2 forbids is refused before anything is written (RFC 9113 §8.2).
 *
 * An endpoint must not send malformed messages, and CR or LF let through would be dangerous behind a gateway to
 * HTTP/1.1. Only form is checked here: that a request has a `:path` is the caller's business.
 */
import type { Fields } from '../transport.ts'

/** Which header section fields are for. */
export type SectionKind = 'request' | 'response' | 'trailers'

const REQUEST_NAMES = new Set([':method', ':scheme', ':authority', ':path'])

/** RFC 9113 §8.2.2. */
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

// RFC 9110 §5.6.2, in lower case (RFC 9113 §8.2.1).
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
// RFC 9110 §5.5: visible characters, obs-text, and spaces and tabs inside.
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]|^[\t ]|[\t ]$/

/** Names that have been checked, shared by all connections and bounded, as in `field-section.ts`. */
const knownNames = new Set<string>()
const MAX_KNOWN_NAMES = 1024

/** Frozen sections that have been checked, such as a method's request headers: they can't have changed since. */
const knownSections: Readonly<Record<SectionKind, WeakSet<Fields>>> = {
  request: new WeakSet(),
  response: new WeakSet(),
  trailers: new WeakSet(),
}

function refuse(reason: string): never {
  throw new TypeError(reason)
}

function checkName(name: string, kind: SectionKind, afterRegular: boolean): void {
  if (name.startsWith(':')) {
    const known = kind === 'request' ? REQUEST_NAMES.has(name) : kind === 'response' && name === ':status'
    if (!known) refuse(`Pseudo-header field "${name}" is not allowed in ${kind} (RFC 9113 §8.3)`)
    if (afterRegular) refuse(`Pseudo-header field "${name}" stands after other fields (RFC 9113 §8.3)`)
    return
  }
  if (!TOKEN.test(name)) {
    refuse(
      `Field name ${JSON.stringify(name)} is not allowed: a name is a token in lower case (RFC 9113 §8.2.1)`,
    )
  }
  if (CONNECTION_SPECIFIC.has(name)) {
    refuse(`Field "${name}" is connection-specific, which HTTP/2 does not allow (RFC 9113 §8.2.2)`)
  }
  if (name !== 'te' && knownNames.size < MAX_KNOWN_NAMES) knownNames.add(name)
}

/**
 * Checks a field section that is to be sent.
 *
 * @throws TypeError naming the field, what it has and what is allowed (misuse)
 */
export function checkOutgoing(fields: Fields, kind: SectionKind): void {
  const known = knownSections[kind]
  if (known.has(fields)) return
  let afterRegular = false
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!
    const value = fields[at + 1]!
    if (knownNames.has(name)) {
      afterRegular = true
    } else {
      checkName(name, kind, afterRegular)
      afterRegular ||= !name.startsWith(':')
      if (name === 'te' && value !== 'trailers') {
        refuse(`Field "te" is ${JSON.stringify(value)}, allowed is "trailers" (RFC 9113 §8.2.2)`)
      }
    }
    if (BAD_VALUE.test(value)) {
      refuse(
        `The value of field "${name}" is not allowed: octets of Latin-1 without controls, no space at the ends (RFC 9113 §8.2.1)`,
      )
    }
  }
  if (Object.isFrozen(fields)) known.add(fields)
}
