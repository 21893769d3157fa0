/**
 * One stream of the `node` engine: the seam's {@link Http2Stream} over Node's own stream object.
 *
 * Node's stream is a Duplex; here it gets one set of listeners shared by all streams (found again by a symbol),
 * and is spoken to directly. What the caller sends before the session exists, or while the peer's limit of
 * streams is reached, is kept and replayed when the stream starts.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { Readable } from 'node:stream'
import { ErrorCode, errorCodeName } from '../../wire/frame/error-codes.ts'
import { type ConnectionError, StreamError } from '../errors.ts'
import type { Member } from '../member-list.ts'
import type { Fields, Http2Connection, Http2Stream, StreamListener } from '../transport.ts'
import { toHeaders } from './fields.ts'

/** Either of Node's stream classes, with our stream on it. */
type NativeStream = (ClientHttp2Stream | ServerHttp2Stream) & { [OWNER]: NodeStream }

/** What a stream needs of its connection. */
export interface StreamHost extends Http2Connection {
  /** Octets delivered and not consumed above which the stream is paused. */
  readonly pauseAtOctets: number
  readonly sendBufferOctets: number
  /** Header sections and writes of DATA handed to Node so far; gRFC A9 forgives pings after them. */
  framesSent: number
  /** Asks to start a client's stream, now or when its turn comes; `stream.start` is called then. */
  requestStart(stream: NodeStream): void
  /** The stream has told its end. */
  onStreamClosed(stream: NodeStream): void
  /** Node has let go of the stream: it no longer counts against the peer's limit. */
  onStreamReleased(): void
  /** Why the connection ended, as seen by this stream; undefined while it lives. */
  endOf(stream: NodeStream): ConnectionError | undefined
}

const OWNER = Symbol('owner')

const REQUEST = { endStream: false }
const REQUEST_WITH_TRAILERS = { endStream: false, waitForTrailers: true }
const REQUEST_ENDED = { endStream: true }
const RESPONSE = { waitForTrailers: true, sendDate: false }
const RESPONSE_ENDED = { endStream: true, sendDate: false }
const FLAG_END_STREAM = 0x1

/** How far trailers are: Node wants them only after all data has left. */
const TRAILERS_NONE = 0
const TRAILERS_AWAITED = 1
const TRAILERS_SUBMITTED = 2

/**
 * What all streams of a connection together hand to Node ahead of the socket, roughly. nghttp2 takes turns between
 * streams, but Node has it write down at once whatever the windows allow: MiBs, which a small message would wait for.
 */
const WRITE_AHEAD_OCTETS = 262_144
/** The smallest piece: a frame of DATA, as large as every peer takes it (RFC 9113 §4.2). */
const MIN_PIECE_OCTETS = 16_384
/** What goes in one piece all the same: cutting it costs more than others win. */
const UNCUT_OCTETS = 65_536

const NO_OCTETS = Buffer.alloc(0)
const NOTHING_EARLY: Uint8Array[] = []

type StashedCall = { octets: Uint8Array; endStream: boolean } | { trailers: OutgoingHttpHeaders }

/** A stream of either role on node:http2. */
export class NodeStream implements Http2Stream, Member {
  /** Among the streams of its connection; the list's. */
  place = -1
  readonly connection: Http2Connection
  readonly #host: StreamHost
  #listener: StreamListener
  #native: NativeStream | undefined = undefined
  #id = 0
  #headers: OutgoingHttpHeaders | undefined = undefined
  #headersSent = false
  #headersEndStream = false
  #withTrailers: boolean
  #localEnded = false
  #remoteEnded = false
  #endTold = false
  #closed = false
  #muted = false
  #resetCode = -1
  #resetCause: unknown = undefined
  #closeAfterTrailers = false
  #trailersState = TRAILERS_NONE
  #trailersToSend: OutgoingHttpHeaders | undefined = undefined
  #trailersReceived: Fields | undefined = undefined
  #stash: StashedCall[] | undefined = undefined
  #stashedOctets = 0
  #unconsumedOctets = 0
  #paused = false
  /** Octets go through Readable's buffer. */
  #buffered = false
  #headersTold = false
  /** What came before the response headers were told. */
  #early: Uint8Array[] = NOTHING_EARLY
  #drainWanted = false
  /** Node gets what is queued piece by piece. */
  #inPieces = false

  constructor(host: StreamHost, listener: StreamListener, withTrailers: boolean) {
    this.connection = host
    this.#host = host
    this.#listener = listener
    this.#withTrailers = withTrailers
  }

