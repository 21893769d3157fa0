/**
 * Custom-Metadata: what a caller and a handler send beside messages (gRPC PROTOCOL-HTTP2, "Custom-Metadata").
 *
 * Names are lower case; a name that ends in `-bin` holds octets, every other one ASCII text. A repeated name
 * keeps all its values, apart and in order. Names that HTTP/2 or gRPC itself uses can't be set, and those of a
 * received header section are not shown.
 */
import type { Fields } from '../http2/transport.ts'
import { decodeBinaryValues, encodeBinaryValue } from '../wire/grpc/binary-metadata.ts'

/** Text, or octets under a name that ends in `-bin`. */
export type MetadataValue = string | Uint8Array

/** What may be given where metadata is wanted: a Metadata, or a plain object of names and values. */
export type MetadataInit =
  | Metadata
  | Readonly<Record<string, MetadataValue | readonly MetadataValue[] | undefined>>

/** The type of value that a name holds. */
export type ValueOf<Name extends string> = Name extends `${string}-bin`
  ? Uint8Array
  : string extends Name
    ? MetadataValue
    : string

/**
 * Names that gRPC and HTTP/2 write themselves (gRPC PROTOCOL-HTTP2 "Call-Definition", RFC 9113 §8.2.2).
 * Setting one would contradict the call; `grpc-status-details-bin` is free because handlers set it.
 */
