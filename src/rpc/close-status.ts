/** What the end of a stream or connection, without a gRPC status, means for its call. */
import { ConnectionError, type StreamError } from '../http2/errors.ts'
import { ErrorCode } from '../wire/frame/error-codes.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { type Phase, StatusError } from './status-error.ts'
import { messageOfErrorCode, statusOfErrorCode } from './status-mapping.ts'

/**
 * The status of a call whose stream was closed with an error (gRPC PROTOCOL-HTTP2 "Errors").
 * @param pastDeadline whether the call's own deadline has passed
 */
export function statusOfClose(
  error: StreamError | ConnectionError,
  phase: Phase,
  pastDeadline: boolean,
): StatusError {
  const init = { cause: error, phase }
  if (error instanceof ConnectionError) {
    // A connection closed because of what the peer sent is as gone as any other, and worth a retry.
    const code = error.code === ErrorCode.INADEQUATE_SECURITY ? Status.PERMISSION_DENIED : Status.UNAVAILABLE
    return new StatusError(code, `Connection dropped: ${error.message}`, init)
  }
  if (error.initiator === 'local') {
    if (error.code === ErrorCode.ENHANCE_YOUR_CALM) {
      return new StatusError(Status.RESOURCE_EXHAUSTED, `The server sent too much: ${error.message}`, init)
    }
    return new StatusError(Status.INTERNAL, `The server broke HTTP/2: ${error.message}`, init)
  }
  // A client past its own deadline says so, whatever the server called it.
  if (error.code === ErrorCode.CANCEL && pastDeadline) {
    return new StatusError(Status.DEADLINE_EXCEEDED, 'Deadline exceeded: the server ended the call', init)
  }
  return new StatusError(statusOfErrorCode(error.code), messageOfErrorCode(error.code), init)
}
