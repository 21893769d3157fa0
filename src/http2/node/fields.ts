/**
 * Header fields for node:http2: our flat list becomes the object that Node takes, repeated names as arrays.
 *
 * What Node or RFC 9113 §8.2.1 would not let pass is refused here, before anything is sent: Node ends a whole
 * session because of a bad name, and lets CR, LF and NUL in a value through. The way back needs no code: Node
 * hands out the raw list.
 */
import { type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2'
import type { Fields } from '../transport.ts'

/** Which header section the fields are for. */
export type FieldSection = 'request' | 'response' | 'trailers'

const REQUEST_PSEUDO_FIELDS = new Set([':method', ':scheme', ':authority', ':path', ':protocol'])

/** RFC 9113 §8.2.2. `te` is allowed with the value `trailers`. */
const CONNECTION_SPECIFIC_FIELDS = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** Fields that node:http2 sends at most once. */
const SINGLE_FIELDS = new Set(
  (
    'access-control-allow-credentials access-control-max-age access-control-request-method age authorization ' +
    'content-encoding content-language content-length content-location content-md5 content-range content-type ' +
    'date dnt etag expires from host if-match if-modified-since if-none-match if-range if-unmodified-since ' +
    'last-modified location max-forwards proxy-authorization range referer retry-after tk ' +
    'upgrade-insecure-requests user-agent x-content-type-options'
  ).split(' '),
)

/** Fields that are sent as never indexed, so that no proxy stores them (RFC 7541 §7.1.3). */
const SENSITIVE_FIELDS = ['authorization', 'cookie', 'proxy-authorization', 'set-cookie']

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const BAD_VALUE = /^[ \t]|[ \t]$|[^\t\x20-\x7e\x80-\xff]/

const PLAIN = 0
const PSEUDO = 1
const SINGLE = 2
const SENSITIVE = 3

/** Names seen before and what they are: the check of a name costs one look-up. Bounded. */
const knownNames = new Map<string, number>()
const MAX_KNOWN_NAMES = 2000

function classify(name: string): number {
  let kind: number
  if (name.startsWith(':')) kind = PSEUDO
  else if (!TOKEN.test(name)) {
    throw new TypeError(
      `Field name ${JSON.stringify(name)} is not allowed: a name is a token in lower case (RFC 9113 §8.2.1)`,
    )
  } else if (CONNECTION_SPECIFIC_FIELDS.has(name)) {
    throw new TypeError(
      `Field "${name}" is connection-specific, which HTTP/2 does not allow (RFC 9113 §8.2.2)`,
    )
  } else if (SENSITIVE_FIELDS.includes(name)) kind = SENSITIVE
  else kind = SINGLE_FIELDS.has(name) ? SINGLE : PLAIN
  if (knownNames.size < MAX_KNOWN_NAMES) knownNames.set(name, kind)
  return kind
}

function checkPseudoField(name: string, value: string, section: FieldSection): void {
  if (section === 'request' && REQUEST_PSEUDO_FIELDS.has(name)) return
  if (section === 'response' && name === ':status') {
    const status = Number(value)
    if (status >= 200 && status <= 599) return
    throw new TypeError(`:status ${JSON.stringify(value)} is not allowed: node:http2 answers with 200 to 599`)
  }
  throw new TypeError(`Pseudo-header field "${name}" is not allowed in ${section} (RFC 9113 §8.3)`)
}

/**
 * Turns fields into the header object of node:http2.
 *
 * @throws TypeError naming a field that HTTP/2 or node:http2 does not allow; nothing was sent then
 */
export function toHeaders(fields: Fields, section: FieldSection): OutgoingHttpHeaders {
  // no prototype: a field may be called "__proto__"
  const headers: OutgoingHttpHeaders = Object.create(null)
  let sensitive = false
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    const value = fields[i + 1] as string
    const kind = knownNames.get(name) ?? classify(name)
    if (BAD_VALUE.test(value)) {
      throw new TypeError(
        `The value of field "${name}" is not allowed: octets of Latin-1 without controls, no space at the ends (RFC 9113 §8.2.1)`,
      )
    }
    const earlier = headers[name]
    if (kind === PSEUDO) checkPseudoField(name, value, section)
    if (kind === SENSITIVE) sensitive = true
    if (name === 'te' && value !== 'trailers') {
      throw new TypeError(`Field "te" may only be "trailers" in HTTP/2, not "${value}" (RFC 9113 §8.2.2)`)
    }
    if (earlier === undefined) headers[name] = value
    else if (Array.isArray(earlier)) earlier.push(value)
    else if (kind === PLAIN || name === 'cookie' || name === 'set-cookie')
      headers[name] = [String(earlier), value]
    else throw new TypeError(`Field "${name}" may stand only once`)
  }
  if (sensitive) headers[sensitiveHeaders as unknown as string] = SENSITIVE_FIELDS
  return headers
}
