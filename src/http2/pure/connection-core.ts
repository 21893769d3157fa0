/**
 * A whole HTTP/2 connection without a socket, a clock or a timer (RFC 9113): octets, commands and the current
 * time go in; octets, events and the time of the next wake-up come out.
 *
 * ```
 *   receive(octets, now) --> FrameDecoder --> FrameReceiver --> listeners
 *   commands of streams  --> StreamSender --> FrameOutput   --> takeOutput()
 *   nextTimeoutMs() ... handleTimeout(now)
 * ```
 * Whoever holds it (a socket, a pair in memory, a test) calls `receive`, `handleTimeout` and, after each of them
 * and whenever `wake` was called, `turn`; then sends what `takeOutput` gives.
 */
import { CONNECTION_PREFACE } from '../../wire/frame/connection-preface.ts'
import { FrameDecoder } from '../../wire/frame/decoder.ts'
import { ErrorCode, errorCodeName } from '../../wire/frame/error-codes.ts'
import { endFieldBlock } from '../../wire/frame/field-block.ts'
import { writeGoaway } from '../../wire/frame/goaway.ts'
import { writePriorityUpdate } from '../../wire/frame/priority-update.ts'
import { beginPushPromise } from '../../wire/frame/push-promise.ts'
import { MAX_31_BIT } from '../../wire/frame/types.ts'
import { ConnectionAge } from '../connection-age.ts'
import { ConnectionError, type ConnectionErrorInit, type ConnectionPhase, StreamError } from '../errors.ts'
import { describeFirstOctets } from '../first-octets.ts'
import { KeepalivePinger, PingEnforcement, TOO_MANY_PINGS } from '../keepalive.ts'
import type {
  ConnectionListener,
  Fields,
  Goaway,
  Http2Connection,
  OpenOptions,
  Priority,
  Settings,
  StreamListener,
} from '../transport.ts'
import { BandwidthEstimator } from './bandwidth-estimator.ts'
import { ConnectionContext, type CoreHost, NO_CONNECTION_LISTENER } from './connection-context.ts'
import { type ConnectionFrames, FrameReceiver } from './frame-receiver.ts'
import type { CoreOptions } from './options.ts'
import { PingExchange, PingPurpose, type PingResult } from './ping-exchange.ts'
import { DEFAULT_URGENCY, formatPriority } from './priority.ts'
import { SettingsExchange } from './settings-exchange.ts'
import { PureStream, type StreamCommands } from './stream.ts'
import { StreamSender } from './stream-sender.ts'
import { canSend, isClosed, StreamState } from './stream-state.ts'
import { asConnectionError, calm, connectionViolation } from './violation.ts'

/** What a connection of the `pure` engine tells beyond the seam. */
export interface PureConnectionListener extends ConnectionListener {
  /**
   * Client only, with `enablePush`: the server promises a response to `request` (RFC 9113 §8.4). Without a
   * listener in return the push is refused.
   */
  onPush?(stream: PureStream, request: Fields): StreamListener | undefined
}

const MAX_DEBUG_CHARACTERS = 1024
/** Streams a client opens before it has the peer's SETTINGS: the least that RFC 9113 §6.5.2 recommends. */
const INITIAL_MAX_CONCURRENT_STREAMS = 100
/** Time for the round trip of a graceful shutdown (RFC 9113 §6.8), in milliseconds. */
const SHUTDOWN_ROUND_TRIP_MS = 1000
const FRAME_HEADER_OCTETS = 9

const HTTP_1_ANSWER =
  'HTTP/1.1 505 HTTP Version Not Supported\r\ncontent-type: text/plain\r\ncontent-length: 47\r\n' +
  'connection: close\r\n\r\nThis port speaks HTTP/2 (with prior knowledge).'

