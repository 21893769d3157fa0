/** What a client reads from Response-Headers, Trailers and Trailers-Only (gRPC PROTOCOL-HTTP2 "Responses"). */
import type { Fields } from '../http2/transport.ts'
import { decodeGrpcMessage } from '../wire/grpc/percent-encoding.ts'
import { parseGrpcStatus, Status } from '../wire/grpc/status-codes.ts'
import { Metadata } from './metadata.ts'
import type { StatusObject } from './status-error.ts'
import { statusOfHttpStatus } from './status-mapping.ts'

/** The protocol's fields of a response header section. */
export interface ResponseHead {
  readonly httpStatus: number
  readonly contentType: string | undefined
  /** `grpc-encoding`, undefined for identity. */
  readonly encoding: string | undefined
  readonly acceptEncoding: string | undefined
  /** True if a grpc-status is there: the header section is Trailers-Only if it ends the stream. */
  readonly hasStatus: boolean
}

let lastFields: Fields = []
let lastHead: ResponseHead | undefined

/** Reads a response header section; the list that came last, if it comes again, is not read again. */
export function readResponseHead(fields: Fields): ResponseHead {
  if (lastHead === undefined || fields !== lastFields) {
    lastHead = readNewHead(fields)
    lastFields = fields
  }
  return lastHead
}

function readNewHead(fields: Fields): ResponseHead {
  let httpStatus = 0
  let contentType: string | undefined
  let encoding: string | undefined
  let acceptEncoding: string | undefined
  let hasStatus = false
  for (let i = 0; i < fields.length; i += 2) {
    switch (fields[i]) {
      case ':status':
        httpStatus = Number(fields[i + 1])
        break
      case 'content-type':
        contentType = fields[i + 1]
        break
      case 'grpc-encoding':
        if (fields[i + 1] !== 'identity') encoding = fields[i + 1]
        break
      case 'grpc-accept-encoding':
        acceptEncoding = fields[i + 1]
        break
      case 'grpc-status':
        hasStatus = true
        break
    }
  }
  return { httpStatus, contentType, encoding, acceptEncoding, hasStatus }
}

/** True for `application/grpc`, alone or followed by `+` or `;` (gRPC PROTOCOL-HTTP2 "Content-Type"). */
export function isGrpcContentType(contentType: string | undefined): boolean {
  if (contentType === undefined || !contentType.startsWith('application/grpc')) return false
  if (contentType.length === 16) return true
  const next = contentType.charCodeAt(16)
  return next === 0x2b || next === 0x3b || next === 0x20
}

/** Whether its messages are protobuf: no Content-Subtype, or `proto` (gRPC PROTOCOL-HTTP2, "Content-Type"). */
export function isProtoContentType(contentType: string | undefined): boolean {
  if (!isGrpcContentType(contentType)) return false
  return contentType!.charCodeAt(16) !== 0x2b || /^\+proto(?:[; ]|$)/.test(contentType!.slice(16))
}

/**
 * The status of an answer that is no gRPC (gRPC http-grpc-status-mapping).
 * @param peer address of who answered
 */
export function statusOfForeignResponse(head: ResponseHead, peer: string): StatusObject {
  const shown =
    head.contentType === undefined ? 'no content-type' : `content-type ${JSON.stringify(head.contentType)}`
  const what = head.contentType?.includes('html') ? `; the peer sent HTML` : ''
  return {
    code: statusOfHttpStatus(head.httpStatus),
    details: `Received HTTP status code ${head.httpStatus} with ${shown} instead of application/grpc from ${peer}${what}: no gRPC server answers at this address and path`,
    metadata: new Metadata(),
  }
}

/**
 * The status in a trailer section, or in a header section that ends the stream.
 * @param httpStatus decides if there is no grpc-status
 */
export function readStatus(fields: Fields, httpStatus: number): StatusObject {
  let text: string | undefined
  let repeated = false
  let message: string | undefined
  let metadataFields = 0
  for (let i = 0; i < fields.length; i += 2) {
    switch (fields[i]) {
      case 'grpc-status':
        if (text !== undefined && text !== fields[i + 1]) repeated = true
        text ??= fields[i + 1]!
        break
      case 'grpc-message':
        message ??= fields[i + 1]!
        break
      default:
        metadataFields++
    }
  }
  if (text === '0' && !repeated && message === undefined) {
    return metadataFields === 0 ? OK : { code: Status.OK, details: '', metadata: Metadata.fromFields(fields) }
  }
  const metadata = metadataFields === 0 ? new Metadata() : Metadata.fromFields(fields)
  if (text === undefined) {
    // gRPC http-grpc-status-mapping: used only where there is no grpc-status; 200 without one is no success.
    return {
      code: httpStatus === 200 ? Status.UNKNOWN : statusOfHttpStatus(httpStatus),
      details: `Received HTTP status code ${httpStatus} and no grpc-status`,
      metadata,
    }
  }
  const details = message === undefined ? '' : decodeGrpcMessage(message)
  const parsed = parseGrpcStatus(text)
  if (parsed.malformed !== undefined || repeated) {
    const shown = repeated ? 'several different values' : JSON.stringify(text)
    return {
      code: Status.UNKNOWN,
      details: `Received grpc-status ${shown}, which is no status code${details && `: ${details}`}`,
      metadata,
    }
  }
  return { code: parsed.code, details, metadata }
}

/** What calls that end well share, for most callers never look at it. */
const OK: StatusObject = Object.freeze({ code: Status.OK, details: '', metadata: new Metadata() })

/** The status as a caller may have it: metadata can be changed, and what calls share must not be. */
export function ownStatus(status: StatusObject): StatusObject {
  return status === OK ? { ...OK, metadata: new Metadata() } : status
}