const RESERVED = new Set([
  'connection',
  'content-length',
  'content-type',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-message',
  'grpc-message-type',
  'grpc-status',
  'grpc-timeout',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

// gRPC PROTOCOL-HTTP2: Header-Name is 1*( %x30-39 / %x61-7A / "_" / "-" / "." ).
const NAME = /^[0-9a-z_.-]+$/
// gRPC PROTOCOL-HTTP2: ASCII-Value is 1*( %x20-%x7E ); RFC 9113 §8.2.1 forbids white space at its ends.
const VALUE = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/

function normalName(name: string): string {
  const lower = String(name).toLowerCase()
  if (!NAME.test(lower)) {
    throw new TypeError(
      `metadata: ${JSON.stringify(name)} is no metadata name; allowed are letters, digits, "_", "-" and "."`,
    )
  }
  if (RESERVED.has(lower)) {
    throw new TypeError(
      `metadata: "${lower}" is written by gRPC itself; set it with a call option, or rename it`,
    )
  }
  return lower
}

function checkValue(name: string, value: unknown): MetadataValue {
  if (name.endsWith('-bin')) {
    if (value instanceof Uint8Array) return value
    throw new TypeError(
      `metadata: "${name}" holds octets because it ends in "-bin": give a Uint8Array, not ${typeof value}`,
    )
  }
  if (typeof value !== 'string') {
    throw new TypeError(
      value instanceof Uint8Array
        ? `metadata: "${name}" holds text: name it "${name}-bin" to send octets`
        : `metadata: "${name}" holds text: give a string, not ${value === null ? 'null' : typeof value}`,
    )
  }
  if (!VALUE.test(value)) {
    throw new TypeError(
      `metadata: the value of "${name}" must be printable ASCII without white space at its ends; ` +
        `send other text as octets under "${name}-bin"`,
    )
  }
  return value
}

/** True for a field of a header section that belongs to the protocol and not to Custom-Metadata. */
export function isProtocolField(name: string): boolean {
  return name.charCodeAt(0) === 0x3a || RESERVED.has(name)
}

/**
 * Names and values that go with a call, before or after its messages.
 *
 * @example
 * const metadata = new Metadata({ 'x-tenant': 'blue', 'trace-bin': Uint8Array.of(1, 2) })
 * metadata.add('x-tenant', 'green')
 * metadata.get('x-tenant')    // 'blue'
 * metadata.getAll('x-tenant') // ['blue', 'green']
 */
export class Metadata implements Iterable<[string, MetadataValue]> {
  /** Name, value, name, value; undefined until a received header section is read. */
  #entries: MetadataValue[] | undefined
  #received: Fields | undefined

  /** @param init entries to start with. @throws TypeError on a name or value that can't be sent */
  constructor(init?: MetadataInit) {
    this.#entries = []
    if (init !== undefined) this.merge(init)
  }

  /** The Custom-Metadata of a received header or trailer section; read when first asked for. */
  static fromFields(fields: Fields): Metadata {
    const metadata = new Metadata()
    metadata.#entries = undefined
    metadata.#received = fields
    return metadata
  }

  #read(): MetadataValue[] {
    if (this.#entries !== undefined) return this.#entries
    const fields = this.#received!
    const entries: MetadataValue[] = []
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i]!
      if (isProtocolField(name)) continue
      const value = fields[i + 1]!
      if (!name.endsWith('-bin')) {
        entries.push(name, value)
        continue
      }
      // gRPC PROTOCOL-HTTP2: a value that is no base64 is not ours to guess; such an entry is left out.
      for (const octets of decodeReceived(value)) entries.push(name, octets)
    }
    this.#entries = entries
    this.#received = undefined
    return entries
  }

  /** Replaces all values of `name`. @throws TypeError on a name or value that can't be sent */
  set<Name extends string>(name: Name, value: ValueOf<Lowercase<Name>>): this {
    const key = normalName(name)
    const checked = checkValue(key, value)
    this.#remove(key)
    this.#read().push(key, checked)
    return this
  }

  /** Adds a value beside those that `name` has. @throws TypeError on a name or value that can't be sent */
  add<Name extends string>(name: Name, value: ValueOf<Lowercase<Name>>): this {
    const key = normalName(name)
    this.#read().push(key, checkValue(key, value))
    return this
  }

  /** The first value of `name`, or undefined. */
  get<Name extends string>(name: Name): ValueOf<Lowercase<Name>> | undefined {
    const key = name.toLowerCase()
    const entries = this.#read()
    for (let i = 0; i < entries.length; i += 2) {
      if (entries[i] === key) return entries[i + 1] as ValueOf<Lowercase<Name>>
    }
    return undefined
  }

  /** All values of `name`, in order. */
  getAll<Name extends string>(name: Name): ValueOf<Lowercase<Name>>[] {
    const key = name.toLowerCase()
    const entries = this.#read()
    const values: MetadataValue[] = []
    for (let i = 0; i < entries.length; i += 2) if (entries[i] === key) values.push(entries[i + 1]!)
    return values as ValueOf<Lowercase<Name>>[]
  }

  /** Whether `name` has a value. */
  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** Removes all values of `name`. */
  delete(name: string): void {
    this.#remove(name.toLowerCase())
  }

  #remove(key: string): void {
    const entries = this.#read()
    let kept = 0
    for (let i = 0; i < entries.length; i += 2) {
      if (entries[i] === key) continue
      entries[kept++] = entries[i]!
      entries[kept++] = entries[i + 1]!
    }
    entries.length = kept
  }

  /** Adds every entry of `other`. @throws TypeError on a name or value that can't be sent */
  merge(other: MetadataInit): this {
    const entries = this.#read()
    if (other instanceof Metadata) {
      for (const item of other.#read()) entries.push(item)
      return this
    }
    for (const name of Object.keys(other)) {
      const value = other[name]
      if (value === undefined) continue
      const key = normalName(name)
      if (Array.isArray(value)) for (const each of value) entries.push(key, checkValue(key, each))
      else entries.push(key, checkValue(key, value))
    }
    return this
  }

  /** A copy that can be changed on its own. */
  clone(): Metadata {
    return new Metadata(this)
  }

  /** Number of entries, repeated names counted each time. */
  get size(): number {
    return this.#read().length / 2
  }

  /** Every name and value, in order. */
  *[Symbol.iterator](): IterableIterator<[string, MetadataValue]> {
    const entries = this.#read()
    for (let i = 0; i < entries.length; i += 2) yield [entries[i] as string, entries[i + 1]!]
  }

  /** A plain object without prototype: each name with the list of its values, octets as base64. */
  toJSON(): Record<string, string[]> {
    const object: Record<string, string[]> = Object.create(null)
    for (const [name, value] of this) {
      object[name] ??= []
      object[name].push(typeof value === 'string' ? value : Buffer.from(value).toString('base64'))
    }
    return object
  }

  /** Appends every entry to a header or trailer section, octets as base64 without padding. */
  appendTo(fields: string[]): void {
    const entries = this.#read()
    for (let i = 0; i < entries.length; i += 2) {
      const value = entries[i + 1]!
      fields.push(entries[i] as string, typeof value === 'string' ? value : encodeBinaryValue(value))
    }
  }
}

function decodeReceived(value: string): readonly Uint8Array[] {
  try {
    return decodeBinaryValues(value)
  } catch {
    return []
  }
}
