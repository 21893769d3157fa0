/**
 * What is checked of a message before protobufjs encodes it, as functions generated once a type.
 *
 * protobufjs's encoder takes every value as it comes: a number where a string should be, an array where a message
 * should be, an integer out of range become wrong octets in silence. Its own `verify` and `fromObject` don't know
 * bigint, tell no path and copy every message. The generated function looks at each field once, converts what the encoder
 * doesn't know (enum names, bigint zero, text in place of a 64-bit integer) in a copy made only then, and throws a
 * FieldFault otherwise. Generated, because a loop over the fields takes several times as long, and then is longer than
 * the encoding itself (`bench/micro/messages.ts`, last line).
 */
import protobuf from 'protobufjs'
import { describeValue, FieldFault } from './message-error.ts'
import type { ResolvedMessageOptions } from './message-options.ts'

/** A message as the encoder takes it. */
export type Encodable = Record<string, unknown>

/** Checks a message; returns it, or a copy with converted values. */
export type EncodeCheck = (message: unknown, depth: number) => Encodable

/** A type whose check may not be generated yet: types refer to each other. */
export interface CheckedType {
  check: EncodeCheck
}

const MAX_DEPTH = 100
const MAX_FLOAT = 3.4028234663852886e38
const hasOwn = Object.prototype.hasOwnProperty

/** Range of each integer type as bigint. */
const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
}

/** Integer types by the range that holds for them. */
const INTEGER_TYPES: Readonly<Record<string, string>> = {
  int32: 'int32',
  sint32: 'int32',
  sfixed32: 'int32',
  uint32: 'uint32',
  fixed32: 'uint32',
  int64: 'int64',
  sint64: 'int64',
  sfixed64: 'int64',
  uint64: 'uint64',
  fixed64: 'uint64',
}

/** Whether values of a field's type are 64-bit integers. */
export function isInt64(type: string): boolean {
  return INTEGER_TYPES[type]?.endsWith('64') ?? false
}

/**
 * Generates the check of one type.
 *
 * @param checkedType gives the checked type of a field's message type
 */
export function generateEncodeCheck(
  type: protobuf.Type,
  options: ResolvedMessageOptions,
  checkedType: (type: protobuf.Type) => CheckedType,
): EncodeCheck {
  const generator = new CheckGenerator(type, options, checkedType)
  return generator.generate()
}

class CheckGenerator {
  readonly #type: protobuf.Type
  readonly #options: ResolvedMessageOptions
  readonly #checkedType: (type: protobuf.Type) => CheckedType
  readonly #lines: string[] = []
  readonly #scope: Record<string, unknown> = { ...runtime }

  constructor(
    type: protobuf.Type,
    options: ResolvedMessageOptions,
    checkedType: (type: protobuf.Type) => CheckedType,
  ) {
    this.#type = type
    this.#options = options
    this.#checkedType = checkedType
  }

  generate(): EncodeCheck {
    const fields = this.#type.fieldsArray
    // m: message given, o: message returned, c: properties that are fields, v: value, n: converted value
    if (this.#type.fullName === '.google.protobuf.Timestamp')
      this.#add('if(m instanceof Date)m=timestampOf(m)')
    this.#add('m=open(m,q,known)', 'var o=m,c=0,v,n,w,i,ks')
    for (const [index, field] of fields.entries()) this.#field(field.resolve(), index)
    for (const oneof of this.#type.oneofsArray) this.#oneof(oneof)
    if (this.#options.unknownFields === 'error') {
      this.#add('i=0', 'for(n in m)i++', 'if(i!==c)checkNames(m,known)')
    }
    this.#add('return o')
    const names = fields.map((field) => field.name)
    const oneofs = this.#type.oneofsArray.filter(isWritten).map((oneof) => oneof.name)
    this.#scope.known = { names, all: new Set([...names, ...oneofs]) } satisfies KnownNames
    const gen = protobuf.util.codegen(['m', 'q'], `check_${this.#type.name}`)
    for (const line of this.#lines) gen('%s', line)
    return gen(this.#scope) as unknown as EncodeCheck
  }

  #add(...lines: string[]): void {
    this.#lines.push(...lines)
  }

  #field(field: protobuf.Field, index: number): void {
    const name = JSON.stringify(field.name)
    this.#add(`v=${read(field.name)}`, 'if(v!==undefined){', 'c++', 'if(v!==null){')
    if (field.map) this.#map(field as protobuf.Field & { keyType: string }, index)
    else if (field.repeated) this.#list(field, index)
    else {
      this.#value(field, index, `.inField(${name})`, (converted) => [
        'if(o===m)o=copy(m)',
        `o${property(field.name)}=${converted}`,
      ])
    }
    this.#add('}', '}')
    if (field.required) this.#add(`if(v==null)throw missing().inField(${name})`)
  }

