/**
 * What an answer without a gRPC status means: the tables "HTTP to gRPC Status Code Mapping"
 * (gRPC http-grpc-status-mapping) and "Errors" (gRPC PROTOCOL-HTTP2).
 */
import { ErrorCode, errorCodeName } from '../wire/frame/error-codes.ts'
import { Status } from '../wire/grpc/status-codes.ts'

/** The status of a response without grpc-status, by its HTTP status (gRPC http-grpc-status-mapping). */
export function statusOfHttpStatus(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return Status.INTERNAL
    case 401:
      return Status.UNAUTHENTICATED
    case 403:
      return Status.PERMISSION_DENIED
    case 404:
      return Status.UNIMPLEMENTED
    case 429:
    case 502:
    case 503:
    case 504:
      return Status.UNAVAILABLE
    default:
      return Status.UNKNOWN
  }
}

/** The status of a stream that the peer reset, by the code of its RST_STREAM (gRPC PROTOCOL-HTTP2 "Errors"). */
export function statusOfErrorCode(code: number): number {
  switch (code) {
    case ErrorCode.REFUSED_STREAM:
      return Status.UNAVAILABLE
    case ErrorCode.CANCEL:
      return Status.CANCELLED
    case ErrorCode.ENHANCE_YOUR_CALM:
      return Status.RESOURCE_EXHAUSTED
    case ErrorCode.INADEQUATE_SECURITY:
      return Status.PERMISSION_DENIED
    default:
      // NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, FRAME_SIZE_ERROR,
      // COMPRESSION_ERROR and CONNECT_ERROR are INTERNAL; the table names nothing for the rest, which are
      // protocol faults of the same kind.
      return Status.INTERNAL
  }
}

const EXPLANATIONS = new Map<number, string>([
  [ErrorCode.NO_ERROR, 'Call ended without gRPC status'],
  [ErrorCode.INTERNAL_ERROR, 'Internal server error'],
])

/** The Status-Message for a stream that the peer reset with `code`. */
export function messageOfErrorCode(code: number): string {
  switch (code) {
    case ErrorCode.REFUSED_STREAM:
      return 'Stream refused by server'
    case ErrorCode.CANCEL:
      return 'Call cancelled'
    case ErrorCode.ENHANCE_YOUR_CALM:
      return 'Bandwidth exhausted or memory limit exceeded: the stream was reset with ENHANCE_YOUR_CALM, as for headers beyond maxHeaderListSizeOctets'
    case ErrorCode.INADEQUATE_SECURITY:
      return 'Protocol not secure enough'
    default:
      return `Received RST_STREAM with code ${code} (${EXPLANATIONS.get(code) ?? errorCodeName(code)})`
  }
}
