/**
 * Details of a status: google.rpc.Status in the trailer `grpc-status-details-bin` (the convention that all
 * implementations of gRPC share for richer errors).
 *
 * The status itself is what `grpc-status` and `grpc-message` say; the code and text that google.rpc.Status repeats are
 * written, but not read. Nothing is decoded before somebody asks.
 */
import {
  decodeDetail,
  encodeDetail,
  type StandardDetail,
  type StandardDetailName,
  standardDetailName,
} from './error-details.ts'
import type { MessageType } from './messages/message-type.ts'
import type { Metadata } from './metadata.ts'
import { bundledTypes } from './services/bundled-registry.ts'

/** A detail of any other type, or of a standard type with octets that can't be decoded. */
export interface OtherDetail {
  /** What tells it from the standard types. */
  readonly type: 'Any'
  /** Name of the type, most often with `type.googleapis.com/` before it. */
  readonly typeUrl: string
  /** The octets of the message. */
  readonly value: Uint8Array
}

/** One detail of a status; `type` tells which. */
export type StatusDetail =
  | { [Name in StandardDetailName]: StandardDetail<Name> }[StandardDetailName]
  | OtherDetail

/** The trailer that carries details. */
export const STATUS_DETAILS_KEY = 'grpc-status-details-bin'

const statusType = bundledTypes('google/rpc/status.proto')

interface Any {
  readonly typeUrl: string
  readonly value: Uint8Array
}

/**
 * A detail of a type of the application's own.
 *
 * @param type from `loadProto`
 * @throws MessageError if the message can't be encoded
 * @example
 * new StatusError(Status.ABORTED, 'gone', { statusDetails: [anyDetail(shop.SoldOut, { sku: '4711' })] })
 * // and on the other side
 * for (const { type, typeUrl, value } of statusDetails(error)) {
 *   if (type === 'Any' && typeUrl.endsWith('/shop.SoldOut')) console.log(shop.SoldOut.decode(value).sku)
 * }
 */
export function anyDetail<Message>(type: MessageType<Message>, message: Message): OtherDetail {
  return { type: 'Any', typeUrl: `type.googleapis.com/${type.typeName}`, value: type.toBinary(message) }
}

/**
 * The value of `grpc-status-details-bin`.
 * @throws MessageError if a detail can't be encoded
 */
export function encodeStatusDetails(
  code: number,
  message: string,
  details: readonly StatusDetail[],
): Uint8Array {
  const anys = details.map((detail) => ({
    typeUrl: detail.typeUrl,
    value: detail.type === 'Any' ? detail.value : encodeDetail(detail.type, detail.value),
  }))
  return statusType('google.rpc.Status').toBinary({ code, message, details: anys })
}

/**
 * The details of a status, decoded when asked.
 *
 * What can't be decoded is kept as octets (type `Any`); a trailer that is no google.rpc.Status at all gives no
 * details, and so does a status without them. Of a repeated trailer the first counts. Never throws because of what the
 * peer sent.
 *
 * @param status a StatusError, or what `call.status` resolves with
 * @example
 * const retry = statusDetails(error).find((detail) => detail.type === 'RetryInfo')
 * if (retry !== undefined) await setTimeout(retry.value.retryDelayMs)
 */
export function statusDetails(status: { readonly metadata: Metadata }): StatusDetail[] {
  const octets = status.metadata.get(STATUS_DETAILS_KEY)
  if (octets === undefined) return []
  let details: readonly Any[]
  try {
    details = statusType('google.rpc.Status').decode(octets).details
  } catch {
    return []
  }
  return details.map(openAny)
}

function openAny({ typeUrl, value }: Any): StatusDetail {
  // any.proto: the type's full name is what follows the last slash.
  const name = standardDetailName(typeUrl.slice(typeUrl.lastIndexOf('/') + 1))
  if (name !== undefined) {
    try {
      return { type: name, typeUrl, value: decodeDetail(name, value) } as StatusDetail
    } catch {
      // Told below as what came.
    }
  }
  return { type: 'Any', typeUrl, value }
}
