/**
 * What the parts of one connection share: settings, windows, streams, output, and the two acts that every part
 * needs, closing a stream and asking for a turn.
 *
 * The parts stand around it: `frame-receiver` reads into it, `stream-sender` writes from it, `connection-core`
 * owns its life. No octet is read or decided on here.
 */
import { ErrorCode, errorCodeName } from '../../wire/frame/error-codes.ts'
import { writeRstStream } from '../../wire/frame/rst-stream.ts'
import { DEFAULT_MAX_FRAME_SIZE } from '../../wire/frame/types.ts'
import { writeWindowUpdate } from '../../wire/frame/window-update.ts'
import { HpackDecoder } from '../../wire/hpack/decoder.ts'
import { HpackEncoder } from '../../wire/hpack/encoder.ts'
import { type ConnectionError, StreamError } from '../errors.ts'
import { KeepalivePinger } from '../keepalive.ts'
import { MemberList } from '../member-list.ts'
import type { ConnectionListener, Http2Connection } from '../transport.ts'
import { AbuseLimits } from './abuse-limits.ts'
import { ClosedStreams } from './closed-streams.ts'
import { DEFAULT_WINDOW_OCTETS, ReceiveWindow, SendWindow } from './flow-control.ts'
import { FrameOutput } from './frame-output.ts'
import type { CoreOptions } from './options.ts'
import { SendQueue } from './send-queue.ts'
import type { PureStream } from './stream.ts'
import { isClosed, StreamState } from './stream-state.ts'
import { StreamTable } from './stream-table.ts'
import { calm } from './violation.ts'

/** What the core asks of whoever holds it. */
export interface CoreHost {
  /**
   * There is output to take or an event to tell: set the context's `nowMs`, and call `turn` soon, but not from
   * inside this call.
   */
  wake(): void
}

/** The listener of a connection that has none yet, or whose end has been told. */
export const NO_CONNECTION_LISTENER: ConnectionListener = { onOpen() {}, onGoaway() {}, onClose() {} }

/** State shared by the parts of one connection. */
export class ConnectionContext {
  readonly role: 'client' | 'server'
  readonly options: CoreOptions
  readonly host: CoreHost
  readonly limits: AbuseLimits
  readonly encoder: HpackEncoder
  readonly decoder: HpackDecoder
  readonly output = new FrameOutput()
  readonly sendQueue = new SendQueue<PureStream>()
  /** Streams that are not idle and not closed. */
  readonly streams = new StreamTable<PureStream>()
  readonly closedStreams = new ClosedStreams()
  /** What we may send, and what the peer may, on the connection. */
  readonly sendWindow = new SendWindow()
  readonly receiveWindow: ReceiveWindow
  readonly keepalive: KeepalivePinger
  /** The seam's face of this connection; set by the core's owner before anything else. */
  connection!: Http2Connection
  listener: ConnectionListener = NO_CONNECTION_LISTENER
  /** The latest time we were told, in milliseconds of the shell's monotonic clock. */
  nowMs: number

  // The peer's settings that sending needs (RFC 9113 §6.5.2).
  peerInitialWindow = DEFAULT_WINDOW_OCTETS
  peerMaxFrameSize = DEFAULT_MAX_FRAME_SIZE
  /** 0 until our preface is out; until the peer has spoken, what it should allow at least (RFC 9113 §6.5.2). */
  peerMaxConcurrentStreams = 0
  peerAllowsPush = false
  // Ours.
  /** Credit of a new stream; never below what the peer may assume before it acknowledges our SETTINGS. */
  initialReceiveWindow: number
  /** The size that stream windows grow to; auto-tuning raises it. */
  streamWindowTarget: number

  // Streams (RFC 9113 §5.1.1, §5.1.2).
  highestPeerStreamId = 0
  nextLocalStreamId: number
  /** Open streams by who opened them. */
  localOpen = 0
  peerOpen = 0
  /** Client: streams that have no identifier yet, because nothing was sent on them or because they wait. */
  readonly pending = new MemberList<PureStream>()
  /** Client: streams that wait for their turn, oldest first; those closed meanwhile are skipped. */
  readonly waiting: PureStream[] = []

