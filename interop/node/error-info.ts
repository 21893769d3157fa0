/** The one error detail that the peers exchange: google.rpc.ErrorInfo. */
import protobuf from 'protobufjs'
import type { Any } from './status-details.ts'

const { Field, MapField, Root, Type } = protobuf

const errorInfo = new Type('ErrorInfo')
  .add(new Field('reason', 1, 'string'))
  .add(new Field('domain', 2, 'string'))
  .add(new MapField('metadata', 3, 'string', 'string'))
new Root().add(errorInfo)

const typeUrl = 'type.googleapis.com/google.rpc.ErrorInfo'

/** Why a call failed, for programs. */
export interface ErrorInfo {
  reason: string
  domain: string
  metadata: Record<string, string>
}

/** Packs an ErrorInfo as a detail. */
export function packErrorInfo(info: ErrorInfo): Any {
  return { typeUrl, value: errorInfo.encode(errorInfo.create(info)).finish() }
}

/** The ErrorInfo of a list of one. @throws Error if there is anything else */
export function unpackErrorInfo(details: readonly Any[]): ErrorInfo {
  const [detail] = details
  if (details.length !== 1 || detail?.typeUrl !== typeUrl) {
    throw new Error(`got details [${details.map((each) => each.typeUrl).join(', ')}], want one ${typeUrl}`)
  }
  return errorInfo.toObject(errorInfo.decode(detail.value)) as ErrorInfo
}