  #list(field: protobuf.Field, index: number): void {
    const name = JSON.stringify(field.name)
    this.#add(`if(!isList(v))throw expected("array",v).inField(${name})`, 'ks=v', 'w=v')
    this.#add('for(i=0;i<ks.length;i++){', 'v=ks[i]')
    this.#value(field, index, `.atIndex(i).inField(${name})`, (converted) => [
      'if(w===ks)w=Array.from(ks)',
      `w[i]=${converted}`,
    ])
    this.#add('}', 'if(w!==ks){', 'if(o===m)o=copy(m)', `o${property(field.name)}=w`, '}')
  }

  #map(field: protobuf.Field & { keyType: string }, index: number): void {
    const name = JSON.stringify(field.name)
    this.#add(`if(!isMapObject(v))throw expected("object with the map's keys",v).inField(${name})`)
    this.#add('var mv=v', 'w=v', 'ks=Object.keys(v)', 'for(i=0;i<ks.length;i++){')
    const range = INTEGER_TYPES[field.keyType]
    const keyCheck =
      field.keyType === 'string'
        ? 'isWellFormed(ks[i])'
        : field.keyType === 'bool'
          ? '(ks[i]==="true"||ks[i]==="false")'
          : `isIntegerKey(ks[i],${JSON.stringify(range)})`
    this.#add(`if(!${keyCheck})throw badKey(${JSON.stringify(field.keyType)}).atKey(ks[i]).inField(${name})`)
    this.#add('v=mv[ks[i]]')
    this.#value(field, index, `.atKey(ks[i]).inField(${name})`, (converted) => [
      'if(w===mv)w=copy(mv)',
      `w[ks[i]]=${converted}`,
    ])
    this.#add('}', 'if(w!==mv){', 'if(o===m)o=copy(m)', `o${property(field.name)}=w`, '}')
  }

  /** One value in `v`; `store` gives the lines that put a converted value in its place. */
  #value(field: protobuf.Field, index: number, path: string, store: (converted: string) => string[]): void {
    const { resolvedType } = field
    if (resolvedType instanceof protobuf.Type) {
      this.#scope[`t${index}`] = this.#checkedType(resolvedType)
      this.#add(`try{n=t${index}.check(v,q+1)}catch(e){throw isFault(e)?e${path}:e}`)
      this.#add('if(n!==v){', ...store('n'), '}')
    } else if (resolvedType instanceof protobuf.Enum) {
      this.#scope[`t${index}`] = describeEnum(resolvedType)
      const closed = isClosed(resolvedType)
      this.#add('if(typeof v==="string"){', `n=t${index}.numbers.get(v)`)
      this.#add(`if(n===undefined)throw noEnumValue(t${index},v)${path}`, ...store('n'), '}')
      this.#add(`else if(typeof v!=="number"||v!==(v|0))throw noEnumValue(t${index},v)${path}`)
      if (closed) this.#add(`else if(!t${index}.known.has(v))throw noEnumValue(t${index},v)${path}`)
    } else if (isInt64(field.type)) this.#int64(field, path, store)
    else this.#add(`if(${scalarMismatch(field.type)})throw mismatch(${JSON.stringify(field.type)},v)${path}`)
  }

  #int64(field: protobuf.Field, path: string, store: (converted: string) => string[]): void {
    const unsigned = INTEGER_TYPES[field.type] === 'uint64'
    const range = unsigned
      ? 'v<0n||v>18446744073709551615n'
      : 'v<-9223372036854775808n||v>9223372036854775807n'
    this.#add(
      'if(typeof v==="bigint"){',
      `if(${range})throw mismatch(${JSON.stringify(field.type)},v)${path}`,
    )
    // protobufjs leaves out a zero that is a number, and would write one that is a bigint.
    if (!field.repeated && !field.map && !field.hasPresence) this.#add('if(v===0n){', ...store('0'), '}')
    this.#add(`}else if(!Number.isSafeInteger(v)${unsigned ? '||v<0' : ''}){`)
    this.#add(`n=toInt64(v,${JSON.stringify(INTEGER_TYPES[field.type])})`)
    this.#add(`if(n===undefined)throw mismatch(${JSON.stringify(field.type)},v)${path}`, ...store('n'), '}')
  }

  #oneof(oneof: protobuf.OneOf): void {
    if (!isWritten(oneof)) return
    // The name of the oneof itself is what a decoded message has beside its fields.
    if (this.#type.fields[oneof.name] === undefined) this.#add(`if(${read(oneof.name)}!==undefined)c++`)
    const members = oneof.fieldsArray
    if (members.length < 2) return
    const count = members.map((field) => `(${read(field.name)}!=null?1:0)`).join('+')
    this.#add(
      `if(${count}>1)throw twoOfOneof(${JSON.stringify(oneof.name)},m,${JSON.stringify(members.map((field) => field.name))})`,
    )
  }
}