/** The sans-IO connection of either role. */
export class ConnectionCore implements StreamCommands, ConnectionFrames {
  readonly context: ConnectionContext
  readonly settings: SettingsExchange
  state: 'connecting' | 'open' | 'draining' | 'closed' = 'connecting'
  /** How far it is; the shell sets it until the socket is ready. */
  phase: ConnectionPhase = 'connect'
  /** Address of the peer, for texts. */
  address = 'the peer'
  /** Why it ended; undefined while it lives and after an end in order. */
  failure: ConnectionError | undefined = undefined
  lastAcceptedStreamId = MAX_31_BIT
  readonly #sender: StreamSender
  readonly #receiver: FrameReceiver
  readonly #decoder: FrameDecoder
  readonly #pings = new PingExchange()
  readonly #keepalive: KeepalivePinger
  readonly #enforcement: PingEnforcement | undefined
  readonly #age: ConnectionAge | undefined
  readonly #bandwidth: BandwidthEstimator
  #goaway: Goaway | undefined = undefined
  /** The end is in order: our close, or the peer's GOAWAY with NO_ERROR. */
  #orderly = false
  #closing = false
  #closeTold = false
  #framesSentSeen = 0
  #waitingPings: PingResult[] = []
  #lateResults: PingResult[] = []
  // Octets before the first frame.
  #prefaceOctets = 0
  readonly #first = new Uint8Array(CONNECTION_PREFACE.length)
  // Deadlines in milliseconds, Infinity while not set.
  readonly #handshakeDeadlineMs: number
  #shutdownDeadlineMs = Number.POSITIVE_INFINITY

