/**
 * google.rpc.Status, the content of `grpc-status-details-bin`: a code, a text, and details packed as
 * google.protobuf.Any. For programs that send or check details of types they know themselves.
 */
import protobuf from 'protobufjs'

const { Field, Root, Type } = protobuf

/** A message with the name of its type. */
export interface Any {
  /** As in `type.googleapis.com/google.rpc.ErrorInfo`. */
  typeUrl: string
  value: Uint8Array
}

const any = new Type('Any').add(new Field('typeUrl', 1, 'string')).add(new Field('value', 2, 'bytes'))
const status = new Type('Status')
  .add(new Field('code', 1, 'int32'))
  .add(new Field('message', 2, 'string'))
  .add(new Field('details', 3, 'Any', 'repeated'))
new Root().add(any).add(status)

/** The octets of `grpc-status-details-bin`. */
export function encodeStatusDetails(code: number, message: string, details: readonly Any[]): Uint8Array {
  return status.encode(status.create({ code, message, details })).finish()
}

/** The details in the octets of `grpc-status-details-bin`. @throws Error if they are no google.rpc.Status */
export function decodeStatusDetails(octets: Uint8Array): Any[] {
  const { details } = status.toObject(status.decode(octets), { arrays: true, defaults: true }) as {
    details: Any[]
  }
  return details
}
