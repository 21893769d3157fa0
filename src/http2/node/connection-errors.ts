/** The errors of a connection of the `node` engine, in words: phase, address, cause. */
import { ErrorCode, errorCodeName } from '../../wire/frame/error-codes.ts'
import { ConnectionError, type ConnectionErrorInit, type ConnectionPhase } from '../errors.ts'
import type { Goaway } from '../transport.ts'

/** A {@link ConnectionError} whose message begins with phase and address. */
export function connectionError(
  phase: ConnectionPhase,
  address: string,
  reason: string,
  init: Omit<ConnectionErrorInit, 'phase' | 'address'>,
): ConnectionError {
  const doing = {
    connect: `Connecting to ${address} failed`,
    tls: `TLS with ${address} failed`,
    settings: `Starting HTTP/2 with ${address} failed`,
    open: `The HTTP/2 connection with ${address} ended`,
  }[phase]
  return new ConnectionError(`${doing}: ${reason}`, { ...init, phase, address })
}

/** What had not come when the time for it was over. */
export function timeoutReason(phase: ConnectionPhase, role: 'client' | 'server', timeoutMs: number): string {
  const missing = {
    connect: 'no TCP connection',
    tls: 'no finished TLS handshake',
    settings: role === 'client' ? 'no SETTINGS' : 'no connection preface',
    open: 'no answer',
  }[phase]
  const silent = phase === 'settings' ? '; the peer stays silent' : ''
  return `${missing} within ${timeoutMs} ms${silent}`
}

/** Reason and fields for an error that Node raised on a session. */
export function sessionErrorReason(
  error: NodeJS.ErrnoException,
): [string, Omit<ConnectionErrorInit, 'phase'>] {
  if (error.code === 'ERR_HTTP2_ERROR') {
    const reason = `the peer broke the rules of HTTP/2 (${error.message})`
    return [reason, { code: ErrorCode.PROTOCOL_ERROR, initiator: 'local', cause: error }]
  }
  const reset = error.code === 'ECONNRESET' || error.code === 'EPIPE'
  return [reset ? 'the peer reset the connection' : error.message, { initiator: 'peer', cause: error }]
}

/** Reason and fields for a GOAWAY of the peer. */
export function goawayReason(
  goaway: Goaway,
  unprocessed: boolean,
): [string, Omit<ConnectionErrorInit, 'phase'>] {
  const { code, debugData } = goaway
  const words = [
    `the peer sent GOAWAY ${errorCodeName(code)}`,
    unprocessed ? ' and did not process this stream' : '',
    debugData === '' ? '' : `: ${debugData}`,
  ].join('')
  return [words, { code, initiator: 'peer', debugData, unprocessed, section: 'RFC 9113 §6.8' }]
}

/** The same error for a stream whose request never left. */
export function asUnprocessed(error: ConnectionError): ConnectionError {
  const { code, initiator, phase, address, debugData, section, cause } = error
  return new ConnectionError(error.message, {
    initiator,
    phase,
    unprocessed: true,
    ...(cause === undefined ? {} : { cause }),
    ...(code === undefined ? {} : { code }),
    ...(address === undefined ? {} : { address }),
    ...(debugData === undefined ? {} : { debugData }),
    ...(section === undefined ? {} : { section }),
  })
}