  /**
   * @param random a number from 0 to 1, for the spread of the maximum age
   */
  constructor(
    role: 'client' | 'server',
    options: CoreOptions,
    host: CoreHost,
    nowMs: number,
    random: number = Math.random(),
  ) {
    this.context = new ConnectionContext(role, options, host, nowMs)
    this.#sender = new StreamSender(this.context)
    this.settings = new SettingsExchange(this.context, this.#sender)
    this.#receiver = new FrameReceiver(this.context, this.#sender, this.settings, this, this)
    this.#decoder = new FrameDecoder(this.#receiver, { maxFrameSize: options.maxFrameSizeOctets })
    this.#receiver.decoder = this.#decoder
    this.#keepalive = new KeepalivePinger(options.keepalive, nowMs)
    const server = role === 'server'
    this.#enforcement =
      server && options.pingEnforcement ? new PingEnforcement(options.pingEnforcement) : undefined
    this.#age = server && options.age ? new ConnectionAge(options.age, nowMs, random) : undefined
    this.#bandwidth = new BandwidthEstimator(options.streamWindowOctets, options.maxWindowOctets)
    this.#handshakeDeadlineMs =
      options.handshakeTimeoutMs > 0 ? nowMs + options.handshakeTimeoutMs : Number.POSITIVE_INFINITY
  }

  get connection(): Http2Connection {
    return this.context.connection
  }

  /** True once nothing more will be sent: the shell sends the output and closes the socket. */
  get finished(): boolean {
    return this.context.ended
  }

  // ---- input ----

  /** The socket is ready: a client's preface and SETTINGS go out. A server's wait for the client's preface. */
  start(nowMs: number): void {
    this.context.nowMs = nowMs
    this.phase = 'settings'
    if (this.context.ended || this.context.role === 'server') return
    this.context.wake()
    this.context.output.writer.octets(CONNECTION_PREFACE)
    this.settings.send()
    this.context.peerMaxConcurrentStreams = INITIAL_MAX_CONCURRENT_STREAMS
  }

  /** Octets `start` to `end` of `chunk` arrived. They must not change any more. */
  receive(chunk: Uint8Array, nowMs: number, start = 0, end: number = chunk.length): void {
    const { context } = this
    context.nowMs = nowMs
    if (context.ended) return
    // The caller's turn follows: no need to ask for one.
    context.awake = true
    this.#keepalive.onRead(nowMs)
    try {
      if (this.settings.remoteArrived) this.#decoder.push(chunk, start, end)
      else this.#receiveFirst(chunk, start, end)
    } catch (error) {
      this.fail(this.#located(asConnectionError(error)))
    }
  }

  /** The peer closed its side of the socket in order. */
  receiveEnd(nowMs: number): void {
    this.context.nowMs = nowMs
    if (this.context.ended) return
    this.#lost('the peer closed it', undefined)
  }

  /**
   * The socket is gone; {@link ConnectionCore.tellEnd} follows.
   *
   * @param cause the socket's error, if it had one
   */
  socketClosed(nowMs: number, cause?: Error): void {
    this.context.nowMs = nowMs
    if (this.context.ended) return
    const { code } = (cause ?? {}) as NodeJS.ErrnoException
    const reset = code === 'ECONNRESET' || code === 'EPIPE'
    const words = reset ? 'the peer reset the connection' : (cause?.message ?? 'the peer closed it')
    this.#lost(words, cause)
  }

  /** Tells every stream and ping that has not heard it, and once the listener, that the connection is gone. */
  tellEnd(): void {
    const { context } = this
    context.awake = true
    context.tell()
    this.#tellLate()
    this.#pings.fail(this.#pingError())
    if (!this.#closeTold) {
      this.#closeTold = true
      const { listener } = context
      context.listener = NO_CONNECTION_LISTENER
      this.#tell(() => listener.onClose(this.failure))
    }
    context.awake = false
  }

  /** When {@link ConnectionCore.handleTimeout} is due, Infinity for never. */
  nextTimeoutMs(): number {
    const { context } = this
    if (context.ended) return Number.POSITIVE_INFINITY
    const openStreams = context.localOpen + context.peerOpen
    let at = this.settings.remoteArrived ? Number.POSITIVE_INFINITY : this.#handshakeDeadlineMs
    at = Math.min(
      at,
      this.settings.ackDeadlineMs,
      this.#receiver.assembly.deadlineMs,
      this.#shutdownDeadlineMs,
    )
    at = Math.min(at, context.stallCheckMs)
    if (this.settings.remoteArrived) at = Math.min(at, this.#keepalive.nextMs(openStreams))
    if (this.#age !== undefined) at = Math.min(at, this.#age.nextMs(openStreams))
    return at
  }

  /** Does what is due. Harmless when nothing is. */
  handleTimeout(nowMs: number): void {
    const { context, settings } = this
    context.nowMs = nowMs
    if (context.ended || nowMs < this.nextTimeoutMs()) return
    context.awake = true
    if (!settings.remoteArrived && nowMs >= this.#handshakeDeadlineMs) {
      this.#handshakeExpired()
    } else if (nowMs >= settings.ackDeadlineMs) {
      this.#expired(
        ErrorCode.SETTINGS_TIMEOUT,
        'RFC 9113 §6.5.3',
        `our SETTINGS were not acknowledged within ${context.options.settingsTimeoutMs} ms`,
      )
    } else if (nowMs >= this.#receiver.assembly.deadlineMs) {
      this.#expired(
        ErrorCode.ENHANCE_YOUR_CALM,
        'RFC 9113 §10.5',
        `a field block was not complete within ${context.options.fieldBlockTimeoutMs} ms`,
      )
    } else {
      if (nowMs >= this.#shutdownDeadlineMs) this.#finalGoaway()
      if (nowMs >= context.stallCheckMs) this.#endStalled()
      this.#pollKeepalive()
      this.#pollAge()
    }
  }

  // ---- output ----

  /** Sends what can go, and tells what is owed. */
  turn(): void {
    const { context } = this
    context.awake = true
    do {
      this.#sender.startWaiting()
      this.#sender.pump()
      context.tell()
    } while (context.drained.length > 0 || context.closing.length > 0)
    if (context.bandwidthSampleDue) this.#sampleBandwidth()
    if (this.#lateResults.length > 0) this.#tellLate()
    if (!context.ended) this.#finishIfDone()
    context.awake = false
  }

  /**
   * Everything that is to be sent, as parts one after the other. {@link ConnectionCore.outputTaken} follows before
   * anything else.
   */
  takeOutput(): Uint8Array[] {
    return this.context.output.take()
  }

  /** @param reusable true if the parts are no longer needed, so that their buffer can be written to again */
  outputTaken(reusable: boolean): void {
    this.context.output.release(reusable)
    this.context.onOutputTaken()
  }

  /** True if there are octets to send. */
  get hasOutput(): boolean {
    return this.context.output.sizeOctets > 0
  }

  /** True if DATA waits for room in the output and not for the peer's credit. */
  get hasMore(): boolean {
    const { sendQueue, sendWindow } = this.context
    return !sendQueue.isEmpty && sendWindow.sizeOctets > 0
  }

  // ---- commands of the connection ----

  /** The seam's `open`. */
  open(listener: StreamListener, options?: OpenOptions): PureStream {
    const { context } = this
    if (context.role === 'server') throw new Error('open is for clients: a server opens no streams')
    const stream = new PureStream(this, listener, 0, 0, context.streamWindowTarget)
    const priority = options?.priority
    if (priority !== undefined) {
      stream.priorityField = formatPriority(priority)
      stream.urgency = priority.urgency ?? DEFAULT_URGENCY
      stream.sequential = priority.incremental !== true
    }
    if (this.state === 'draining' || this.state === 'closed') {
      context.closeStream(stream, StreamState.closedByOurReset, this.#unprocessed())
    } else if (context.nextLocalStreamId > MAX_31_BIT) {
      // RFC 9113 §5.1.1: identifiers are used once; a new connection starts again.
      this.close()
      context.closeStream(
        stream,
        StreamState.closedByOurReset,
        this.#unprocessed('all stream identifiers are used'),
      )
    }
    return stream
  }

  /** The seam's `ping`. */
  ping(onResult: PingResult): void {
    const { context } = this
    if (context.ended) {
      this.#lateResults.push(onResult)
      context.wake()
    } else if (this.settings.remoteArrived) {
      context.wake()
      this.#pings.send(context.output.writer, PingPurpose.caller, context.nowMs, onResult)
    } else {
      this.#waitingPings.push(onResult)
    }
  }

  /** The seam's `close`: a server announces the end first (RFC 9113 §6.8). */
  close(): void {
    const { context } = this
    if (context.ended || this.#closing) return
    this.#closing = true
    this.#orderly = true
    if (this.state === 'connecting') {
      this.destroy()
      return
    }
    this.state = 'draining'
    this.#dropWaiting()
    context.wake()
    const { writer } = context.output
    if (context.role === 'client') {
      writeGoaway(writer, context.highestPeerStreamId, ErrorCode.NO_ERROR)
      return
    }
    writeGoaway(writer, MAX_31_BIT, ErrorCode.NO_ERROR)
    this.#pings.send(writer, PingPurpose.shutdown, context.nowMs)
    this.#shutdownDeadlineMs = context.nowMs + SHUTDOWN_ROUND_TRIP_MS
  }

  /** The seam's `destroy`. */
  destroy(code: number = ErrorCode.NO_ERROR, reason = ''): void {
    if (this.context.ended) return
    this.#orderly = true
    const words = `we ended it with ${errorCodeName(code)}${reason === '' ? '' : `: ${reason}`}`
    const error = this.error(words, { code, initiator: 'local' })
    this.#end(code === ErrorCode.NO_ERROR ? undefined : error, error, code, reason)
  }

  /** Ends the connection because of an error: GOAWAY with its code and reason (RFC 9113 §5.4.1). */
  fail(error: ConnectionError): void {
    if (this.context.ended) return
    this.#end(error, error, error.code ?? ErrorCode.NO_ERROR, error.debugData ?? error.message)
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

  // ---- commands of streams ----

  sendHeaders(stream: PureStream, fields: Fields, endStream: boolean): void {
    const { context } = this
    const first = context.localOpen === 0
    this.#sender.sendHeaders(stream, withPriority(stream, fields), endStream)
    if (first && context.localOpen === 1) this.#keepalive.onFirstStream(context.nowMs)
  }

  sendInformational(stream: PureStream, fields: Fields): void {
    this.#sender.sendInformational(stream, fields)
  }

  sendData(stream: PureStream, octets: Uint8Array, endStream: boolean): boolean {
    return this.#sender.sendData(stream, octets, endStream)
  }

  sendTrailers(stream: PureStream, fields: Fields): void {
    this.#sender.sendTrailers(stream, fields)
  }

  push(stream: PureStream, request: Fields, listener: StreamListener): PureStream {
    const { context } = this
    if (context.role === 'client') throw new Error('push is for servers')
    if (!canSend(stream.state)) throw new Error('push was called on a stream that has ended')
    if (!context.peerAllowsPush || context.localOpen >= context.peerMaxConcurrentStreams) {
      throw new Error(
        'The client takes no pushes now (SETTINGS_ENABLE_PUSH, SETTINGS_MAX_CONCURRENT_STREAMS)',
      )
    }
    const pushed = new PureStream(this, listener, context.peerInitialWindow, 0, 0)
    pushed.id = context.nextLocalStreamId
    pushed.state = StreamState.reservedLocal
    pushed.headersReceived = true
    context.nextLocalStreamId += 2
    context.wake()
    const { writer } = context.output
    const start = beginPushPromise(writer, stream.id, pushed.id)
    context.encoder.encode(request, writer)
    endFieldBlock(writer, start, context.peerMaxFrameSize)
    context.register(pushed)
    return pushed
  }

  prioritize(stream: PureStream, priority: Priority): void {
    const { context } = this
    const field = formatPriority(priority)
    this.#sender.schedule(stream, priority.urgency ?? DEFAULT_URGENCY, priority.incremental !== true)
    if (context.role === 'server' || isClosed(stream.state)) return
    if (stream.id === 0) {
      stream.priorityField = field
      return
    }
    context.wake()
    writePriorityUpdate(context.output.writer, stream.id, field)
  }

  reset(stream: PureStream, code: number): void {
    this.#sender.reset(stream, code)
  }

  consume(stream: PureStream, sizeOctets: number): void {
    this.#sender.consume(stream, sizeOctets)
  }

  // ---- what the receiver tells ----

  onFirstSettings(): void {
    this.phase = 'open'
    if (this.state === 'connecting') this.state = 'open'
    const { listener } = this.context
    this.#tell(() => listener.onOpen())
    const waiting = this.#waitingPings
    this.#waitingPings = []
    for (const onResult of waiting) this.ping(onResult)
  }

  onSettingsChanged(): void {
    const { listener } = this.context
    if (listener.onSettings === undefined) return
    const settings: Settings = { ...this.settings.remote }
    this.#tell(() => listener.onSettings?.(settings))
  }

  onPing(ack: boolean, chunk: Uint8Array, start: number): void {
    const { context } = this
    if (!ack) {
      this.#checkPing()
      context.wake()
      this.#pings.answer(context.output.writer, chunk, start)
      return
    }
    const purpose = this.#pings.onAck(chunk, start, context.nowMs)
    if (purpose === PingPurpose.bandwidth) {
      if (!this.#bandwidth.finish(context.nowMs)) return
      const { estimateOctets, limitOctets } = this.#bandwidth
      context.streamWindowTarget = Math.max(context.streamWindowTarget, estimateOctets)
      context.receiveWindow.grow(Math.min(estimateOctets * 2, limitOctets))
    } else if (purpose === PingPurpose.shutdown && this.#shutdownDeadlineMs !== Number.POSITIVE_INFINITY) {
      this.#finalGoaway()
    }
  }

  onGoaway(lastStreamId: number, code: number, chunk: Uint8Array, start: number, end: number): void {
    const { context } = this
    const earlier = this.#goaway
    const debugData = Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start)
      .toString('utf8')
      .slice(0, MAX_DEBUG_CHARACTERS)
    // RFC 9113 §6.8: the identifier must not grow. Some send a second frame on their way out that says less than the
    // first: what was said once holds.
    if (earlier !== undefined && earlier.code === code && lastStreamId >= earlier.lastStreamId) return
    const last = Math.min(lastStreamId, earlier?.lastStreamId ?? lastStreamId)
    const goaway: Goaway = { lastStreamId: last, code, debugData }
    this.#goaway = goaway
    if (this.state !== 'connecting') this.state = 'draining'
    if (code === ErrorCode.NO_ERROR) {
      this.#orderly = true
    } else {
      this.failure = this.error(`the peer sent GOAWAY ${errorCodeName(code)}${colon(debugData)}`, {
        code,
        initiator: 'peer',
        debugData,
        section: 'RFC 9113 §6.8',
      })
    }
    const { listener } = context
    this.#tell(() => listener.onGoaway(goaway))
    this.#dropWaiting()
    const error = this.#unprocessed()
    for (const stream of [...context.streams.values()]) {
      if (context.isLocal(stream.id) && stream.id > last) {
        context.closeStream(stream, StreamState.closedByOurReset, error)
      }
    }
  }

  onDataOctets(sizeOctets: number): void {
    this.#bandwidth.count(sizeOctets)
  }

  onPushedRequest(stream: PureStream, request: readonly string[]): StreamListener | undefined {
    const listener = this.context.listener as PureConnectionListener
    try {
      return listener.onPush?.(stream, request)
    } catch {
      return undefined
    }
  }

  // ---- before the first frame ----

  /** The first octets: a client's preface, and whether this is HTTP/2 at all (RFC 9113 §3.4). */
  #receiveFirst(chunk: Uint8Array, start: number, end: number): void {
    const { context } = this
    const expected = context.role === 'server' ? CONNECTION_PREFACE.length : FRAME_HEADER_OCTETS
    let at = start
    if (this.#prefaceOctets < expected) {
      while (at < end && this.#prefaceOctets < expected) this.#first[this.#prefaceOctets++] = chunk[at++]!
      if (context.role === 'server') this.#checkPreface(chunk, start, end)
      else if (!this.#checkFirstFrame(chunk, start, end)) return
      if (context.ended || this.#prefaceOctets < expected) return
      if (context.role === 'server') this.settings.send()
      else this.#decoder.push(this.#first.slice(0, expected))
    }
    this.#decoder.push(chunk, at, end)
  }

  #checkPreface(chunk: Uint8Array, start: number, end: number): void {
    for (let index = 0; index < this.#prefaceOctets; index++) {
      if (this.#first[index] !== CONNECTION_PREFACE[index]) {
        const octets = this.#firstOctets(chunk, start, end)
        const words = describeFirstOctets(octets, 'server') ?? 'the connection preface is wrong'
        const error = this.error(words, { initiator: 'peer', section: 'RFC 9113 §3.4' })
        if (words.includes('HTTP/1.1 request')) {
          this.context.wake()
          this.context.output.writer.text(HTTP_1_ANSWER)
          this.#end(error, error, undefined, '')
        } else {
          this.#end(error, error, ErrorCode.PROTOCOL_ERROR, words)
        }
        return
      }
    }
  }

  /** Client: the server's preface is a SETTINGS frame. @returns false if more octets are needed */
  #checkFirstFrame(chunk: Uint8Array, start: number, end: number): boolean {
    const octets = this.#firstOctets(chunk, start, end)
    if (octets.length < FRAME_HEADER_OCTETS) return false
    const words = describeFirstOctets(octets, 'client')
    if (words === undefined) return true
    const error = this.error(words, { initiator: 'peer', section: 'RFC 9113 §3.4' })
    this.#end(error, error, undefined, '')
    return false
  }

  /** The first octets, those of this chunk that were not needed included. */
  #firstOctets(chunk: Uint8Array, start: number, end: number): Uint8Array {
    if (this.#prefaceOctets <= end - start) return chunk.subarray(start, end)
    return this.#first.subarray(0, this.#prefaceOctets)
  }

  // ---- time ----

  #handshakeExpired(): void {
    const what = {
      connect: 'no TCP connection',
      tls: 'no finished TLS handshake',
      settings: this.context.role === 'client' ? 'no SETTINGS' : 'no connection preface',
      open: '',
    }[this.phase]
    const silent = this.phase === 'settings' ? '; the peer stays silent' : ''
    const words = `${what} within ${this.context.options.handshakeTimeoutMs} ms${silent}`
    const error = this.error(words, { code: ErrorCode.SETTINGS_TIMEOUT, initiator: 'local' })
    this.#end(error, error, this.phase === 'settings' ? ErrorCode.SETTINGS_TIMEOUT : undefined, words)
  }

  #expired(code: number, section: string, reason: string): void {
    this.fail(this.#located(connectionViolation(code, section, reason)))
  }

  #pollKeepalive(): void {
    const { context } = this
    if (context.ended || !this.settings.remoteArrived) return
    const action = this.#keepalive.poll(context.nowMs, context.localOpen + context.peerOpen)
    if (action === 'ping') {
      context.wake()
      this.#pings.send(context.output.writer, PingPurpose.keepalive, context.nowMs)
    } else if (action === 'dead') {
      const { timeoutMs } = this.#keepalive
      const words = `keepalive: no answer to PING within ${timeoutMs} ms`
      this.fail(this.error(words, { code: ErrorCode.NO_ERROR, initiator: 'local', section: 'gRFC A8' }))
    }
  }

  #pollAge(): void {
    const { context } = this
    if (context.ended || this.#age === undefined) return
    const action = this.#age.poll(context.nowMs, context.localOpen + context.peerOpen)
    if (action === 'end') this.destroy(ErrorCode.NO_ERROR, 'max_age grace is over')
    else if (action !== 'none') this.close()
  }

  /** The peer's pings, against flood and against gRPC's rules. */
  #checkPing(): void {
    const { context } = this
    const abuse = context.limits.onPing(context.nowMs)
    if (abuse !== undefined) throw calm(abuse)
    const enforcement = this.#enforcement
    if (enforcement === undefined) return
    if (context.limits.framesSent !== this.#framesSentSeen) {
      this.#framesSentSeen = context.limits.framesSent
      enforcement.onSend()
    }
    if (!enforcement.onPing(context.nowMs, context.localOpen + context.peerOpen)) return
    throw new ConnectionError(`too many pings, allowed is one in ${enforcement.minIntervalMs} ms (gRFC A9)`, {
      code: ErrorCode.ENHANCE_YOUR_CALM,
      initiator: 'local',
      phase: 'open',
      section: 'gRFC A9',
      debugData: TOO_MANY_PINGS,
    })
  }

  /** Resets streams whose queued DATA has not moved for too long. */
  #endStalled(): void {
    const { context } = this
    const { stallTimeoutMs } = context.options
    let next = Number.POSITIVE_INFINITY
    for (const stream of [...context.streams.values()]) {
      if (stream.queuedOctets === 0) continue
      const dueMs = stream.movedMs + stallTimeoutMs
      if (dueMs > context.nowMs) {
        next = Math.min(next, dueMs)
        continue
      }
      const reason =
        `Stream ${stream.id}: ${stream.queuedOctets} octets of DATA could not be sent for ${stallTimeoutMs} ms, ` +
        `its window is ${stream.sendWindow.sizeOctets} and the connection's ${context.sendWindow.sizeOctets} (limit stallTimeoutMs)`
      const code = ErrorCode.CANCEL
      context.resetStream(stream, new StreamError(reason, { code, streamId: stream.id, initiator: 'local' }))
    }
    context.stallCheckMs = next
  }

  #sampleBandwidth(): void {
    const { context } = this
    context.bandwidthSampleDue = false
    if (context.ended || !this.#bandwidth.wantsSample) return
    this.#bandwidth.start(context.nowMs)
    this.#pings.send(context.output.writer, PingPurpose.bandwidth, context.nowMs)
  }

  // ---- the end ----

  /** The last GOAWAY of a graceful shutdown: what has not been seen by now is not ours (RFC 9113 §6.8). */
  #finalGoaway(): void {
    const { context } = this
    this.#shutdownDeadlineMs = Number.POSITIVE_INFINITY
    this.lastAcceptedStreamId = context.highestPeerStreamId
    context.wake()
    writeGoaway(context.output.writer, context.highestPeerStreamId, ErrorCode.NO_ERROR)
  }

  /** A draining connection ends with its last stream. */
  #finishIfDone(): void {
    const { context } = this
    if (context.idleSinceMs !== context.toldIdleMs) {
      context.toldIdleMs = context.idleSinceMs
      this.#age?.onIdle(context.nowMs)
    }
    if (this.state !== 'draining' || context.openStreams > 0) return
    if (this.#shutdownDeadlineMs !== Number.POSITIVE_INFINITY) return
    // The peer said GOAWAY: answer before closing, so that it knows what was processed.
    if (!this.#closing) writeGoaway(this.#openWriter(), context.highestPeerStreamId, ErrorCode.NO_ERROR)
    this.#stop()
  }

  #openWriter() {
    const { output } = this.context
    output.open()
    return output.writer
  }

  #stop(): void {
    this.context.ended = true
    this.state = 'closed'
    this.#decoder.stop()
    this.context.wake()
  }

  /**
   * @param failure what the connection's listener hears
   * @param streamError what streams hear
   * @param code of the GOAWAY, undefined for none
   */
  #end(
    failure: ConnectionError | undefined,
    streamError: ConnectionError,
    code: number | undefined,
    reason: string,
  ): void {
    const { context } = this
    this.failure ??= failure
    const speaks = this.phase === 'open' || this.phase === 'settings'
    if (code !== undefined && speaks) {
      writeGoaway(
        this.#openWriter(),
        context.highestPeerStreamId,
        code,
        reason.slice(0, MAX_DEBUG_CHARACTERS),
      )
    }
    this.#stop()
    this.#closeAll(streamError)
  }

