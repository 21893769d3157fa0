/**
 * How a connection begins to end, and ends: GOAWAY of both sides, graceful shutdown, errors, a lost socket
 * (RFC 9113 §5.4.1, §6.8).
 *
 * ```
 *   connecting --> open --> draining --> closed        close(), or the peer's GOAWAY, then the last stream
 *        `-----------`----------`---------^            destroy(), an error, a lost socket
 * ```
 * Every stream hears why, and whether the peer can have seen its request.
 */
import { ErrorCode, errorCodeName } from '../../wire/frame/error-codes.ts'
import { writeGoaway } from '../../wire/frame/goaway.ts'
import { MAX_31_BIT } from '../../wire/frame/types.ts'
import type { OctetWriter } from '../../wire/octets.ts'
import { ConnectionError, type ConnectionErrorInit, type ConnectionPhase } from '../errors.ts'
import type { Goaway } from '../transport.ts'
import type { TimedActs } from './connection-clock.ts'
import type { ConnectionContext } from './connection-context.ts'
import { type PingExchange, PingPurpose } from './ping-exchange.ts'
import { HTTP_1_ANSWER } from './preface-reader.ts'
import { StreamState } from './stream-state.ts'
import { asUnprocessed, connectionViolation } from './violation.ts'

const MAX_DEBUG_CHARACTERS = 1024
/** Time for the round trip of a graceful shutdown, in milliseconds. */
const SHUTDOWN_ROUND_TRIP_MS = 1000

/** The life of one connection. */
export class ConnectionLife implements TimedActs {
  state: 'connecting' | 'open' | 'draining' | 'closed' = 'connecting'
  /** How far it is; the shell sets it until the socket is ready. */
  phase: ConnectionPhase = 'connect'
  /** Address of the peer, for texts. */
  address = 'the peer'
  /** Why it ended; undefined while it lives and after an end in order. */
  failure: ConnectionError | undefined = undefined
  /** The highest stream of the peer that is accepted (RFC 9113 §6.8). */
  lastAcceptedStreamId = MAX_31_BIT
  readonly #context: ConnectionContext
  readonly #pings: PingExchange
  readonly #stopReading: () => void
  #goaway: Goaway | undefined = undefined
  /** The end is in order: our close, or the peer's GOAWAY with NO_ERROR. */
  #orderly = false
  #closing = false

  constructor(context: ConnectionContext, pings: PingExchange, stopReading: () => void) {
    this.#context = context
    this.#pings = pings
    this.#stopReading = stopReading
  }

  /** An error that names the phase and the address. */
  error(reason: string, init: Omit<ConnectionErrorInit, 'phase' | 'address'>): ConnectionError {
    const { phase, address } = this
    const doing = {
      connect: `Connecting to ${address} failed`,
      tls: `TLS with ${address} failed`,
      settings: `Starting HTTP/2 with ${address} failed`,
      open: `The HTTP/2 connection with ${address} ended`,
    }[phase]
    return new ConnectionError(`${doing}: ${reason}`, { ...init, phase, address })
  }

  /** What streams and pings hear that come too late, or that the peer has not seen. */
  unprocessed(reason?: string): ConnectionError {
    const goaway = this.#goaway
    if (goaway !== undefined) {
      const { code, debugData } = goaway
      return this.error(
        `the peer sent GOAWAY ${errorCodeName(code)} and did not process this stream${colon(debugData)}`,
        { code, initiator: 'peer', debugData, unprocessed: true, section: 'RFC 9113 §6.8' },
      )
    }
    if (reason === undefined && this.failure !== undefined) return asUnprocessed(this.failure)
    return this.error(reason ?? 'it was closed', { initiator: 'local', unprocessed: true })
  }

  // ---- in order ----