/** Whether a oneof stands in the .proto file, and is not just how `optional` of proto3 is told. */
export function isWritten(oneof: protobuf.OneOf): boolean {
  return !oneof.isProto3Optional
}

/** Source of a property access with this name. */
function property(name: string): string {
  return `[${JSON.stringify(name)}]`
}

/** Source that reads a property of `m`; what every object inherits is not a value. */
function read(name: string): string {
  return name in Object.prototype
    ? `(hasOwn.call(m,${JSON.stringify(name)})?m${property(name)}:undefined)`
    : `m${property(name)}`
}

/** Source of a condition that is true if `v` is no value of the type. */
function scalarMismatch(type: string): string {
  switch (type) {
    case 'string':
      return 'typeof v!=="string"||!isWellFormed(v)'
    case 'bool':
      return 'typeof v!=="boolean"'
    case 'bytes':
      return '!(v instanceof Uint8Array)'
    case 'double':
      return 'typeof v!=="number"'
    case 'float':
      return `typeof v!=="number"||v>${MAX_FLOAT}&&v!==Infinity||v<-${MAX_FLOAT}&&v!==-Infinity`
    default:
      return INTEGER_TYPES[type] === 'uint32'
        ? 'typeof v!=="number"||v!==v>>>0'
        : 'typeof v!=="number"||v!==(v|0)'
  }
}

interface KnownNames {
  names: string[]
  all: ReadonlySet<string>
}

interface EnumDescription {
  name: string
  numbers: ReadonlyMap<string, number>
  known: ReadonlySet<number>
}

/** Whether an enum allows only the values it names (proto2, and editions where they say so). */
function isClosed(type: protobuf.Enum): boolean {
  // The resolved features are there, but not in the types of protobufjs.
  const { _features } = type as unknown as { _features: { enum_type?: string } }
  return _features.enum_type === 'CLOSED'
}

function describeEnum(type: protobuf.Enum): EnumDescription {
  const numbers = new Map(Object.entries(type.values))
  return { name: type.fullName.slice(1), numbers, known: new Set(numbers.values()) }
}

/** What the generated source calls. */
const runtime = {
  hasOwn,
  open,
  timestampOf,
  copy,
  isList,
  isMapObject,
  isIntegerKey,
  isWellFormed,
  isFault: (error: unknown): boolean => error instanceof FieldFault,
  checkNames,
  toInt64,
  expected: (what: string, value: unknown) => new FieldFault(`expected ${what}, got ${describeValue(value)}`),
  missing: () => new FieldFault('required field is not set'),
  badKey: (keyType: string) => new FieldFault(`key is no ${keyType}`),
  mismatch,
  noEnumValue,
  twoOfOneof,
}

/** The message itself: must be an object; one of a class is flattened to the properties that are fields. */
function open(message: unknown, depth: number, known: KnownNames): Encodable {
  if (typeof message !== 'object' || message === null || isList(message)) {
    throw new FieldFault(`expected object, got ${describeValue(message)}`)
  }
  if (depth > MAX_DEPTH) throw new FieldFault(`nested deeper than ${MAX_DEPTH} messages, or within itself`)
  const prototype: unknown = Object.getPrototypeOf(message)
  if (prototype === Object.prototype || prototype === null) return message as Encodable
  if (isBuiltIn(message)) throw new FieldFault(`expected object, got ${describeValue(message)}`)
  return flatten(message as Encodable, known)
}

/** A Promise, Date, Map and the like have no fields: taken as a message, each would be sent as an empty one. */
function isBuiltIn(value: object): boolean {
  return Object.prototype.toString.call(value) !== '[object Object]'
}

/** A Date as the fields of google.protobuf.Timestamp; its nanos count forward also before 1970. */
function timestampOf(date: Date): Encodable {
  const ms = date.getTime()
  if (Number.isNaN(ms)) throw new FieldFault('expected a time, got an invalid Date')
  const seconds = Math.floor(ms / 1000)
  return { seconds, nanos: (ms - seconds * 1000) * 1_000_000 }
}

