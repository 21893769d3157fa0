/**
 * Decoding of message types that have no fields, like google.protobuf.Empty.
 *
 * The decoder that protobufjs generates for them does not tell the number of an unknown field to `skipType`: a
 * field number of 0 passes, and an unknown group is refused. Here is one that does both right.
 */
import protobuf from 'protobufjs'

/** A decoded message of any type. */
type Decoded = protobuf.Message & { $unknowns?: Uint8Array[] }

/** Gives every type without fields in a namespace, and what is nested in it, its decoder. */
export function mendFieldlessTypes(namespace: protobuf.NamespaceBase): void {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Type && nested.fieldsArray.length === 0) mend(nested)
    if (nested instanceof protobuf.Namespace) mendFieldlessTypes(nested)
  }
}

function mend(type: protobuf.Type): void {
  // `setup` puts the generated functions in place, and may be called again.
  const { setup } = type
  type.setup = () => {
    setup.call(type)
    type.decode = decode
    return type
  }

  function decode(
    source: protobuf.Reader | Uint8Array,
    lengthOctets?: number,
    endGroupTag?: number,
    depth = 0,
    merged?: protobuf.Message,
  ): protobuf.Message {
    const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
    if (depth > protobuf.Reader.recursionLimit) throw new Error('max depth exceeded')
    const message: Decoded = merged ?? type.create()
    const outerEnd = reader.len
    const end = lengthOctets === undefined ? outerEnd : reader.pos + lengthOctets
    if (end > outerEnd) throw new RangeError('index out of range')
    reader.len = end
    let inGroup = endGroupTag !== undefined
    while (reader.pos < end) {
      const start = reader.pos
      const tag = reader.tag()
      if (tag === endGroupTag) {
        inGroup = false
        break
      }
      reader.skipType(tag & 7, depth, tag >>> 3)
      if (!reader.discardUnknown) {
        if (!Object.hasOwn(message, '$unknowns')) {
          Object.defineProperty(message, '$unknowns', { value: [], configurable: true, writable: true })
        }
        message.$unknowns!.push(reader.raw(start, reader.pos))
      }
    }
    if (inGroup) throw new Error('missing end group')
    reader.len = outerEnd
    return message
  }
}
