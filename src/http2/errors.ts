/**
 * How HTTP/2 fails: one stream (RFC 9113 §5.4.2) or the whole connection (§5.4.1). Both engines tell their
 * failures with these two classes; what they mean to a gRPC call is decided in `src/rpc`.
 */
import { errorCodeName } from '../wire/frame/error-codes.ts'

/** Who caused an HTTP/2 error: this endpoint, or the other one. */
export type Initiator = 'local' | 'peer'

/** How far a connection had come when it failed. */
export type ConnectionPhase = 'connect' | 'tls' | 'settings' | 'open'

/** What a {@link StreamError} is made of. */
export interface StreamErrorInit {
  /** Error code of RST_STREAM (RFC 9113 §7). */
  code: number
  /** Identifier of the stream; 0 if it had none yet. */
  streamId: number
  /** Who ended the stream. */
  initiator: Initiator
  /** The rule that was broken, for example `RFC 9113 §6.9`. */
  section?: string
  /** True if the peer is known not to have processed the request (RFC 9113 §8.7): it can be retried. */
  unprocessed?: boolean
  /** What caused it, as in the standard `Error` option. */
  cause?: unknown
}

/** One stream ended early: RST_STREAM sent or received (RFC 9113 §5.4.2). The connection lives on. */
export class StreamError extends Error {
  override readonly name = 'StreamError'
  /** Error code of RST_STREAM (RFC 9113 §7). */
  readonly code: number
  /** Identifier of the stream; 0 if it had none yet. */
  readonly streamId: number
  /** Who ended the stream. */
  readonly initiator: Initiator
  /** The rule that was broken, for example `RFC 9113 §6.9`. */
  readonly section: string | undefined
  /** True if the peer is known not to have processed the request (RFC 9113 §8.7): it can be retried. */
  readonly unprocessed: boolean

  constructor(message: string, init: StreamErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause })
    this.code = init.code
    this.streamId = init.streamId
    this.initiator = init.initiator
    this.section = init.section
    this.unprocessed = init.unprocessed ?? false
  }

  /** The name of `code`, for example `CANCEL`. */
  get codeName(): string {
    return errorCodeName(this.code)
  }
}

/** What a {@link ConnectionError} is made of. */
export interface ConnectionErrorInit {
  /** Error code of GOAWAY (RFC 9113 §7), where the connection ended on the HTTP/2 level. */
  code?: number
  /** Who ended the connection. */
  initiator: Initiator
  /** How far the connection had come. */
  phase: ConnectionPhase
  /** The rule that was broken, for example `RFC 9113 §6.9`. */
  section?: string
  /** For a stream's `onClose`: the peer is known not to have processed this stream's request (RFC 9113 §6.8). */
  unprocessed?: boolean
  /** The peer's address as text. */
  address?: string
  /** Additional Debug Data of GOAWAY as text, cut to a readable length. */
  debugData?: string
  /** What caused it, as in the standard `Error` option. */
  cause?: unknown
}

/** A connection could not be made, or ended with an error (RFC 9113 §5.4.1); every stream on it ends too. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** Error code of GOAWAY (RFC 9113 §7); undefined if the connection did not end on the HTTP/2 level. */
  readonly code: number | undefined
  /** Who ended the connection. */
  readonly initiator: Initiator
  /** How far the connection had come. */
  readonly phase: ConnectionPhase
  /** The rule that was broken, for example `RFC 9113 §6.9`. */
  readonly section: string | undefined
  /** True if the peer is known not to have processed the request of the stream that is told (RFC 9113 §6.8). */
  readonly unprocessed: boolean
  /** The peer's address as text. */
  readonly address: string | undefined
  /** Additional Debug Data of GOAWAY as text, cut to a readable length. */
  readonly debugData: string | undefined

  constructor(message: string, init: ConnectionErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause })
    this.code = init.code
    this.initiator = init.initiator
    this.phase = init.phase
    this.section = init.section
    this.unprocessed = init.unprocessed ?? false
    this.address = init.address
    this.debugData = init.debugData
  }
}