/** protobufjs encodes own properties only, but a class may have its fields as accessors. */
function flatten(message: Encodable, known: KnownNames): Encodable {
  const flat: Encodable = {}
  // An instance of protobufjs has the defaults of absent fields on its prototype.
  const ownOnly = message instanceof protobuf.Message
  for (const name of known.names) {
    const inherited = !ownOnly && name in message && !(name in Object.prototype)
    if (inherited || hasOwn.call(message, name)) flat[name] = message[name]
  }
  keepUnknowns(message, flat)
  return flat
}

function copy(message: Encodable): Encodable {
  const copied = { ...message }
  keepUnknowns(message, copied)
  return copied
}

function keepUnknowns(from: Encodable, to: Encodable): void {
  if (hasOwn.call(from, '$unknowns')) {
    Object.defineProperty(to, '$unknowns', { value: from.$unknowns, configurable: true, writable: true })
  }
}

function isList(value: unknown): boolean {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
}

function isMapObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !isList(value) && !isBuiltIn(value)
}

function isIntegerKey(key: string, range: string): boolean {
  if (!/^(0|-?[1-9][0-9]{0,19})$/.test(key)) return false
  const [least, most] = RANGES[range]!
  const value = BigInt(key)
  return value >= least && value <= most
}

const wellFormed: (this: string) => boolean =
  // Node 20 has it, the type library of ES2023 does not know it yet.
  (String.prototype as unknown as { isWellFormed: (this: string) => boolean }).isWellFormed

function isWellFormed(text: string): boolean {
  return wellFormed.call(text)
}

/** Text, an unsafe number or an object with two halves as a 64-bit integer, or undefined if it is none. */
function toInt64(value: unknown, range: string): bigint | number | undefined {
  let integer: bigint
  if (typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value)) integer = BigInt(value)
  else if (isLong(value)) integer = BigInt(String(value))
  else return undefined
  const [least, most] = RANGES[range]!
  if (integer < least || integer > most) return undefined
  return integer === 0n ? 0 : integer
}

/** An integer as users of protobufjs and the package `long` have it. */
function isLong(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '__isLong__' in value
}

function mismatch(type: string, value: unknown): FieldFault {
  const got = describeValue(value)
  const range = INTEGER_TYPES[type]
  if (type === 'string' && typeof value === 'string') {
    return new FieldFault(`expected text that can be UTF-8, got a lone surrogate in ${got}`)
  }
  if (type === 'bytes') {
    const hint = typeof value === 'string' ? ' (Buffer.from(text, encoding) makes one)' : ''
    return new FieldFault(`expected Uint8Array, got ${got}${hint}`)
  }
  if (type === 'bool') return new FieldFault(`expected boolean, got ${got}`)
  if (type === 'double') return new FieldFault(`expected number, got ${got}`)
  if (type === 'float') {
    return new FieldFault(
      typeof value === 'number' ? `${value} does not fit into a float` : `expected number, got ${got}`,
    )
  }
  if (range === undefined) return new FieldFault(`expected ${type}, got ${got}`)
  const [least, most] = RANGES[range]!
  if (range.endsWith('64') && typeof value === 'number' && Number.isInteger(value)) {
    return new FieldFault(`number ${value} may have lost digits or is out of range of ${type}, give a bigint`)
  }
  return new FieldFault(`expected ${type} (${least} to ${most}), got ${got}`)
}

function noEnumValue(type: EnumDescription, value: unknown): FieldFault {
  const names = [...type.numbers.keys()]
  const shown = names.slice(0, 8).join(', ') + (names.length > 8 ? ', ...' : '')
  return new FieldFault(`expected a value of enum ${type.name} (${shown}), got ${describeValue(value)}`)
}

function twoOfOneof(name: string, message: Encodable, members: readonly string[]): FieldFault {
  const set = members.filter((member) => message[member] != null)
  return new FieldFault(`only one field of oneof ${name} may be set, got ${set.join(' and ')}`)
}

/** Called when a message has more properties than fields; the one that is too much is named. */
function checkNames(message: Encodable, known: KnownNames): void {
  for (const name of Object.keys(message)) {
    if (known.all.has(name) || message[name] === undefined) continue
    const close = known.names.find((field) => sounds(field) === sounds(name))
    const hint =
      close === undefined ? `its fields are ${known.names.join(', ') || 'none'}` : `is ${close} meant?`
    throw new FieldFault(`no such field; ${hint}`).inField(name)
  }
}

/** What two names have in common that differ in case, underscores or the order of letters only. */
function sounds(name: string): string {
  return [...name.toLowerCase().replaceAll('_', '')].sort().join('')
}