  /** The socket ended without our doing. */
  #lost(reason: string, cause: Error | undefined): void {
    const before =
      this.phase === 'settings'
        ? ` before ${this.context.role === 'client' ? 'sending SETTINGS' : 'sending a connection preface'}`
        : ''
    const words = `${reason === 'the peer closed it' ? (before ? 'the peer closed the connection' : reason) : reason}${before}`
    const error = this.error(words, { initiator: 'peer', ...(cause === undefined ? {} : { cause }) })
    if (!this.#orderly || this.phase !== 'open') this.failure ??= error
    const streamError = this.failure ?? error
    this.#stop()
    this.#closeAll(streamError)
  }

  #closeAll(error: ConnectionError): void {
    const { context } = this
    for (const stream of [...context.streams.values()]) {
      context.closeStream(stream, StreamState.closedByOurReset, error)
    }
    const unprocessed = context.waiting.length > 0 ? asUnprocessed(error) : error
    for (const stream of context.waiting.splice(0)) {
      context.closeStream(stream, StreamState.closedByOurReset, unprocessed)
    }
    this.#lateResults.push(...this.#waitingPings)
    this.#waitingPings = []
  }

  /** Streams that have not been opened never will. */
  #dropWaiting(): void {
    const { context } = this
    if (context.waiting.length === 0) return
    const error = this.#unprocessed()
    for (const stream of context.waiting.splice(0)) {
      context.closeStream(stream, StreamState.closedByOurReset, error)
    }
  }

  #unprocessed(reason?: string): ConnectionError {
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

  #pingError(): ConnectionError {
    return this.failure ?? this.error('it was closed', { initiator: 'local' })
  }

  #tellLate(): void {
    const results = this.#lateResults
    this.#lateResults = []
    for (const onResult of results) this.#tell(() => onResult(this.#pingError(), 0))
  }

  /** Adds phase and address to an error from inside. */
  #located(error: ConnectionError): ConnectionError {
    const { code, initiator, section, cause, debugData } = error
    return this.error(error.message, {
      initiator,
      debugData: debugData ?? error.message,
      ...(code === undefined ? {} : { code }),
      ...(section === undefined ? {} : { section }),
      ...(cause === undefined ? {} : { cause }),
    })
  }

  /** A connection listener that throws ends nothing but its own call. */
  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      process.emitWarning(`A listener of an HTTP/2 connection threw: ${String(error)}`, 'GrpcGlassWarning')
    }
  }
}

function colon(text: string): string {
  return text === '' ? '' : `: ${text}`
}

function withPriority(stream: PureStream, fields: Fields): Fields {
  return stream.priorityField === '' ? fields : [...fields, 'priority', stream.priorityField]
}

function asUnprocessed(error: ConnectionError): ConnectionError {
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