  /** The seam's `close`: a server announces the end first, and names the last stream a round trip later. */
  close(): void {
    const context = this.#context
    if (context.ended || this.#closing) return
    this.#closing = true
    this.#orderly = true
    if (this.state === 'connecting') {
      this.destroy()
      return
    }
    this.state = 'draining'
    this.#dropPending(this.unprocessed())
    context.wake()
    if (context.role === 'client') {
      writeGoaway(context.output.writer, context.highestPeerStreamId, ErrorCode.NO_ERROR)
      return
    }
    writeGoaway(context.output.writer, MAX_31_BIT, ErrorCode.NO_ERROR)
    this.#pings.send(PingPurpose.shutdown)
    context.shutdownDeadlineMs = context.nowMs + SHUTDOWN_ROUND_TRIP_MS
  }

  /** The round trip of a graceful shutdown is over: what has not been seen by now is not ours. */
  onShutdownRoundTrip(): void {
    const context = this.#context
    if (context.shutdownDeadlineMs === Number.POSITIVE_INFINITY) return
    context.shutdownDeadlineMs = Number.POSITIVE_INFINITY
    this.lastAcceptedStreamId = context.highestPeerStreamId
    writeGoaway(this.#writer(), context.highestPeerStreamId, ErrorCode.NO_ERROR)
  }

  /** The peer's GOAWAY. @returns it as the listener hears it, undefined for a repetition that says nothing new */
  onGoaway(lastStreamId: number, code: number, debugData: string): Goaway | undefined {
    const earlier = this.#goaway
    // The identifier must not grow. Some send a second frame on their way out that says less than the first: what
    // was said once holds.
    if (earlier !== undefined && earlier.code === code && lastStreamId >= earlier.lastStreamId)
      return undefined
    const goaway: Goaway = {
      lastStreamId: Math.min(lastStreamId, earlier?.lastStreamId ?? lastStreamId),
      code,
      debugData: debugData.slice(0, MAX_DEBUG_CHARACTERS),
    }
    this.#goaway = goaway
    if (this.state !== 'connecting') this.state = 'draining'
    if (code === ErrorCode.NO_ERROR) {
      this.#orderly = true
    } else {
      this.failure = this.error(`the peer sent GOAWAY ${errorCodeName(code)}${colon(goaway.debugData)}`, {
        code,
        initiator: 'peer',
        debugData: goaway.debugData,
        section: 'RFC 9113 §6.8',
      })
    }
    return goaway
  }

  /** Ends the streams that the peer's GOAWAY says it has not processed. */
  endUnprocessed(goaway: Goaway): void {
    const context = this.#context
    this.#dropPending(this.unprocessed())
    const error = this.unprocessed()
    for (const stream of context.streams.all()) {
      if (context.isLocal(stream.id) && stream.id > goaway.lastStreamId) {
        context.closeStream(stream, StreamState.closedByOurReset, error)
      }
    }
  }

  /** A draining connection ends with its last stream. */
  finishIfDone(): void {
    const context = this.#context
    if (this.state !== 'draining' || context.ended || context.openStreams > 0) return
    if (context.shutdownDeadlineMs !== Number.POSITIVE_INFINITY) return
    // The peer said GOAWAY: answer before closing, so that it knows what was processed.
    if (!this.#closing) writeGoaway(this.#writer(), context.highestPeerStreamId, ErrorCode.NO_ERROR)
    this.#stop()
  }

  // ---- at once ----

  /** The seam's `destroy`. */
  destroy(code: number = ErrorCode.NO_ERROR, reason = ''): void {
    if (this.#context.ended) return
    this.#orderly = true
    const error = this.error(`we ended it with ${errorCodeName(code)}${colon(reason)}`, {
      code,
      initiator: 'local',
    })
    if (code !== ErrorCode.NO_ERROR) this.failure ??= error
    this.#end(error, code, reason)
  }

  /** Ends the connection because of an error: GOAWAY with its code and reason (RFC 9113 §5.4.1). */
  fail(error: ConnectionError): void {
    if (this.#context.ended) return
    this.failure ??= error
    this.#end(error, error.code, error.debugData ?? error.message)
  }

  /** As {@link ConnectionLife.fail}, for an error found inside, which does not name the connection yet. */
  failLocated(error: ConnectionError): void {
    const { code, initiator, section, cause, debugData } = error
    const located = this.error(error.message, {
      initiator,
      debugData: debugData ?? error.message,
      ...(code === undefined ? {} : { code }),
      ...(section === undefined ? {} : { section }),
      ...(cause === undefined ? {} : { cause }),
    })
    this.fail(located)
  }

  /** The first octets were no HTTP/2: says so, in HTTP/1.1 if that is what the peer speaks. */
  refusePreface(words: string, isHttp1Request: boolean): void {
    const error = this.error(words, { initiator: 'peer', section: 'RFC 9113 §3.4' })
    if (isHttp1Request) this.#writer().text(HTTP_1_ANSWER)
    this.failure ??= error
    const speaks = this.#context.role === 'server' && !isHttp1Request
    this.#end(error, speaks ? ErrorCode.PROTOCOL_ERROR : undefined, words)
  }

  /** The socket ended without our doing. */
  lost(reason: string, cause: Error | undefined): void {
    if (this.#context.ended) return
    const before = this.#context.role === 'client' ? 'sending SETTINGS' : 'sending a connection preface'
    const words = this.phase === 'settings' ? `${reason} before ${before}` : reason
    const error = this.error(words, { initiator: 'peer', ...(cause === undefined ? {} : { cause }) })
    if (!this.#orderly || this.phase !== 'open') this.failure ??= error
    this.#end(this.failure ?? error, undefined, '')
  }

  // ---- what the clock finds ----

  onHandshakeExpired(): void {
    const { role, options } = this.#context
    const what = {
      connect: 'no TCP connection',
      tls: 'no finished TLS handshake',
      settings: role === 'client' ? 'no SETTINGS' : 'no connection preface',
      open: '',
    }[this.phase]
    const silent = this.phase === 'settings' ? '; the peer stays silent' : ''
    const words = `${what} within ${options.handshakeTimeoutMs} ms${silent}`
    this.fail(this.error(words, { code: ErrorCode.SETTINGS_TIMEOUT, initiator: 'local' }))
  }

  onExpired(code: number, section: string, reason: string): void {
    this.failLocated(connectionViolation(code, section, reason))
  }

  onShutdownExpired(): void {
    this.onShutdownRoundTrip()
  }

  onKeepalivePing(): void {
    this.#pings.send(PingPurpose.keepalive)
  }

  onKeepaliveDead(timeoutMs: number): void {
    const words = `keepalive: no answer to PING within ${timeoutMs} ms`
    this.fail(this.error(words, { code: ErrorCode.NO_ERROR, initiator: 'local', section: 'gRFC A8' }))
  }

  onAgeDrain(): void {
    this.close()
  }

  onAgeEnd(): void {
    this.destroy(ErrorCode.NO_ERROR, 'the grace of the maximum connection age is over')
  }

  // ---- the end itself ----

  /** @param code of the GOAWAY, undefined for none */
  #end(streamError: ConnectionError, code: number | undefined, reason: string): void {
    const context = this.#context
    if (code !== undefined && (this.phase === 'open' || this.phase === 'settings')) {
      writeGoaway(this.#writer(), context.highestPeerStreamId, code, reason.slice(0, MAX_DEBUG_CHARACTERS))
    }
    this.#stop()
    for (const stream of context.streams.all()) {
      context.closeStream(stream, StreamState.closedByOurReset, streamError)
    }
    this.#dropPending(asUnprocessed(streamError))
  }

  #stop(): void {
    this.#context.ended = true
    this.state = 'closed'
    this.#stopReading()
    this.#context.wake()
  }

  /** Streams that have not been opened never will. */
  #dropPending(error: ConnectionError): void {
    const context = this.#context
    context.waiting.length = 0
    for (const stream of context.pending.all())
      context.closeStream(stream, StreamState.closedByOurReset, error)
  }

  #writer(): OctetWriter {
    this.#context.wake()
    return this.#context.output.writer
  }
}

function colon(text: string): string {
  return text === '' ? '' : `: ${text}`
}
