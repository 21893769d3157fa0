/**
 * Whether a field section is a well-formed HTTP message (RFC 9113 §8.2, §8.3): names, values, pseudo-header
 * fields, connection-specific fields, content-length.
 *
 * One checker serves a whole connection: a check allocates nothing and leaves what the connection needs to know
 * in the checker's fields. It does not judge what HTTP methods or gRPC mean.
 */
import type { Fields } from '../transport.ts'

/** What kind of field a known-good name is. */
const Kind = { ordinary: 0, connectionSpecific: 1, te: 2, contentLength: 3, priority: 4, host: 5 } as const

/**
 * Names that have been checked, with their kind, shared by all connections: a look-up costs a fifth of reading
 * the name (bench/micro/pure-field-section.ts). Peers choose names, so what is learned is bounded.
 */
const knownNames = new Map<string, number>([
  // RFC 9113 §8.2.2
  ['connection', Kind.connectionSpecific],
  ['proxy-connection', Kind.connectionSpecific],
  ['keep-alive', Kind.connectionSpecific],
  ['transfer-encoding', Kind.connectionSpecific],
  ['upgrade', Kind.connectionSpecific],
  ['te', Kind.te],
  ['content-length', Kind.contentLength],
  ['priority', Kind.priority],
  ['host', Kind.host],
])
const MAX_KNOWN_NAMES = 1024
const MAX_KNOWN_NAME_LENGTH = 64

// RFC 9113 §8.2.1: not in a name: controls, space, upper case, colon, and octets from 0x7f up.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const BAD_NAME = /[\x00-\x20A-Z:\x7f-\uffff]|^$/
// RFC 9113 §8.2.1: not in a value: NUL, LF, CR; no white space at either end.
const BAD_VALUE = /[\0\n\r]|^[\t ]|[\t ]$/
const DIGITS = /^\d{1,15}$/
const STATUS = /^[1-9]\d\d$/

const COLON = 0x3a
const SLASH = 0x2f

// Bits for pseudo-header fields that have been seen.
const METHOD = 1
const SCHEME = 2
const AUTHORITY = 4
const PATH = 8

function quote(text: string): string {
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text
  return JSON.stringify(shown)
}

/** Checks field sections and remembers what the last one said. */
export class FieldSectionChecker {
  /** What is wrong with the last section checked; undefined if nothing is. */
  violation: string | undefined = undefined
  /** The rule that was broken. */
  section = ''
  /** Value of content-length, -1 without one (RFC 9110 §8.6). */
  contentLength = -1
  /** The Priority Field Value (RFC 9218 §5), if there was one. */
  priority: string | undefined = undefined
  /** Of a request: `:method`. */
  method = ''
  /** Of a response: `:status` as a number. */
  status = 0

  // The last section of each kind that was well-formed. A peer that repeats one is given the same list by the HPACK
  // decoder, and the list is not checked again (bench/micro/pure-field-section.ts).
  #request: Fields | undefined = undefined
  #requestMethod = ''
  #requestContentLength = -1
  #requestPriority: string | undefined = undefined
  #response: Fields | undefined = undefined
  #responseStatus = 0
  #responseContentLength = -1
  #trailers: Fields | undefined = undefined

