/**
 * Lets a scan of the wire floor name records by a protobufjs type.
 *
 * Adapters are made when a field is looked at, so recursive types and large schemas cost nothing.
 */
import protobuf from 'protobufjs'
import type { EnumDescriptor, FieldDescriptor, MessageDescriptor, ScalarType } from '../wire/index.ts'

const SCALARS = new Set<string>([
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
])

const messages = new WeakMap<protobuf.Type, MessageDescriptor>()

/**
 * A protobufjs message type as the descriptor that {@link scan} takes.
 *
 * @throws Error of protobufjs if the type's root refers to types that it lacks
 * @example
 * const root = protobuf.parse('syntax = "proto3"; message M { string name = 1; }').root
 * scan(octets, { message: messageDescriptor(root.lookupType('M')) })
 */
export function messageDescriptor(type: protobuf.Type): MessageDescriptor {
  const known = messages.get(type)
  if (known !== undefined) return known
  // Whether a field is a group is known once the features of its file are (done once for a root).
  type.root.resolveAll()
  const fields = new Map<number, FieldDescriptor | undefined>()
  const descriptor: MessageDescriptor = {
    name: type.fullName.replace(/^\./, ''),
    field(number) {
      // Only declared numbers are kept, so a peer can't fill the map.
      if (!fields.has(number) && Object.hasOwn(type.fieldsById, number)) {
        fields.set(number, fieldDescriptor(type.fieldsById[number]!))
      }
      return fields.get(number)
    },
  }
  messages.set(type, descriptor)
  return descriptor
}

function fieldDescriptor(field: protobuf.Field): FieldDescriptor | undefined {
  field.resolve()
  const { id: number } = field
  const name = field.protoName ?? field.name
  if (field instanceof protobuf.MapField) {
    return { number, name, type: 'message', repeated: true, map: true, message: mapEntry(field) }
  }
  return { number, name, repeated: field.repeated, ...typeOf(field) }
}

function typeOf(
  field: protobuf.FieldBase & { delimited?: boolean },
): Pick<FieldDescriptor, 'type' | 'message' | 'enum'> {
  const resolved = field.resolvedType
  if (resolved instanceof protobuf.Enum) return { type: 'enum', enum: enumDescriptor(resolved) }
  if (resolved instanceof protobuf.Type) {
    return { type: field.delimited ? 'group' : 'message', message: messageDescriptor(resolved) }
  }
  return { type: SCALARS.has(field.type) ? (field.type as ScalarType) : 'bytes' }
}

/** A map's entry has key 1 and value 2 (Protobuf Encoding, "Maps"). */
function mapEntry(field: protobuf.MapField): MessageDescriptor {
  const key: FieldDescriptor = { number: 1, name: 'key', type: field.keyType as ScalarType, repeated: false }
  const value: FieldDescriptor = { number: 2, name: 'value', repeated: false, ...typeOf(field) }
  return {
    name: `${field.name} entry`,
    field: (number) => (number === 1 ? key : number === 2 ? value : undefined),
  }
}

function enumDescriptor(type: protobuf.Enum): EnumDescriptor {
  return {
    name: type.fullName.replace(/^\./, ''),
    valueName: (number) => (Object.hasOwn(type.valuesById, number) ? type.valuesById[number] : undefined),
  }
}
