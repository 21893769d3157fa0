/**
 * One message type of a .proto file: the codec that calls use, and what is known of the type.
 *
 * protobufjs encodes and decodes; here its generated functions are given our reader and writer, checked values in, and
 * plain objects out.
 */
import protobuf from 'protobufjs'
import { MESSAGE_PREFIX_OCTETS, type MessageCodec } from '../method.ts'
import { type CheckedType, type EncodeCheck, generateEncodeCheck } from './encode-checks.ts'
import { FieldFault, MessageError } from './message-error.ts'
import type { ResolvedMessageOptions } from './message-options.ts'
import { MessageReader } from './message-reader.ts'
import { MessageWriter } from './message-writer.ts'
import { generateToPlain, type PlainType, type ToPlain } from './plain-objects.ts'

/** One field of a message type. */
export interface MessageField {
  /** The property of the JavaScript object. */
  readonly name: string
  /** The name in the .proto file. */
  readonly protoName: string
  /** The field number on the wire. */
  readonly number: number
  /** A scalar type as in the .proto file, or the full name of a message or enum type. */
  readonly type: string
  /** What `type` names. */
  readonly kind: 'scalar' | 'enum' | 'message'
  /** How many values it has. */
  readonly rule: 'singular' | 'repeated' | 'map'
  /** The type of a map's keys; `type` is that of its values. */
  readonly keyType?: string
}

// One of each for all types: encoding and decoding are synchronous.
const sharedWriter = new MessageWriter()
const sharedReader = new MessageReader()

/**
 * A message type: encodes, decodes, and tells its fields.
 *
 * Made by `loadProto` and `loadDescriptorSet`, where it is found by its name.
 *
 * @example
 * const { helloworld } = await loadProto('proto/helloworld.proto')
 * const octets = helloworld.HelloRequest.encode({ name: 'world' }) // 5 blank octets, then 0a 05 77 6f 72 6c 64
 * helloworld.HelloRequest.decode(octets, 5, octets.length) // { name: 'world' }
 */
// biome-ignore lint/suspicious/noExplicitAny: messages of types known at run time only; the caller may give their type
export class MessageType<Message = any> implements MessageCodec<Message>, CheckedType, PlainType {
  readonly typeName: string
  /** The reflection object of protobufjs. */
  readonly type: protobuf.Type
  /** How its messages look in JavaScript. */
  readonly options: ResolvedMessageOptions
  /** Internal: generated on first use. */
  check: EncodeCheck
  /** Internal: generated on first use. */
  plain: ToPlain
  readonly #typeOf: (type: protobuf.Type) => MessageType

  /** Internal: use `loadProto`. */
  constructor(
    type: protobuf.Type,
    options: ResolvedMessageOptions,
    typeOf: (type: protobuf.Type) => MessageType,
  ) {
    this.type = type
    this.typeName = type.fullName.slice(1)
    this.options = options
    this.#typeOf = typeOf
    this.check = (message, depth) => {
      this.#generate()
      return this.check(message, depth)
    }
    this.plain = (message) => {
      this.#generate()
      return this.plain(message)
    }
  }

  /** The fields, in the order of the .proto file. */
  get fields(): readonly MessageField[] {
    return this.type.fieldsArray.map((field) => describeField(field.resolve()))
  }

  /**
   * Encodes a message behind five blank octets, the room for the prefix of a Length-Prefixed-Message.
   *
   * Absent, undefined and null fields are not sent. Enum values are given by name or number; 64-bit integers as bigint,
   * safe integer or decimal text; bytes as Uint8Array; a google.protobuf.Timestamp may be a Date. Of an instance of a class
   * the properties that are fields are taken.
   *
   * @returns octets that belong to the caller
   * @throws MessageError naming the field and the reason if the message can't be encoded
   */
  encode(message: Message): Uint8Array {
    const writer = sharedWriter.busy ? new MessageWriter() : sharedWriter
    writer.begin()
    try {
      this.type.encode(this.check(message, 0), writer)
    } catch (error) {
      writer.abandon()
      throw this.#encodeError(error)
    }
    return writer.take()
  }

  /** Encodes a message without room for a prefix; the rest is as with {@link MessageType.encode}. */
  toBinary(message: Message): Uint8Array {
    return this.encode(message).subarray(MESSAGE_PREFIX_OCTETS)
  }

  /**
   * Decodes the message in octets `start` to `end` of `chunk` to a plain object.
   *
   * @throws MessageError if the octets are no such message: cut, a wire type or field number that does not exist, an
   *   over-long varint, text that is no UTF-8 (proto3), nested deeper than 100, a required field missing
   */
  decode(chunk: Uint8Array, start = 0, end: number = chunk.length): Message {
    const reader = sharedReader.begin(chunk, start, end)
    try {
      return this.plain(this.type.decode(reader)) as Message
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const at = Math.min(Math.max(reader.pos, start), end) - start
      throw new MessageError(
        this.typeName,
        '',
        `can't be decoded: ${reason} (at octet ${at} of ${end - start})`,
        error,
      )
    } finally {
      reader.finish()
    }
  }

  #generate(): void {
    this.type.setup()
    this.check = generateEncodeCheck(this.type, this.options, this.#typeOf)
    this.plain = generateToPlain(this.type, this.options, this.#typeOf)
  }

  #encodeError(error: unknown): unknown {
    if (error instanceof FieldFault) return new MessageError(this.typeName, error.path, error.reason)
    return error
  }
}

function describeField(field: protobuf.Field): MessageField {
  const { resolvedType } = field
  return {
    name: field.name,
    protoName: field.protoName ?? field.name,
    number: field.id,
    type: resolvedType === null ? field.type : resolvedType.fullName.slice(1),
    kind: resolvedType === null ? 'scalar' : resolvedType instanceof protobuf.Enum ? 'enum' : 'message',
    rule: field.map ? 'map' : field.repeated ? 'repeated' : 'singular',
    ...(field instanceof protobuf.MapField ? { keyType: field.keyType } : {}),
  }
}