  /** Checks a request (RFC 9113 §8.3.1). @returns true if it is well-formed */
  checkRequest(fields: Fields): boolean {
    if (fields === this.#request) {
      this.violation = undefined
      this.method = this.#requestMethod
      this.contentLength = this.#requestContentLength
      this.priority = this.#requestPriority
      return true
    }
    if (!this.#checkNewRequest(fields)) return false
    this.#request = fields
    this.#requestMethod = this.method
    this.#requestContentLength = this.contentLength
    this.#requestPriority = this.priority
    return true
  }

  #checkNewRequest(fields: Fields): boolean {
    this.#start()
    let seen = 0
    let method = ''
    let scheme = ''
    let path = ''
    let authority = ''
    let at = 0
    for (; at < fields.length; at += 2) {
      const name = fields[at]!
      if (name.charCodeAt(0) !== COLON) break
      const value = fields[at + 1]!
      let bit = 0
      if (name === ':method') {
        bit = METHOD
        method = value
      } else if (name === ':path') {
        bit = PATH
        path = value
      } else if (name === ':scheme') {
        bit = SCHEME
        scheme = value
      } else if (name === ':authority') {
        bit = AUTHORITY
        authority = value
      } else {
        return this.#fail(
          `request has pseudo-header field ${quote(name)}, allowed are :method, :scheme, :authority, :path`,
          'RFC 9113 §8.3.1',
        )
      }
      if ((seen & bit) !== 0) return this.#fail(`request has ${name} twice`, 'RFC 9113 §8.3')
      seen |= bit
      if (BAD_VALUE.test(value)) return this.#failValue(name, value)
    }
    this.method = method
    if ((seen & METHOD) === 0 || method === '') return this.#fail('request has no :method', 'RFC 9113 §8.3.1')
    if (method === 'CONNECT') {
      if ((seen & (SCHEME | PATH)) !== 0 || authority === '') {
        return this.#fail('CONNECT has :authority, and neither :scheme nor :path', 'RFC 9113 §8.5')
      }
    } else {
      if ((seen & SCHEME) === 0 || scheme === '')
        return this.#fail('request has no :scheme', 'RFC 9113 §8.3.1')
      if ((seen & PATH) === 0 || path === '') return this.#fail('request has no :path', 'RFC 9113 §8.3.1')
      if (
        path.charCodeAt(0) !== SLASH &&
        !(path === '*' && method === 'OPTIONS') &&
        (scheme === 'http' || scheme === 'https')
      ) {
        return this.#fail(`:path ${quote(path)} does not start with "/"`, 'RFC 9113 §8.3.1')
      }
      if ((seen & AUTHORITY) !== 0 && authority.includes('@')) {
        return this.#fail(':authority has user information', 'RFC 9113 §8.3.1')
      }
    }
    return this.#checkRegular(fields, at, (seen & AUTHORITY) !== 0 ? authority : undefined)
  }

  /** Checks a response, final or informational (RFC 9113 §8.3.2). @returns true if it is well-formed */
  checkResponse(fields: Fields): boolean {
    if (fields === this.#response) {
      this.violation = undefined
      this.status = this.#responseStatus
      this.contentLength = this.#responseContentLength
      return true
    }
    if (!this.#checkNewResponse(fields)) return false
    this.#response = fields
    this.#responseStatus = this.status
    this.#responseContentLength = this.contentLength
    return true
  }

  #checkNewResponse(fields: Fields): boolean {
    this.#start()
    if (fields[0] !== ':status') {
      return this.#fail(
        fields.length > 0 && fields[0]!.charCodeAt(0) === COLON
          ? `response has pseudo-header field ${quote(fields[0]!)}, allowed is :status`
          : 'response has no :status before its other fields',
        'RFC 9113 §8.3.2',
      )
    }
    const status = fields[1]!
    if (status === '200') {
      this.status = 200
    } else {
      if (!STATUS.test(status)) {
        return this.#fail(
          `:status is ${quote(status)}, allowed are three digits from 100 to 999`,
          'RFC 9113 §8.3.2',
        )
      }
      this.status = Number(status)
      // RFC 9113 §8.6: no upgrade within HTTP/2.
      if (this.status === 101)
        return this.#fail(':status is 101, which HTTP/2 does not have', 'RFC 9113 §8.6')
    }
    return this.#checkRegular(fields, 2, undefined)
  }

  /** Checks a trailer section: no pseudo-header fields (RFC 9113 §8.1). @returns true if it is well-formed */
  checkTrailers(fields: Fields): boolean {
    if (fields === this.#trailers) {
      this.violation = undefined
      return true
    }
    this.#start()
    if (!this.#checkRegular(fields, 0, undefined)) return false
    this.#trailers = fields
    return true
  }

  /** The fields that are no pseudo-header fields, from index `from` on. */
  #checkRegular(fields: Fields, from: number, authority: string | undefined): boolean {
    for (let at = from; at < fields.length; at += 2) {
      const name = fields[at]!
      const value = fields[at + 1]!
      const kind = knownNames.get(name) ?? this.#learn(name)
      if (kind !== Kind.ordinary && !this.#checkSpecial(kind, name, value, authority)) return false
      if (BAD_VALUE.test(value)) return this.#failValue(name, value)
    }
    return true
  }

  /** Checks a name not seen before; its kind, or -1. */
  #learn(name: string): number {
    if (BAD_NAME.test(name)) return -1
    if (name.length <= MAX_KNOWN_NAME_LENGTH && knownNames.size < MAX_KNOWN_NAMES) {
      knownNames.set(name, Kind.ordinary)
    }
    return Kind.ordinary
  }

  #checkSpecial(kind: number, name: string, value: string, authority: string | undefined): boolean {
    switch (kind) {
      case Kind.connectionSpecific:
        return this.#fail(
          `field ${name} is connection-specific, which HTTP/2 does not have`,
          'RFC 9113 §8.2.2',
        )
      case Kind.te:
        if (value === 'trailers') return true
        return this.#fail(`te is ${quote(value)}, allowed is "trailers"`, 'RFC 9113 §8.2.2')
      case Kind.contentLength: {
        const length = DIGITS.test(value) ? Number(value) : -1
        if (length < 0) return this.#fail(`content-length is ${quote(value)}, no number`, 'RFC 9113 §8.1.1')
        if (this.contentLength >= 0 && this.contentLength !== length) {
          return this.#fail(`content-length is ${this.contentLength} and ${length}`, 'RFC 9113 §8.1.1')
        }
        this.contentLength = length
        return true
      }
      case Kind.priority:
        this.priority = value
        return true
      case Kind.host:
        if (authority === undefined || authority.toLowerCase() === value.toLowerCase()) return true
        return this.#fail(`host is ${quote(value)}, :authority is ${quote(authority)}`, 'RFC 9113 §8.3.1')
      default:
        break
    }
    if (name.charCodeAt(0) === COLON) {
      return this.#fail(
        `pseudo-header field ${quote(name)} after other fields or among trailers`,
        'RFC 9113 §8.3',
      )
    }
    return this.#fail(
      `field name ${quote(name)} is empty or has upper case, space, colon, control or non-ASCII characters`,
      'RFC 9113 §8.2.1',
    )
  }

  #start(): void {
    this.violation = undefined
    this.contentLength = -1
    this.priority = undefined
  }

  #failValue(name: string, value: string): boolean {
    return this.#fail(
      `value of field ${quote(name)} has NUL, CR or LF, or white space at an end: ${quote(value)}`,
      'RFC 9113 §8.2.1',
    )
  }

  #fail(violation: string, section: string): boolean {
    this.violation = violation
    this.section = section
    return false
  }
}