  // Events owed to listeners, told at the end of the turn.
  closing: PureStream[] = []
  drained: PureStream[] = []
  /** Streams that wait for the output to be taken, and how often that has happened. */
  awaitingOutput: PureStream[] = []
  outputTurn = 0
  /** True after `wake` until the next turn. */
  awake = false
  /** When queued DATA has to be looked at for a stall; Infinity while none is queued. */
  stallCheckMs = Number.POSITIVE_INFINITY
  /** Credit has just been given: a moment to measure what a round trip brings. */
  bandwidthSampleDue = false
  /** When the second GOAWAY of a graceful shutdown goes out at the latest; Infinity without one. */
  shutdownDeadlineMs = Number.POSITIVE_INFINITY
  /** The last open stream has ended since this was last looked at. */
  becameIdle = false
  /** Set once the connection has failed or ended; nothing is read, sent or told to streams any more. */
  ended = false

  constructor(role: 'client' | 'server', options: CoreOptions, host: CoreHost, nowMs: number) {
    this.role = role
    this.options = options
    this.host = host
    this.nowMs = nowMs
    this.limits = new AbuseLimits(options.budgets)
    this.keepalive = new KeepalivePinger(options.keepalive, nowMs)
    const { sensitiveNames } = options
    // Without names of their own, all connections share one list.
    this.encoder = new HpackEncoder({
      sensitiveNames: sensitiveNames.length === 0 ? undefined : sensitiveNames,
    })
    this.decoder = new HpackDecoder({ maxHeaderListSizeOctets: options.maxHeaderListSizeOctets })
    this.receiveWindow = new ReceiveWindow(DEFAULT_WINDOW_OCTETS, options.connectionWindowOctets)
    this.initialReceiveWindow = Math.max(options.streamWindowOctets, DEFAULT_WINDOW_OCTETS)
    this.streamWindowTarget = options.streamWindowOctets
    this.nextLocalStreamId = role === 'client' ? 1 : 2
  }

  /** Open streams and those that are to be opened. */
  get openStreams(): number {
    return this.localOpen + this.peerOpen + this.pending.size
  }

  /** True for an identifier that this endpoint gives out (RFC 9113 §5.1.1). */
  isLocal(streamId: number): boolean {
    return (streamId & 1) === (this.nextLocalStreamId & 1)
  }

  /** True for an identifier of a stream that nobody has opened (RFC 9113 §5.1). */
  isIdle(streamId: number): boolean {
    return this.isLocal(streamId) ? streamId >= this.nextLocalStreamId : streamId > this.highestPeerStreamId
  }

  /** The peer used a new identifier: the lower ones it has not used are closed now (RFC 9113 §5.1.1). */
  advancePeerStreamId(streamId: number): void {
    const first = this.highestPeerStreamId === 0 ? 2 - (streamId & 1) : this.highestPeerStreamId + 2
    if (streamId > first) this.closedStreams.skip(first, streamId - 2)
    this.highestPeerStreamId = streamId
  }

  /** Asks for a turn, and makes the output writable. To be called before writing a frame. */
  wake(): void {
    this.output.open()
    if (this.awake) return
    this.awake = true
    this.host.wake()
  }

  /** The output has been taken: whoever filled it may go on, in the next turn. */
  onOutputTaken(): void {
    this.outputTurn++
    if (this.awaitingOutput.length === 0) return
    this.drained.push(...this.awaitingOutput)
    this.awaitingOutput = []
    this.wake()
  }

  /** Puts a stream among the open ones. */
  register(stream: PureStream): void {
    stream.openedMs = this.nowMs
    if (this.streams.size === 0) this.keepalive.onFirstStream(this.nowMs)
    this.streams.add(stream)
    if (this.isLocal(stream.id)) this.localOpen++
    else this.peerOpen++
  }

