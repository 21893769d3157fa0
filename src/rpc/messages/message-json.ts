/**
 * Messages as JSON and back, by the JSON mapping of proto3 (protobuf.dev, "ProtoJSON Format").
 *
 * protobufjs has the mapping; here it is joined to the messages of this library, and an error tells the place
 * in the JSON. A message goes through its octets on the way, so that both sides see the same values.
 */
import protobuf from 'protobufjs'
import protojson from 'protobufjs/ext/protojson.js'
import { MessageError } from './message-error.ts'
import type { MessageType } from './message-type.ts'

/** A value as JSON.parse gives it. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/** The messages of a message type. */
export type MessageOf<T extends MessageType> = ReturnType<T['decode']>

/** Options of {@link fromJson}. */
export interface FromJsonOptions {
  /** Members that are no field are skipped instead of refused, and enum names that don't exist; default false. */
  ignoreUnknownFields?: boolean
}

/**
 * A message as JSON: names in lowerCamelCase, 64-bit integers as text, octets as base64, enum values by name, and the
 * forms of their own that google.protobuf types have (`"2024-01-01T00:00:00Z"`, `"1.5s"`, `{"@type": …}`).
 *
 * Fields with their default are left out, unless they have presence. Unknown fields are not told.
 *
 * @param type from `loadProto`; types in an Any must have been loaded with it
 * @throws MessageError if the message can't be encoded, or a well-known type holds what JSON can't say
 * @example
 * toJson(helloworld.HelloRequest, { name: 'world' }) // { name: 'world' }
 */
export function toJson<T extends MessageType>(type: T, message: MessageOf<T>): JsonValue {
  const octets = type.toBinary(message)
  try {
    return protojson.toJson(type.type, type.type.decode(octets))
  } catch (error) {
    throw new MessageError(type.typeName, '', `can't become JSON: ${textOf(error)}`, error)
  }
}

/**
 * A message from JSON; names are accepted in lowerCamelCase and as in the .proto file.
 *
 * @param json what JSON.parse gave
 * @throws MessageError with the place in the JSON and the reason: a name that is no field, a wrong type, a number out
 *   of range, text that is no time or duration
 * @example
 * fromJson(helloworld.HelloRequest, { name: 'world' }) // { name: 'world' }
 */
export function fromJson<T extends MessageType>(
  type: T,
  json: JsonValue,
  options: FromJsonOptions = {},
): MessageOf<T> {
  let message: object
  try {
    message = protojson.fromJson(type.type, json, options)
  } catch (error) {
    const place = locate(type.type, json, options) ?? { path: '', error }
    throw new MessageError(type.typeName, place.path, withoutType(textOf(place.error)), error)
  }
  return type.decode(type.toBinary(message))
}

interface Place {
  path: string
  error: unknown
}

/** Finds the innermost part of the JSON that fails by itself; undefined if the whole is fine. */
function locate(
  type: protobuf.Type,
  json: JsonValue | undefined,
  options: FromJsonOptions,
): Place | undefined {
  const error = failure(type, json, options)
  if (error === undefined) return undefined
  const here: Place = { path: '', error }
  // The google.protobuf types have forms of their own, which are told as a whole.
  if (!isObject(json) || type.fullName.startsWith('.google.protobuf.')) return here
  for (const [name, value] of Object.entries(json)) {
    const partError = failure(type, { [name]: value }, options)
    if (partError === undefined) continue
    const inner = locateIn(type, name, value, options)
    return { path: property(name) + (inner?.path ?? ''), error: inner?.error ?? partError }
  }
  return here
}

/** Finds the place within the value of one field. */
function locateIn(
  type: protobuf.Type,
  name: string,
  value: JsonValue,
  options: FromJsonOptions,
): Place | undefined {
  const field = type.fieldsArray.find((one) => [one.name, one.jsonName, one.protoName].includes(name))
  if (field === undefined) return undefined
  const nested = field.resolvedType instanceof protobuf.Type ? field.resolvedType : undefined
  const parts: [string, JsonValue, JsonValue][] = []
  if (field.map && isObject(value)) {
    for (const [key, part] of Object.entries(value))
      parts.push([`[${JSON.stringify(key)}]`, part, { [key]: part }])
  } else if (field.repeated && Array.isArray(value)) {
    for (const [index, part] of value.entries()) parts.push([`[${index}]`, part, [part]])
  } else return nested === undefined ? undefined : locate(nested, value, options)
  for (const [path, part, alone] of parts) {
    const error = failure(type, { [name]: alone }, options)
    if (error === undefined) continue
    const inner = nested === undefined ? undefined : locate(nested, part, options)
    return { path: path + (inner?.path ?? ''), error: inner?.error ?? error }
  }
  return undefined
}

function failure(type: protobuf.Type, json: JsonValue | undefined, options: FromJsonOptions): unknown {
  try {
    protojson.fromJson(type, json, options)
    return undefined
  } catch (error) {
    return error
  }
}

function isObject(json: JsonValue | undefined): json is { [key: string]: JsonValue } {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function property(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** protobufjs starts its texts with the full name of the field. */
function withoutType(text: string): string {
  return text.replace(/^\.[\w.]+: /, '')
}