  /** A stream for a request that arrived; `listen` must follow in the same turn. */
  static accepted(host: StreamHost, native: ServerHttp2Stream, endStream: boolean): NodeStream {
    const stream = new NodeStream(host, NO_LISTENER, true)
    stream.#headersTold = true
    stream.#bind(native)
    if (endStream) {
      stream.#remoteEnded = true
      native.readable = false
    } else {
      native.push = pushToOwner
      native.on('end', onEnd)
    }
    return stream
  }

  get id(): number {
    return this.#id
  }

  /** True until `sendHeaders` (or the first response) has handed the stream to Node. */
  get waiting(): boolean {
    return this.#native === undefined
  }

  /** True after `reset`. */
  get isReset(): boolean {
    return this.#resetCode >= 0
  }

  /** Ends a request that nobody took. */
  refuse(cause: unknown): void {
    this.#fail(cause)
  }

  sendHeaders(fields: Fields, endStream: boolean): void {
    if (this.#closed || this.#resetCode >= 0) return
    if (this.#headersSent)
      throw new Error('sendHeaders was called twice on one stream: headers are sent once')
    const server = this.#host.role === 'server'
    const headers = toHeaders(fields, server ? 'response' : 'request')
    this.#headersSent = true
    this.#headersEndStream = endStream
    if (endStream) this.#endLocally()
    if (server) this.#respond(headers, endStream)
    else {
      this.#headers = headers
      this.#host.requestStart(this)
    }
  }

  #respond(headers: OutgoingHttpHeaders, endStream: boolean): void {
    const native = this.#native as ServerHttp2Stream & NativeStream
    if (native.destroyed || native.closed) return
    if (!endStream) this.#trailersState = TRAILERS_AWAITED
    this.#host.framesSent++
    try {
      native.respond(headers, endStream ? RESPONSE_ENDED : RESPONSE)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Hands a waiting client stream to Node. Called by the connection. */
  start(session: ClientHttp2Session): void {
    const headers = this.#headers as OutgoingHttpHeaders
    this.#headers = undefined
    const options = this.#headersEndStream
      ? REQUEST_ENDED
      : this.#withTrailers
        ? REQUEST_WITH_TRAILERS
        : REQUEST
    if (options === REQUEST_WITH_TRAILERS) this.#trailersState = TRAILERS_AWAITED
    let native: ClientHttp2Stream
    try {
      native = session.request(headers, options)
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#bind(native)
    native.push = pushToOwner
    native.on('response', onResponse)
    if (this.#stash !== undefined) this.#replay(this.#stash)
  }

  #replay(stash: StashedCall[]): void {
    const drainWanted = this.#drainWanted
    this.#stash = undefined
    this.#stashedOctets = 0
    for (const call of stash) {
      if ('trailers' in call) this.#endWithTrailers(call.trailers)
      else this.#write(call.octets, call.endStream)
    }
    // a small stash went out at once: nobody will tell later
    if (drainWanted && !(this.#native as NativeStream).writableNeedDrain) setImmediate(tellDrain, this)
  }

  #bind(native: ClientHttp2Stream | ServerHttp2Stream): void {
    const bound = native as NativeStream
    bound[OWNER] = this
    this.#native = bound
    this.#id = native.id ?? 0
    native.on('error', onError)
    native.on('close', onClose)
    native.on('trailers', onTrailers)
    if (this.#trailersState !== TRAILERS_NONE || this.#host.role === 'server') {
      native.on('wantTrailers', onWantTrailers)
    }
  }

  /** Server: who hears the rest of the request; starts its data. */
  listen(listener: StreamListener): void {
    this.#listener = listener
    const native = this.#native as NativeStream
    if (this.#remoteEnded) process.nextTick(tellEnd, this)
    else if (native.readableLength === 0) native.read(0)
    else {
      // octets that came before Node told of the stream
      this.#buffered = true
      native.on('data', onData)
    }
  }

  sendData(octets: Uint8Array, endStream: boolean): boolean {
    if (this.#closed || this.#resetCode >= 0) return true
    if (!this.#headersSent) throw new Error('sendData was called before sendHeaders')
    if (this.#localEnded) throw new Error('sendData was called after the local end of the stream')
    if (endStream) this.#endLocally()
    if (this.#native !== undefined) return this.#write(octets, endStream)
    this.#stash ??= []
    this.#stash.push({ octets, endStream })
    this.#stashedOctets += octets.length
    if (endStream || this.#stashedOctets <= this.#host.sendBufferOctets) return true
    this.#drainWanted = true
    return false
  }

  #write(octets: Uint8Array, endStream: boolean): boolean {
    const native = this.#native as NativeStream
    // Node ends the response itself after HEAD, 204, 205 and 304: there is no body to send
    if (native.writableEnded || native.destroyed) return true
    this.#host.framesSent++
    const rest = this.#writePieces(native, octets)
    if (endStream) {
      if (rest.length === 0) native.end()
      else native.end(rest)
      return true
    }
    if (rest.length === 0) return true
    const queuedOctets = native.writableLength + rest.length
    if (queuedOctets <= this.#host.sendBufferOctets) {
      native.write(rest)
      return true
    }
    this.#drainWanted = true
    // Node tells 'drain' only where its own high-water mark was passed; below, the write's end is the sign
    if (queuedOctets >= native.writableHighWaterMark) {
      native.write(rest)
      if (native.listenerCount('drain') === 0) native.on('drain', onDrain)
    } else native.write(rest, () => this.drained())
    return false
  }

  /**
   * Writes octets that would hold up other streams in pieces, each of which Node takes when the one before has left.
   * Alone on its connection a stream is better off in one piece (docs/performance-notes.md).
   * @returns the last piece
   */
  #writePieces(native: NativeStream, octets: Uint8Array): Uint8Array {
    const streams = this.#host.openStreams
    if (octets.length <= UNCUT_OCTETS || streams === 1) {
      // a message that waits behind pieces must not be joined with them
      if (this.#inPieces && native.writableLength === 0) this.#takePieces(native, false)
      return octets
    }
    const pieceOctets = Math.max(MIN_PIECE_OCTETS, Math.floor(WRITE_AHEAD_OCTETS / streams))
    if (!this.#inPieces) this.#takePieces(native, true)
    let at = 0
    for (; at + pieceOctets < octets.length; at += pieceOctets)
      native.write(octets.subarray(at, at + pieceOctets))
    return octets.subarray(at)
  }

  /** Writable hands all that is queued to `_writev` together, if there is one. */
  #takePieces(native: NativeStream, inPieces: boolean): void {
    this.#inPieces = inPieces
    native._writev = inPieces ? undefined : Object.getPrototypeOf(native)._writev
  }

  sendTrailers(fields: Fields): void {
    if (this.#closed || this.#resetCode >= 0) return
    if (!this.#headersSent) throw new Error('sendTrailers was called before sendHeaders')
    if (this.#localEnded) throw new Error('sendTrailers was called after the local end of the stream')
    if (!this.#withTrailers) {
      throw new Error('sendTrailers on a request wants the option { trailers: true } of connection.open')
    }
    const trailers = toHeaders(fields, 'trailers')
    this.#endLocally()
    if (this.#native !== undefined) this.#endWithTrailers(trailers)
    else {
      this.#stash ??= []
      this.#stash.push({ trailers })
    }
  }

  /**
   * Once both sides have ended Node can't tell any more how the peer's did. What arrived before Node told of the
   * stream went past us, so ask while there is a stream to ask.
   */
  #endLocally(): void {
    this.#localEnded = true
    const native = this.#native
    if (this.#remoteEnded || native === undefined || native.closed) return
    this.#remoteEnded = native.state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE
  }

  #endWithTrailers(trailers: OutgoingHttpHeaders): void {
    this.#trailersToSend = trailers
    const native = this.#native as NativeStream
    if (!native.writableEnded) native.end()
  }

  /** All data has left (Node's `wantTrailers`). */
  submitTrailers(): void {
    this.#trailersState = TRAILERS_SUBMITTED
    this.#host.framesSent++
    const native = this.#native as NativeStream
    try {
      native.sendTrailers(this.#trailersToSend ?? {})
    } catch (error) {
      this.#fail(error)
    }
    // Node submits them in setImmediate; ours comes after
    if (this.#closeAfterTrailers) setImmediate(closeNative, native)
  }

  reset(code: number): void {
    if (this.#closed || this.#resetCode >= 0) return
    const native = this.#native
    if (native === undefined) {
      this.#resetCode = code
      this.#stash = undefined
      setImmediate(finish, this)
      return
    }
    this.#resetCode = code
    if (code === ErrorCode.NO_ERROR && this.#localEnded) {
      this.#muted = true
      if (this.#trailersState === TRAILERS_AWAITED) this.#closeAfterTrailers = true
      // Node writes headers and trailers at the end of the turn, and Node 22 forgets them if the reset comes before
      else setImmediate(closeNative, native)
      native.resume()
      return
    }
    this.abandon()
    native.close(code)
    // a peer that reads nothing must not hold up the end (RST_STREAM leaves when it can)
    setImmediate(finish, this)
  }

  /**
   * Before a reset, or the end of the session: Node ends the writable side first, and would send END_STREAM,
   * so that the other side takes half a request for a whole one.
   */
  abandon(): void {
    const native = this.#native
    if (native !== undefined && !native.writableEnded) native._final = finishWithoutEndStream
  }

  consume(sizeOctets: number): void {
    this.#unconsumedOctets -= sizeOctets
    if (this.#paused && this.#unconsumedOctets <= this.#host.pauseAtOctets >> 1) {
      this.#paused = false
      this.#native?.resume()
    }
  }

  // ---- what Node tells ----

  /**
   * Takes the place of Readable's `push`: octets go to the listener directly, which saves a good part of what a
   * short message costs (bench/micro/node-engine.ts). Once a stream has met back-pressure it goes through
   * Readable's buffer.
   */
  pushed(chunk: Uint8Array | null): boolean {
    const native = this.#native as NativeStream
    // Node pushes null for END_STREAM, and also when it closes the stream for any other reason
    if (chunk === null && !native.closed) this.#remoteEnded = true
    if (this.#buffered) return Readable.prototype.push.call(native, chunk)
    if (chunk !== null) {
      if (this.#headersTold) this.received(chunk)
      else if (this.#early === NOTHING_EARLY) this.#early = [chunk]
      else this.#early.push(chunk)
      return true
    }
    native.readable = false
    // behind the event with the header section, where that one carried END_STREAM
    process.nextTick(this.#remoteEnded ? tellEnd : destroyNative, this)
    return false
  }

  received(chunk: Uint8Array): void {
    if (this.#closed || this.#muted) return
    this.#unconsumedOctets += chunk.length
    try {
      this.#listener.onData(chunk, 0, chunk.length)
    } catch (error) {
      this.#fail(error)
    }
    if (this.#unconsumedOctets < this.#host.pauseAtOctets || this.#paused || this.#muted) return
    this.#paused = true
    const native = this.#native as NativeStream
    native.pause()
    if (!this.#buffered) this.#startBuffering(native)
  }

  #startBuffering(native: NativeStream): void {
    this.#buffered = true
    native.on('data', onData)
    if (this.#host.role === 'client') native.on('end', onEnd)
    // tells Readable that the read it waits for is over: it went past it
    Readable.prototype.push.call(native, NO_OCTETS)
  }

  responded(fields: Fields, endStream: boolean): void {
    if (endStream) this.#remoteEnded = true
    this.#headersTold = true
    if (!this.#closed && !this.#muted) {
      try {
        this.#listener.onHeaders(fields, endStream)
      } catch (error) {
        this.#fail(error)
      }
    }
    // makes Node return credit; what comes is pushed anyway
    if (!endStream) this.#native?.read(0)
    const early = this.#early
    this.#early = NOTHING_EARLY
    for (const chunk of early) this.received(chunk)
  }

  trailersReceived(fields: Fields): void {
    this.#trailersReceived = fields
    this.#remoteEnded = true
  }

  /** Node's `end`: nothing more to read, because of END_STREAM or of a reset with NO_ERROR. */
  ended(): void {
    const native = this.#native as NativeStream
    if (!this.#remoteEnded && (native.aborted || native.closed)) return
    this.tellEnd()
  }

  tellEnd(): void {
    this.#remoteEnded = true
    if (this.#endTold || this.#closed || this.#muted) return
    this.#endTold = true
    try {
      if (this.#trailersReceived !== undefined) this.#listener.onTrailers(this.#trailersReceived)
      if (!this.#closed && this.#resetCode < 0) this.#listener.onEnd()
    } catch (error) {
      this.#fail(error)
    }
  }

  drained(): void {
    if (!this.#drainWanted || this.#closed || this.#localEnded || this.#resetCode >= 0) return
    this.#drainWanted = false
    try {
      this.#listener.onDrain()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Closed without END_STREAM: Node waits for a reader that there is not. */
  destroyNative(): void {
    this.#native?.destroy()
  }

  /** Node's `close`: the stream is gone. */
  released(): void {
    this.#deliverRest()
    this.finish()
    this.#host.onStreamReleased()
  }

  /** A complete response may still lie in Node's buffer when the connection ends: it is delivered. */
  #deliverRest(): void {
    if (!this.#remoteEnded || this.#endTold || this.#closed || this.#muted || this.#resetCode >= 0) return
    if (this.#host.role === 'server') return
    const native = this.#native as NativeStream
    if (this.#buffered)
      for (let chunk = native.read(); chunk !== null; chunk = native.read()) this.received(chunk)
    this.tellEnd()
  }

  /** Tells the end, once. */
  finish(): void {
    if (this.#closed) return
    const error = this.#closeError()
    this.#closed = true
    this.#stash = undefined
    this.#host.onStreamClosed(this)
    const listener = this.#listener
    this.#listener = NO_LISTENER
    try {
      listener.onClose(error)
    } catch {
      // the stream is over: there is nothing left to reset, and nobody else to tell
    }
  }

  #closeError(): StreamError | ConnectionError | undefined {
    if (this.#resetCode >= 0) {
      if (this.#resetCode === ErrorCode.NO_ERROR && this.#localEnded && this.#muted) return undefined
      return new StreamError(`Stream ${this.#id} was reset by us with ${errorCodeName(this.#resetCode)}`, {
        code: this.#resetCode,
        streamId: this.#id,
        initiator: 'local',
        unprocessed: this.#native === undefined,
        cause: this.#resetCause,
      })
    }
    const native = this.#native
    const code = native?.rstCode ?? ErrorCode.NO_ERROR
    // after a complete response RST_STREAM(NO_ERROR) only says that the rest of the request isn't needed (RFC 9113 §8.1)
    const complete = this.#remoteEnded && this.#endTold && (this.#localEnded || this.#host.role === 'client')
    if (native !== undefined && code === ErrorCode.NO_ERROR && complete) return undefined
    const connectionError = this.#host.endOf(this)
    if (connectionError !== undefined) return connectionError
    return new StreamError(`Stream ${this.#id} was reset by the peer with ${errorCodeName(code)}`, {
      code,
      streamId: this.#id,
      initiator: 'peer',
      unprocessed: code === ErrorCode.REFUSED_STREAM,
    })
  }

  /** An exception of the listener or of Node ends the stream, and nothing else. */
  #fail(cause: unknown): void {
    if (this.#closed || this.#resetCode >= 0) return
    this.#resetCause = cause
    this.reset(ErrorCode.INTERNAL_ERROR)
  }
}

const NO_LISTENER: StreamListener = {
  onHeaders() {},
  onData() {},
  onTrailers() {},
  onEnd() {},
  onDrain() {},
  onClose() {},
}

// Listeners shared by all streams: `this` is Node's stream, and the symbol leads to ours.

function onData(this: NativeStream, chunk: Buffer): void {
  this[OWNER].received(chunk)
}

function onResponse(this: NativeStream, _headers: unknown, flags: number, rawHeaders?: string[]): void {
  this[OWNER].responded(rawHeaders ?? [], (flags & FLAG_END_STREAM) !== 0)
}

function onTrailers(this: NativeStream, _headers: unknown, _flags: number, rawHeaders?: string[]): void {
  this[OWNER].trailersReceived(rawHeaders ?? [])
}

function onWantTrailers(this: NativeStream): void {
  this[OWNER].submitTrailers()
}

function onEnd(this: NativeStream): void {
  this[OWNER].ended()
}

function onDrain(this: NativeStream): void {
  this[OWNER].drained()
}

/** The reason is read from `rstCode` and from the connection when `close` comes. */
function onError(): void {}

function onClose(this: NativeStream): void {
  this[OWNER].released()
}

function pushToOwner(this: ClientHttp2Stream | ServerHttp2Stream, chunk: Uint8Array | null): boolean {
  return (this as NativeStream)[OWNER].pushed(chunk)
}

function tellEnd(stream: NodeStream): void {
  stream.tellEnd()
}

function destroyNative(stream: NodeStream): void {
  stream.destroyNative()
}

function closeNative(native: NativeStream): void {
  native.close(ErrorCode.NO_ERROR)
}

function finishWithoutEndStream(callback: (error?: Error | null) => void): void {
  callback()
}

function finish(stream: NodeStream): void {
  stream.finish()
}

function tellDrain(stream: NodeStream): void {
  stream.drained()
}
