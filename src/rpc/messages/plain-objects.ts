/**
 * From a message as protobufjs decodes it to the plain object an application gets, as functions generated once a type.
 *
 * A field without presence is always there, with its default; a list is an array, a map an object. A field with presence
 * (a message, a member of a oneof, `optional`, proto2) is there if it was on the wire. Generated, so that every
 * object of a type is made by the same literal and has the same shape.
 */
import protobuf from 'protobufjs'
import { isInt64, isWritten } from './encode-checks.ts'
import type { ResolvedMessageOptions } from './message-options.ts'

/** Makes the plain object of a decoded message; takes over the message's arrays and maps. */
export type ToPlain = (message: object) => object

/** A type whose function may not be generated yet: types refer to each other. */
export interface PlainType {
  plain: ToPlain
}

const NO_OCTETS = Buffer.alloc(0)

/**
 * Generates the function of one type.
 *
 * @param plainType gives the plain type of a field's message type
 */
export function generateToPlain(
  type: protobuf.Type,
  options: ResolvedMessageOptions,
  plainType: (type: protobuf.Type) => PlainType,
): ToPlain {
  const scope: Record<string, unknown> = { hasOwn: Object.prototype.hasOwnProperty, keepUnknowns, NO_OCTETS }
  const always: string[] = []
  const before: string[] = []
  const after: string[] = []
  for (const [index, field] of type.fieldsArray.entries()) {
    field.resolve()
    const name = JSON.stringify(field.name)
    const source = `m[${name}]`
    if (field.resolvedType instanceof protobuf.Type) scope[`t${index}`] = plainType(field.resolvedType)
    else if (field.resolvedType instanceof protobuf.Enum) scope[`t${index}`] = enumNames(field.resolvedType)
    const convert = (value: string): string => conversion(field, index, options, value)
    if (field.map || field.repeated) {
      if (convert('v') !== 'v') before.push(inPlace(field, source, convert))
      always.push(`${name}:${source}`)
    } else if (field.hasPresence || field.resolvedType instanceof protobuf.Type) {
      const oneof = field.partOf && isWritten(field.partOf) && options.oneofs ? field.partOf.name : undefined
      const which = oneof === undefined ? '' : `;o[${JSON.stringify(oneof)}]=${name}`
      after.push(`if(hasOwn.call(m,${name})&&(v=${source})!=null){o[${name}]=${convert('v')}${which}}`)
    } else if (isInt64(field.type)) {
      // The default on protobufjs's prototype is a Long.
      before.push(`var i${index}=typeof ${source}==="bigint"?${source}:0n`)
      always.push(`${name}:${convert(`i${index}`)}`)
    } else if (field.type === 'bytes') always.push(`${name}:${source}.length?${source}:NO_OCTETS`)
    else always.push(`${name}:${convert(source)}`)
  }
  const gen = protobuf.util.codegen(['m'], `plain_${type.name}`)
  const lines = ['var v,k,a', ...before, `var o={${always.join(',')}}`, ...after]
  lines.push('if(m.$unknowns!==undefined)keepUnknowns(o,m.$unknowns)', 'return o')
  for (const line of lines) gen('%s', line)
  return gen(scope) as unknown as ToPlain
}

/** Source that converts one value. */
function conversion(
  field: protobuf.Field,
  index: number,
  options: ResolvedMessageOptions,
  value: string,
): string {
  if (field.resolvedType instanceof protobuf.Type) return `t${index}.plain(${value})`
  if (field.resolvedType instanceof protobuf.Enum) {
    return options.enums === 'name' ? `(t${index}.get(${value})??${value})` : value
  }
  if (!isInt64(field.type)) return value
  // A map entry without a value has the zero of protobufjs, a Long.
  if (options.int64 === 'bigint') return field.map ? `(typeof ${value}==="bigint"?${value}:0n)` : value
  return options.int64 === 'string' ? `String(${value})` : `Number(${value})`
}

/** Source that converts the values of a list or map where they are. */
function inPlace(field: protobuf.Field, source: string, convert: (value: string) => string): string {
  if (field.map) return `a=${source};for(k of Object.keys(a))a[k]=${convert('a[k]')}`
  return `a=${source};for(k=0;k<a.length;k++)a[k]=${convert('a[k]')}`
}

function enumNames(type: protobuf.Enum): ReadonlyMap<number, string> {
  // With `allow_alias` several names share a number: the first one in the file counts.
  const names = new Map<number, string>()
  for (const [name, number] of Object.entries(type.values)) if (!names.has(number)) names.set(number, name)
  return names
}

/** Octets of unknown fields stay with the message, out of sight, and are encoded again with it. */
function keepUnknowns(message: object, unknowns: readonly Uint8Array[]): void {
  Object.defineProperty(message, '$unknowns', {
    value: [Buffer.concat(unknowns)],
    configurable: true,
    writable: true,
  })
}
