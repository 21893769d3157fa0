/**
 * A whole HTTP/2 connection without a socket, a clock or a timer (RFC 9113): octets, commands and the current
 * time go in; octets, events and the time of the next wake-up come out.
 *
 * ```
 *   receive(octets, now) --> FrameDecoder --> FrameReceiver --> listeners
 *   commands of streams  --> StreamSender --> FrameOutput   --> takeOutput()
 *   nextTimeoutMs() ... handleTimeout(now)    ConnectionClock, ConnectionLife
 * ```
 * Whoever holds it (a socket, a pair in memory, a test) calls `receive`, `handleTimeout` and, after each of them
 * and whenever `wake` was called, `turn`; then sends what `takeOutput` gives, and calls `outputTaken`.
 */
import { CONNECTION_PREFACE } from '../../wire/frame/connection-preface.ts'
import { FrameDecoder } from '../../wire/frame/decoder.ts'
import { MAX_31_BIT } from '../../wire/frame/types.ts'
import type { ConnectionListener, Fields, OpenOptions, Settings, StreamListener } from '../transport.ts'
import { ConnectionClock } from './connection-clock.ts'
import { ConnectionContext, type CoreHost, NO_CONNECTION_LISTENER } from './connection-context.ts'
import { ConnectionLife } from './connection-life.ts'
import { type ConnectionFrames, FrameReceiver } from './frame-receiver.ts'
import type { CoreOptions } from './options.ts'
import { PingExchange, PingPurpose, type PingResult } from './ping-exchange.ts'
import { PrefaceReader } from './preface-reader.ts'
import { DEFAULT_URGENCY, formatPriority } from './priority.ts'
import { SettingsExchange } from './settings-exchange.ts'
import { PureStream } from './stream.ts'
import { StreamSender } from './stream-sender.ts'
import { StreamState } from './stream-state.ts'
import { asConnectionError } from './violation.ts'

/** What a connection of the `pure` engine tells beyond the seam. */
export interface PureConnectionListener extends ConnectionListener {
  /**
   * Client only, with `enablePush`: the server promises a response to `request` (RFC 9113 §8.4). Without a
   * listener in return the push is refused.
   */
  onPush?(stream: PureStream, request: Fields): StreamListener | undefined
}

/** Streams a client opens before it has the peer's SETTINGS: the least that RFC 9113 §6.5.2 recommends. */
const INITIAL_MAX_CONCURRENT_STREAMS = 100

/** The sans-IO connection of either role. */
export class ConnectionCore implements ConnectionFrames {
  readonly context: ConnectionContext
  readonly life: ConnectionLife
  readonly settings: SettingsExchange
  readonly #sender: StreamSender
  readonly #receiver: FrameReceiver
  readonly #decoder: FrameDecoder
  readonly #pings: PingExchange
  readonly #preface: PrefaceReader
  readonly #clock: ConnectionClock
  #closeTold = false

