/** The one error detail the peers exchange: a google.rpc.ErrorInfo inside of a google.rpc.Status. */
import protobuf from 'protobufjs'

const { Field, MapField, Root, Type } = protobuf

const errorInfo = new Type('ErrorInfo')
  .add(new Field('reason', 1, 'string'))
  .add(new Field('domain', 2, 'string'))
  .add(new MapField('metadata', 3, 'string', 'string'))
const any = new Type('Any').add(new Field('typeUrl', 1, 'string')).add(new Field('value', 2, 'bytes'))
const status = new Type('Status')
  .add(new Field('code', 1, 'int32'))
  .add(new Field('message', 2, 'string'))
  .add(new Field('details', 3, 'Any', 'repeated'))
new Root().add(errorInfo).add(any).add(status)

const typeUrl = 'type.googleapis.com/google.rpc.ErrorInfo'

/** Why a call failed, for programs. */
export interface ErrorInfo {
  reason: string
  domain: string
  metadata: Record<string, string>
}

/** The octets of `grpc-status-details-bin` for a failure with one ErrorInfo. */
export function encodeStatusDetails(code: number, message: string, info: ErrorInfo): Uint8Array {
  const value = errorInfo.encode(errorInfo.create(info)).finish()
  return status.encode(status.create({ code, message, details: [{ typeUrl, value }] })).finish()
}

/** The ErrorInfo in the octets of `grpc-status-details-bin`. @throws Error if there is not exactly one */
export function decodeStatusDetails(octets: Uint8Array): ErrorInfo {
  const { details } = status.toObject(status.decode(octets)) as {
    details: { typeUrl: string; value: Uint8Array }[]
  }
  const [detail] = details
  if (details.length !== 1 || detail?.typeUrl !== typeUrl) {
    throw new Error(`got details ${details.map((each) => each.typeUrl).join(', ')}, want one ${typeUrl}`)
  }
  return errorInfo.toObject(errorInfo.decode(detail.value)) as ErrorInfo
}
