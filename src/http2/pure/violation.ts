/** What the connection throws and tells when the peer breaks a rule, or must be stopped (RFC 9113 §5.4). */
import { ErrorCode } from '../../wire/frame/error-codes.ts'
import { WireError } from '../../wire/wire-error.ts'
import { ConnectionError, StreamError } from '../errors.ts'

/**
 * A violation that ends the connection (RFC 9113 §5.4.1); thrown inside the core and turned into GOAWAY there.
 *
 * @param code code of the GOAWAY
 */
export function connectionViolation(code: number, section: string, reason: string): ConnectionError {
  return new ConnectionError(`${reason} (${section})`, { code, initiator: 'local', phase: 'open', section })
}

/** The peer used up a budget: ENHANCE_YOUR_CALM (RFC 9113 §10.5). */
export function calm(reason: string): ConnectionError {
  return connectionViolation(ErrorCode.ENHANCE_YOUR_CALM, 'RFC 9113 §10.5', reason)
}

/** A violation that ends one stream (RFC 9113 §5.4.2). */
export function streamViolation(
  code: number,
  section: string,
  reason: string,
  streamId: number,
): StreamError {
  return new StreamError(`Stream ${streamId}: ${reason} (${section})`, {
    code,
    streamId,
    initiator: 'local',
    section,
  })
}

/** What was thrown while octets were read, as the error that ends the connection. */
export function asConnectionError(thrown: unknown): ConnectionError {
  if (thrown instanceof ConnectionError) return thrown
  if (thrown instanceof WireError) {
    return new ConnectionError(thrown.message, {
      code: thrown.code ?? ErrorCode.PROTOCOL_ERROR,
      initiator: 'local',
      phase: 'open',
      section: thrown.section,
      cause: thrown,
    })
  }
  return new ConnectionError('Error inside the HTTP/2 engine', {
    code: ErrorCode.INTERNAL_ERROR,
    initiator: 'local',
    phase: 'open',
    cause: thrown,
  })
}

/** The same error for a stream whose request the peer never saw (RFC 9113 §8.7). */
export function asUnprocessed(error: ConnectionError): ConnectionError {
  const { initiator, phase, code, section, address, debugData, cause } = error
  return new ConnectionError(error.message, {
    initiator,
    phase,
    unprocessed: true,
    ...(code === undefined ? {} : { code }),
    ...(section === undefined ? {} : { section }),
    ...(address === undefined ? {} : { address }),
    ...(debugData === undefined ? {} : { debugData }),
    ...(cause === undefined ? {} : { cause }),
  })
}
