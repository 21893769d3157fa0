/** The type of `grpc-status-details-bin`: google.rpc.Status with its google.protobuf.Any details. */
import type { FieldDescriptor, MessageDescriptor } from '../wire/index.ts'

function messageOf(name: string, ...fields: FieldDescriptor[]): MessageDescriptor {
  return { name, field: (number) => fields.find((field) => field.number === number) }
}

/** `value` (2) is left out on purpose: undeclared, the message inside is guessed and opened. */
const ANY = messageOf('google.protobuf.Any', { number: 1, name: 'type_url', type: 'string', repeated: false })

/** google.rpc.Status. */
export const RPC_STATUS: MessageDescriptor = messageOf(
  'google.rpc.Status',
  { number: 1, name: 'code', type: 'int32', repeated: false },
  { number: 2, name: 'message', type: 'string', repeated: false },
  { number: 3, name: 'details', type: 'message', repeated: true, message: ANY },
)