  /**
   * Ends a stream: what it queued is dropped, its credit goes back to the connection, and `onClose` follows at
   * the end of the turn.
   */
  closeStream(
    stream: PureStream,
    state: StreamState,
    error: StreamError | ConnectionError | undefined,
  ): void {
    if (isClosed(stream.state)) return
    stream.state = state
    stream.closeError = error
    stream.waitingFields = undefined
    stream.trailers = undefined
    stream.queue = undefined
    stream.queuedOctets = 0
    stream.wantsDrain = false
    this.sendQueue.remove(stream)
    if (stream.id === 0) {
      this.pending.delete(stream)
    } else {
      this.streams.delete(stream.id)
      if (this.isLocal(stream.id)) this.localOpen--
      else this.peerOpen--
      if (state === StreamState.closedInOrder) this.limits.streamsCompleted++
      else this.closedStreams.remember(stream.id, state)
    }
    if (this.streams.size === 0) this.becameIdle = true
    this.closing.push(stream)
    this.wake()
    const { unconsumedOctets } = stream.receiveWindow
    if (unconsumedOctets > 0) this.creditConnection(unconsumedOctets)
  }

  /** Ends a stream by RST_STREAM. */
  resetStream(stream: PureStream, error: StreamError): void {
    this.writeReset(stream.id, error.code)
    this.closeStream(stream, StreamState.closedByOurReset, error)
  }

  /**
   * Ends a stream, open or not, because of what the peer did, and counts it (CVE-2025-8671).
   *
   * @throws ConnectionError if the budget for that is used up
   */
  refuseStream(streamId: number, stream: PureStream | undefined, error: StreamError): void {
    const abuse = this.limits.onForcedReset(this.nowMs)
    if (abuse !== undefined) throw calm(`${abuse}; the last: ${error.message}`)
    if (stream !== undefined) {
      this.resetStream(stream, error)
    } else {
      this.writeReset(streamId, error.code)
      this.closedStreams.remember(streamId, StreamState.closedByOurReset)
    }
  }

  /** An exception of a listener ends its stream and reaches nobody else. */
  listenerThrew(stream: PureStream, cause: unknown): void {
    if (isClosed(stream.state)) return
    const code = ErrorCode.INTERNAL_ERROR
    const error = new StreamError(
      `Stream ${stream.id} was reset by us with ${errorCodeName(code)}: its listener threw an exception`,
      { code, streamId: stream.id, initiator: 'local', cause },
    )
    if (stream.id === 0) this.closeStream(stream, StreamState.closedByOurReset, error)
    else this.resetStream(stream, error)
  }

  writeReset(streamId: number, code: number): void {
    this.wake()
    writeRstStream(this.output.writer, streamId, code)
  }

  /** Octets of DATA have been dealt with: gives credit back on the connection when it is due. */
  creditConnection(octets: number): void {
    const increment = this.receiveWindow.consume(octets)
    if (increment > 0) this.giveCredit(0, increment)
  }

  /** Gives credit back for DATA, which is a moment to measure what a round trip brings. */
  giveCredit(streamId: number, increment: number): void {
    this.bandwidthSampleDue = true
    this.writeWindowUpdate(streamId, increment)
  }

  writeWindowUpdate(streamId: number, increment: number): void {
    if (this.ended) return
    this.wake()
    writeWindowUpdate(this.output.writer, streamId, increment)
  }

  /** Tells what is owed: first room to send, then ends. */
  tell(): void {
    while (this.drained.length > 0) {
      const { drained } = this
      this.drained = []
      for (const stream of drained) {
        if (!stream.wantsDrain || stream.ending) continue
        stream.wantsDrain = false
        try {
          stream.listener.onDrain()
        } catch (error) {
          this.listenerThrew(stream, error)
        }
      }
    }
    while (this.closing.length > 0) {
      const { closing } = this
      this.closing = []
      for (const stream of closing) {
        if (stream.told) continue
        stream.told = true
        try {
          stream.listener.onClose(stream.closeError)
        } catch {
          // The stream is over: there is nothing left to reset, and nobody else to tell.
        }
      }
    }
  }
}