  /** @param random a number from 0 to 1, for the spread of the maximum age */
  constructor(
    role: 'client' | 'server',
    options: CoreOptions,
    host: CoreHost,
    nowMs: number,
    random: number = Math.random(),
  ) {
    const context = new ConnectionContext(role, options, host, nowMs)
    this.context = context
    this.#sender = new StreamSender(context)
    this.settings = new SettingsExchange(context, this.#sender)
    this.#pings = new PingExchange(context)
    this.life = new ConnectionLife(context, this.#pings, () => this.#decoder.stop())
    this.#receiver = new FrameReceiver(context, this.#sender, this.settings, this)
    this.#decoder = new FrameDecoder(this.#receiver, { maxFrameSize: options.maxFrameSizeOctets })
    this.#receiver.decoder = this.#decoder
    this.#preface = new PrefaceReader(role)
    this.#clock = new ConnectionClock(context, this.settings, this.#receiver.assembly, this.life, random)
  }

  /** True once nothing more will be said: the shell sends the output and closes the socket. */
  get finished(): boolean {
    return this.context.ended
  }

  // ---- input ----

  /** The socket is ready: a client's preface and SETTINGS go out. A server's wait for the client's preface. */
  start(nowMs: number): void {
    const { context } = this
    context.nowMs = nowMs
    this.life.phase = 'settings'
    if (context.ended || context.role === 'server') return
    context.wake()
    context.output.writer.octets(CONNECTION_PREFACE)
    this.settings.send()
    context.peerMaxConcurrentStreams = INITIAL_MAX_CONCURRENT_STREAMS
  }

  /** Octets `start` to `end` of `chunk` arrived. They must not change any more. */
  receive(chunk: Uint8Array, nowMs: number, start = 0, end: number = chunk.length): void {
    const { context } = this
    context.nowMs = nowMs
    if (context.ended) return
    // The caller's turn follows: no need to ask for one.
    context.awake = true
    context.keepalive.onRead(nowMs)
    try {
      if (this.settings.remoteArrived) this.#decoder.push(chunk, start, end)
      else this.#receiveFirst(chunk, start, end)
    } catch (error) {
      this.life.failLocated(asConnectionError(error))
    }
  }

  /** The peer closed its side of the socket in order. */
  receiveEnd(nowMs: number): void {
    this.context.nowMs = nowMs
    this.life.lost('the peer closed the connection', undefined)
  }

  /**
   * The socket is gone; {@link ConnectionCore.tellEnd} follows.
   *
   * @param cause the socket's error, if it had one
   */
  socketClosed(nowMs: number, cause?: Error): void {
    this.context.nowMs = nowMs
    const { code } = (cause ?? {}) as NodeJS.ErrnoException
    const reset = code === 'ECONNRESET' || code === 'EPIPE'
    const words = reset ? 'the peer reset the connection' : cause?.message
    this.life.lost(words ?? 'the peer closed the connection', cause)
  }

  /** Tells every stream and ping that has not heard it, and once the listener, that the connection is gone. */
  tellEnd(): void {
    const { context, life } = this
    context.awake = true
    context.tell()
    this.#pings.fail(life.unprocessed())
    if (!this.#closeTold) {
      this.#closeTold = true
      const { listener } = context
      context.listener = NO_CONNECTION_LISTENER
      tell(() => listener.onClose(life.failure))
    }
    context.awake = false
  }

  /** When {@link ConnectionCore.handleTimeout} is due, Infinity for never. */
  nextTimeoutMs(): number {
    return this.#clock.nextMs()
  }

  /** Does what is due. Harmless when nothing is. */
  handleTimeout(nowMs: number): void {
    this.context.nowMs = nowMs
    if (this.context.ended) return
    this.context.awake = true
    this.#clock.run()
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
    if (context.bandwidthSampleDue) this.#pings.sampleBandwidth()
    if (context.becameIdle) {
      context.becameIdle = false
      this.#clock.onIdle()
    }
    this.life.finishIfDone()
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

  // ---- commands of the connection; the others are in `life` ----

  /** The seam's `open`. */
  open(listener: StreamListener, options?: OpenOptions): PureStream {
    const { context, life } = this
    if (context.role === 'server') throw new Error('open is for clients: a server opens no streams')
    const stream = new PureStream(this.#sender, listener, 0, 0, context.streamWindowTarget)
    const priority = options?.priority
    if (priority !== undefined) {
      stream.priorityField = formatPriority(priority)
      stream.urgency = priority.urgency ?? DEFAULT_URGENCY
      stream.sequential = priority.incremental !== true
    }
    // RFC 9113 §5.1.1: identifiers are used once; a new connection starts again.
    const usedUp = context.nextLocalStreamId > MAX_31_BIT
    if (usedUp) life.close()
    if (life.state === 'draining' || life.state === 'closed') {
      const error = life.unprocessed(usedUp ? 'all stream identifiers are used' : undefined)
      context.closeStream(stream, StreamState.closedByOurReset, error)
    } else {
      context.pending.add(stream)
    }
    return stream
  }

  /** The seam's `ping`. */
  ping(onResult: PingResult): void {
    this.#pings.measure(this.settings.remoteArrived, onResult)
  }

  // ---- what the receiver tells ----

  get lastAcceptedStreamId(): number {
    return this.life.lastAcceptedStreamId
  }

  onFirstSettings(): void {
    const { life } = this
    life.phase = 'open'
    if (life.state === 'connecting') life.state = 'open'
    const { listener } = this.context
    tell(() => listener.onOpen())
    this.#pings.onOpen()
  }

  onSettingsChanged(): void {
    const { listener } = this.context
    if (listener.onSettings === undefined) return
    const settings: Settings = { ...this.settings.remote }
    tell(() => listener.onSettings?.(settings))
  }

  onPing(ack: boolean, chunk: Uint8Array, start: number): void {
    if (this.#pings.onPing(ack, chunk, start) === PingPurpose.shutdown) this.life.onShutdownRoundTrip()
  }

  onGoaway(lastStreamId: number, code: number, chunk: Uint8Array, start: number, end: number): void {
    const debugData = Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start).toString('utf8')
    const goaway = this.life.onGoaway(lastStreamId, code, debugData)
    if (goaway === undefined) return
    const { listener } = this.context
    tell(() => listener.onGoaway(goaway))
    this.life.endUnprocessed(goaway)
  }

  onDataOctets(sizeOctets: number): void {
    this.#pings.bandwidth.count(sizeOctets)
  }

  onPushedRequest(stream: PureStream, request: Fields): StreamListener | undefined {
    const listener = this.context.listener as PureConnectionListener
    try {
      return listener.onPush?.(stream, request)
    } catch {
      return undefined
    }
  }

  /** The octets before the first frame (RFC 9113 §3.4). */
  #receiveFirst(chunk: Uint8Array, start: number, end: number): void {
    const preface = this.#preface
    let at = start
    if (!preface.complete) {
      at = preface.read(chunk, start, end)
      if (preface.words !== undefined) {
        this.life.refusePreface(preface.words, preface.isHttp1Request)
        return
      }
      if (!preface.complete) return
      if (preface.role === 'server') this.settings.send()
      else this.#decoder.push(preface.takeFrameHeader())
    }
    this.#decoder.push(chunk, at, end)
  }
}

/** A connection listener that throws ends nothing but its own call. */
function tell(call: () => void): void {
  try {
    call()
  } catch (error) {
    process.emitWarning(`A listener of an HTTP/2 connection threw: ${String(error)}`, 'GrpcGlassWarning')
  }
}
