/**
 * One connection of the `node` engine, of either role: the seam's {@link Http2Connection} over a session of
 * node:http2 on a socket that is ready (TCP and TLS done). How a client comes to that socket is in
 * `dialer.ts`, how a server does in `node-server.ts`.
 */
import http2, { type ClientHttp2Session, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { ErrorCode, errorCodeName } from '../../wire/frame/error-codes.ts'
import { ConnectionError, type ConnectionErrorInit, type ConnectionPhase } from '../errors.ts'
import type { SocketPeer } from '../peer.ts'
import type {
  ConnectionListener,
  EngineOptions,
  Fields,
  Goaway,
  Http2Connection,
  Http2Stream,
  OpenOptions,
  Settings,
  StreamListener,
} from '../transport.ts'
import { NodeStream, type StreamHost } from './node-stream.ts'
import { SessionPulse, watch } from './watchdog.ts'

const DEFAULT_MAX_CONCURRENT_STREAMS = 256
const DEFAULT_MAX_HEADER_LIST_SIZE_OCTETS = 16384
const DEFAULT_STREAM_WINDOW_OCTETS = 1 << 20
const DEFAULT_CONNECTION_WINDOW_OCTETS = 4 << 20
const DEFAULT_SEND_BUFFER_OCTETS = 65536
const DEFAULT_WATCHDOG_INTERVAL_MS = 1000

/** Streams a client opens before it has the peer's SETTINGS (RFC 9113 §6.5.2 recommends no smaller limit). */
const INITIAL_MAX_CONCURRENT_STREAMS = 100
/** Octets a field costs beyond name and value (RFC 9113 §6.5.2). */
const FIELD_OVERHEAD_OCTETS = 32
const MAX_STREAM_ID = 0x7fffffff
const MAX_DEBUG_CHARACTERS = 1024
const FLAG_END_STREAM = 0x1
/** How Node says that the peer sent no SETTINGS_MAX_CONCURRENT_STREAMS. */
const UNLIMITED = 0xffffffff
/** No limit of our own on what we send: the peer's SETTINGS_MAX_HEADER_LIST_SIZE is for the layer above. */
const MAX_SEND_HEADER_BLOCK_OCTETS = 0x7fffffff
/** Node's default of 10 MB refuses streams while large messages are under way; windows and stream limits bound memory. */
const MAX_SESSION_MEMORY_MB = 4096
/** Pings on the wire at a time; Node cancels those above its own limit of 10. */
const MAX_OUTSTANDING_PINGS = 8
/** Time for the last octets to leave, and for the peer to close, before the socket is destroyed. */
const LINGER_MS = 1000

type PingListener = (error: Error | undefined, roundTripMs: number) => void

/** Answers the failure of a session before the peer's SETTINGS: what the peer speaks, in words. */
export type Diagnosis = (socketOctets: number) => Promise<string | undefined>

/** A connection on node:http2. */
export class NodeConnection implements Http2Connection, StreamHost {
  readonly engine = 'node'
  readonly role: 'client' | 'server'
  readonly peer: SocketPeer
  readonly pauseAtOctets: number
  readonly sendBufferOctets: number
  #listener: ConnectionListener
  readonly #options: EngineOptions
  readonly #handshakeTimeoutMs: number
  #socket: Duplex
  #session: Http2Session | undefined = undefined
  #pulse: SessionPulse | undefined = undefined
  #phase: ConnectionPhase = 'connect'
  #state: 'connecting' | 'open' | 'draining' | 'closed' = 'connecting'
  #failure: ConnectionError | undefined = undefined
  /** True once the end is in order: our own close, or the peer's GOAWAY with NO_ERROR. */
  #orderly = false
  #closing = false
  #referenced = true
  #goaway: Goaway | undefined = undefined
  #remoteSettings: Settings = {}
  #maxConcurrentStreams = INITIAL_MAX_CONCURRENT_STREAMS
  readonly #streams = new Set<NodeStream>()
  /** Streams that Node has, closed ones that it has not let go of included. */
  #nativeStreams = 0
  #waiting: NodeStream[] = []
  readonly #waitingPings: PingListener[] = []
  readonly #sentPings = new Set<PingListener>()
  #handshakeTimer: NodeJS.Timeout | undefined = undefined
  #lingerTimer: NodeJS.Timeout | undefined = undefined
  #unwatch: () => void = () => {}
  #diagnose: Diagnosis | undefined = undefined
  readonly #onGone: (connection: NodeConnection, error: ConnectionError | undefined) => void

  /**
   * @param onGone called once, just before the listener's `onClose`
   */
  constructor(
    role: 'client' | 'server',
    socket: Duplex,
    peer: SocketPeer,
    options: EngineOptions,
    handshakeTimeoutMs: number,
    listener: ConnectionListener,
    onGone: (connection: NodeConnection, error: ConnectionError | undefined) => void = () => {},
  ) {
    this.role = role
    this.peer = peer
    this.#socket = socket
    this.#options = options
    this.#listener = listener
    this.#onGone = onGone
    this.#handshakeTimeoutMs = handshakeTimeoutMs
    this.sendBufferOctets = options.sendBufferOctets ?? DEFAULT_SEND_BUFFER_OCTETS
    this.pauseAtOctets = Math.max((options.streamWindowOctets ?? DEFAULT_STREAM_WINDOW_OCTETS) >> 1, 1)
    if (handshakeTimeoutMs > 0) {
      this.#handshakeTimer = setTimeout(() => this.#handshakeExpired(), handshakeTimeoutMs)
      // the socket keeps the process alive, not its time limit
      this.#handshakeTimer.unref()
    }
  }

  get state(): 'connecting' | 'open' | 'draining' | 'closed' {
    return this.#state
  }

  get openStreams(): number {
    return this.#streams.size
  }

  get remoteSettings(): Settings {
    return this.#remoteSettings
  }

  get localSettings(): Settings {
    const { maxConcurrentStreams, maxHeaderListSizeOctets, streamWindowOctets } = this.#options
    const settings: Settings = {
      initialWindowSize: streamWindowOctets ?? DEFAULT_STREAM_WINDOW_OCTETS,
      maxHeaderListSize: maxHeaderListSizeOctets ?? DEFAULT_MAX_HEADER_LIST_SIZE_OCTETS,
    }
    if (this.role === 'client') settings.enablePush = false
    else settings.maxConcurrentStreams = maxConcurrentStreams ?? DEFAULT_MAX_CONCURRENT_STREAMS
    return settings
  }

  // ---- the way to a session ----

  /** How far the connection is. */
  get phase(): ConnectionPhase {
    return this.#phase
  }

  /** Says how far the connection is; failures name it. */
  enterPhase(phase: ConnectionPhase): void {
    this.#phase = phase
  }

  /** Another socket has taken the place of the first one (TLS). */
  replaceSocket(socket: Duplex): void {
    this.#socket = socket
    if (!this.#referenced) this.unref()
  }

  /**
   * Starts HTTP/2 on the socket.
   * @param diagnose asked what the peer speaks if the session fails before its SETTINGS
   */
  startSession(diagnose?: Diagnosis): void {
    if (this.#state === 'closed') return
    this.#diagnose = diagnose
    this.#phase = 'settings'
    const settings = this.localSettings
    const options = {
      settings,
      maxOutstandingPings: MAX_OUTSTANDING_PINGS + 2,
      maxHeaderListPairs: Math.ceil((settings.maxHeaderListSize ?? 0) / FIELD_OVERHEAD_OCTETS),
      maxSendHeaderBlockLength: MAX_SEND_HEADER_BLOCK_OCTETS,
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
    }
    let session: Http2Session
    try {
      session =
        this.role === 'client'
          ? http2.connect('http://localhost', { ...options, createConnection: () => this.#socket })
          : http2.performServerHandshake(this.#socket, options)
    } catch (cause) {
      // the socket was destroyed in the meantime
      this.fail(
        this.connectionError('the socket closed before HTTP/2 could start', { initiator: 'local', cause }),
      )
      return
    }
    this.#session = session
    // Node may leave a socket open whose TLS has failed, and then never ends the session
    this.#socket.on('error', () => setImmediate(destroySocket, this.#socket))
    session.on('remoteSettings', (remote) => this.#settingsReceived(remote))
    session.on('goaway', (code, lastStreamId, debugData) =>
      this.#goawayReceived(code, lastStreamId, debugData),
    )
    session.on('error', (error) => this.#sessionFailed(error))
    session.on('close', () => this.#sessionClosed())
    if (this.role === 'server') {
      session.on('stream', (stream, _headers, flags, rawHeaders?: string[]) =>
        this.#streamArrived(stream as ServerHttp2Stream, flags, rawHeaders ?? []),
      )
    }
    // leaves with the next frame: Node schedules no write for it
    session.setLocalWindowSize(this.#options.connectionWindowOctets ?? DEFAULT_CONNECTION_WINDOW_OCTETS)
    this.#pulse = new SessionPulse(session)
    this.#unwatch = watch(this, this.#options.watchdogIntervalMs ?? DEFAULT_WATCHDOG_INTERVAL_MS)
    this.#startWaiting()
  }

  #handshakeExpired(): void {
    const missing = this.role === 'client' ? 'SETTINGS' : 'connection preface'
    const what = {
      connect: 'no TCP connection',
      tls: 'no finished TLS handshake',
      settings: `no ${missing}`,
      open: '',
    }[this.#phase]
    const silent = this.#phase === 'settings' ? '; the peer stays silent' : ''
    const words = `${what} within ${this.#handshakeTimeoutMs} ms${silent}`
    this.fail(this.connectionError(words, { initiator: 'local' }))
  }

  /** A {@link ConnectionError} that names the phase and the address. */
  connectionError(
    reason: string,
    init: Omit<ConnectionErrorInit, 'phase' | 'address'>,
    phase: ConnectionPhase = this.#phase,
  ): ConnectionError {
    const { address } = this.peer
    const doing = {
      connect: `Connecting to ${address} failed`,
      tls: `TLS with ${address} failed`,
      settings: `Starting HTTP/2 with ${address} failed`,
      open: `The HTTP/2 connection with ${address} ended`,
    }[phase]
    return new ConnectionError(`${doing}: ${reason}`, { ...init, phase, address })
  }

  /** Ends the connection because of `error` as soon as it is known whether there are better words for it. */
  failAfter(diagnosis: Promise<string | undefined>, error: ConnectionError): void {
    const { phase } = this
    diagnosis.then(
      (words) => {
        const better =
          words === undefined
            ? error
            : this.connectionError(words, { initiator: 'peer', cause: error.cause }, phase)
        this.fail(better)
      },
      () => this.fail(error),
    )
  }

  /** Ends the connection because of an error, whatever phase it is in. The first error counts. */
  fail(error: ConnectionError): void {
    if (this.#state === 'closed') return
    this.#failure ??= error
    const session = this.#session
    if (session === undefined) {
      this.#socket.on('error', ignore)
      this.#socket.destroy()
      this.#gone()
    } else {
      this.#destroySession(session, error.code ?? ErrorCode.NO_ERROR)
      this.#linger()
    }
  }

  // ---- what the session tells ----

  #settingsReceived(remote: http2.Settings): void {
    if (this.#state === 'closed') return
    this.#remoteSettings = seamSettings(remote)
    this.#maxConcurrentStreams = remote.maxConcurrentStreams ?? Number.POSITIVE_INFINITY
    this.#tell(() => this.#listener.onSettings?.(this.#remoteSettings))
    if (this.#phase !== 'open') {
      this.#phase = 'open'
      if (this.#state === 'connecting') this.#state = 'open'
      clearTimeout(this.#handshakeTimer)
      this.#tell(() => this.#listener.onOpen())
    }
    this.#startWaiting()
    this.#sendWaitingPings()
  }

  #goawayReceived(code: number, lastStreamId: number, debugData?: Uint8Array): void {
    if (this.#state === 'closed') return
    const text =
      debugData === undefined ? '' : Buffer.from(debugData).toString('utf8').slice(0, MAX_DEBUG_CHARACTERS)
    const earlier = this.#goaway
    // Node sends a second one, with the same content, when the session goes down
    if (earlier !== undefined && earlier.lastStreamId === lastStreamId && earlier.code === code) return
    this.#goaway = { lastStreamId, code, debugData: text }
    if (this.#state !== 'connecting') this.#state = 'draining'
    if (code === ErrorCode.NO_ERROR) this.#orderly = true
    else {
      // Node destroys the session as soon as this event is over
      for (const stream of this.#streams) stream.abandon()
      this.#failure ??= this.connectionError(
        `the peer sent GOAWAY ${errorCodeName(code)}${text === '' ? '' : `: ${text}`}`,
        { code, initiator: 'peer', debugData: text, section: 'RFC 9113 §6.8' },
      )
    }
    const goaway = this.#goaway
    this.#tell(() => this.#listener.onGoaway(goaway))
    this.#dropWaiting()
    // Node lets the socket wait for the peer's end
    if (this.#streams.size === 0) this.#linger()
  }

  #sessionFailed(error: Error): void {
    this.#failure ??= this.#sessionError(error)
  }

  #sessionError(error: Error): ConnectionError {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_HTTP2_ERROR') {
      return this.connectionError(`the peer broke the rules of HTTP/2 (${error.message})`, {
        code: ErrorCode.PROTOCOL_ERROR,
        initiator: 'local',
        cause: error,
      })
    }
    const words = code === 'ECONNRESET' || code === 'EPIPE' ? 'the peer reset the connection' : error.message
    return this.connectionError(words, { initiator: 'peer', cause: error })
  }

  #sessionClosed(): void {
    const octets = (this.#socket as { bytesRead?: number }).bytesRead ?? 0
    const orderly = this.#orderly || this.#state === 'closed'
    if (this.#phase === 'settings' && !orderly && this.#diagnose !== undefined && this.#mayDiagnose()) {
      clearTimeout(this.#handshakeTimer)
      this.#diagnose(octets).then(
        (words) => {
          if (words !== undefined) {
            this.#failure = this.connectionError(words, { initiator: 'peer', cause: this.#failure?.cause })
          }
          this.#gone()
        },
        () => this.#gone(),
      )
      return
    }
    this.#gone()
  }

  /** A local end or a GOAWAY needs no further explanation. */
  #mayDiagnose(): boolean {
    return this.#failure === undefined || (this.#failure.cause !== undefined && this.#goaway === undefined)
  }

  #gone(): void {
    if (this.#state === 'closed') return
    if (this.#failure === undefined && !this.#orderly) {
      this.#failure = this.connectionError(
        this.#phase === 'settings'
          ? `the peer closed the connection before ${this.#expected()}`
          : 'the peer closed it',
        { initiator: 'peer' },
      )
    }
    this.#state = 'closed'
    clearTimeout(this.#handshakeTimer)
    clearTimeout(this.#lingerTimer)
    this.#unwatch()
    for (const stream of this.#streams) stream.finish()
    this.#waiting = []
    const pingError = this.#failure ?? this.connectionError('it was closed', { initiator: 'local' })
    for (const onResult of [...this.#sentPings, ...this.#waitingPings])
      this.#tell(() => onResult(pingError, 0))
    this.#sentPings.clear()
    this.#waitingPings.length = 0
    this.#onGone(this, this.#failure)
    this.#tell(() => this.#listener.onClose(this.#failure))
  }

  #expected(): string {
    return this.role === 'client' ? 'sending SETTINGS' : 'sending a connection preface'
  }

  /** A connection listener that throws ends nothing but its own call. */
  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      process.emitWarning(`A listener of an HTTP/2 connection threw: ${String(error)}`, 'GrpcGlassWarning')
    }
  }

  // ---- streams ----

  #streamArrived(native: ServerHttp2Stream, flags: number, fields: Fields): void {
    const endStream = (flags & FLAG_END_STREAM) !== 0
    const stream = NodeStream.accepted(this, native, endStream)
    this.#streams.add(stream)
    this.#nativeStreams++
    let listener: StreamListener | undefined
    let cause: unknown
    try {
      listener = this.#listener.onStream?.(stream, fields, endStream)
      if (listener === undefined)
        cause = new Error('nobody listens to streams: onStream returned no listener')
    } catch (error) {
      cause = error
    }
    if (listener === undefined) stream.refuse(cause)
    else stream.listen(listener)
  }

  open(listener: StreamListener, options?: OpenOptions): Http2Stream {
    if (this.role === 'server') throw new Error('open is for clients: a server opens no streams')
    const stream = new NodeStream(this, listener, options?.trailers ?? false)
    this.#streams.add(stream)
    if (this.#state === 'closed' || this.#state === 'draining') setImmediate(finishStream, stream)
    return stream
  }

  requestStart(stream: NodeStream): void {
    if (this.#state === 'closed' || this.#state === 'draining') return
    if (
      this.#session === undefined ||
      this.#nativeStreams >= this.#maxConcurrentStreams ||
      this.#waiting.length > 0
    ) {
      this.#waiting.push(stream)
      this.#startWaiting()
    } else this.#start(stream, this.#session as ClientHttp2Session)
  }

  #start(stream: NodeStream, session: ClientHttp2Session): void {
    if (session.destroyed || session.closed) {
      setImmediate(finishStream, stream)
      return
    }
    stream.start(session)
    if (!stream.waiting) this.#nativeStreams++
  }

  #startWaiting(): void {
    const session = this.#session as ClientHttp2Session | undefined
    if (session === undefined) return
    let started = 0
    while (started < this.#waiting.length && this.#nativeStreams < this.#maxConcurrentStreams) {
      const stream = this.#waiting[started++] as NodeStream
      // reset before its turn
      if (this.#streams.has(stream) && !stream.isReset) this.#start(stream, session)
    }
    if (started > 0) this.#waiting.splice(0, started)
  }

  /** After GOAWAY no stream starts here any more. */
  #dropWaiting(): void {
    for (const stream of this.#streams) if (stream.waiting) setImmediate(finishStream, stream)
    this.#waiting = []
  }

  onStreamClosed(stream: NodeStream): void {
    this.#streams.delete(stream)
  }

  onStreamReleased(): void {
    this.#nativeStreams--
    if (this.#waiting.length > 0) this.#startWaiting()
    if (this.#nativeStreams > 0) return
    if (this.#session?.closed === true) this.#linger()
    else if (this.#closing) this.#closeSession()
  }

  endOf(stream: NodeStream): ConnectionError | undefined {
    const goaway = this.#goaway
    const alive = this.#state !== 'closed' && this.#session !== undefined && !this.#session.destroyed
    // a client's GOAWAY counts the streams that the server opened: there are none
    const above = stream.waiting || stream.id > (goaway?.lastStreamId ?? 0)
    if (goaway !== undefined && above && this.role === 'client') {
      return this.connectionError(
        `the peer sent GOAWAY ${errorCodeName(goaway.code)} and did not process this stream${
          goaway.debugData === '' ? '' : `: ${goaway.debugData}`
        }`,
        {
          code: goaway.code,
          initiator: 'peer',
          debugData: goaway.debugData,
          unprocessed: true,
          section: 'RFC 9113 §6.8',
        },
      )
    }
    if (alive && !stream.waiting) return undefined
    const failure = this.#failure
    const unprocessed = stream.waiting
    if (failure === undefined) {
      const words = this.#orderly ? 'it was closed' : 'the peer closed it'
      return this.connectionError(words, { initiator: this.#orderly ? 'local' : 'peer', unprocessed })
    }
    if (!unprocessed) return failure
    const { code, initiator, debugData, section } = failure
    return new ConnectionError(failure.message, {
      initiator,
      phase: failure.phase,
      unprocessed,
      cause: failure.cause,
      ...(code === undefined ? {} : { code }),
      ...(failure.address === undefined ? {} : { address: failure.address }),
      ...(debugData === undefined ? {} : { debugData }),
      ...(section === undefined ? {} : { section }),
    })
  }

  // ---- the whole connection ----

  ping(onResult: PingListener): void {
    if (this.#state === 'closed') {
      const error = this.#failure ?? this.connectionError('it is closed', { initiator: 'local' })
      setImmediate(() => this.#tell(() => onResult(error, 0)))
      return
    }
    this.#waitingPings.push(onResult)
    this.#sendWaitingPings()
  }

  #sendWaitingPings(): void {
    const session = this.#session
    if (session === undefined || session.destroyed || this.#phase !== 'open') return
    while (this.#waitingPings.length > 0 && this.#sentPings.size < MAX_OUTSTANDING_PINGS) {
      const onResult = this.#waitingPings.shift() as PingListener
      this.#sentPings.add(onResult)
      const answered = (error: Error | null, roundTripMs: number) => {
        // cancelled by Node because the session ends: told when the connection is gone
        if (error !== null || !this.#sentPings.delete(onResult)) return
        this.#tell(() => onResult(undefined, roundTripMs))
        this.#sendWaitingPings()
      }
      // Node sends no PING once a session is closing; SETTINGS are acknowledged too (RFC 9113 §6.5.3)
      if (session.closed)
        session.settings({}, (error, _settings, roundTripMs) => answered(error, roundTripMs))
      else session.ping(answered)
    }
  }

  close(): void {
    if (this.#state === 'closed' || this.#closing) return
    this.#closing = true
    this.#orderly = true
    const session = this.#session
    if (session === undefined || this.#phase !== 'open') {
      this.destroy()
      return
    }
    this.#state = 'draining'
    this.#dropWaiting()
    // nghttp2 sends GOAWAY before the requests in its queue, and drops those then: they go out first
    if (this.role === 'client' && this.#nativeStreams > 0) setImmediate(() => this.#closeSession())
    else if (this.#nativeStreams === 0) this.#closeSession()
    else this.#announceClose(session)
  }

  /**
   * A server with open streams first announces the end, and names the last stream only a round trip later: what
   * the client sent in between is still served (RFC 9113 §6.8). Without open streams nghttp2 reads no more.
   */
  #announceClose(session: Http2Session): void {
    if (session.destroyed) return // its 'close' is on the way
    session.goaway(ErrorCode.NO_ERROR, MAX_STREAM_ID)
    const timer = setTimeout(() => this.#closeSession(), LINGER_MS)
    timer.unref()
    this.ping(() => {
      clearTimeout(timer)
      this.#closeSession()
    })
  }

  #closeSession(): void {
    const session = this.#session as Http2Session
    if (this.#state === 'closed' || session.closed || session.destroyed) return
    session.close()
    if (this.#nativeStreams === 0) this.#linger()
  }

  destroy(code: number = ErrorCode.NO_ERROR, reason = ''): void {
    if (this.#state === 'closed') return
    this.#orderly = true
    if (code !== ErrorCode.NO_ERROR) {
      const words = `we ended it with ${errorCodeName(code)}${reason === '' ? '' : `: ${reason}`}`
      this.#failure ??= this.connectionError(words, { code, initiator: 'local' })
    }
    const session = this.#session
    if (session === undefined) {
      this.#socket.on('error', ignore)
      this.#socket.destroy()
      // listeners hear of it in a later turn
      setImmediate(() => this.#gone())
      return
    }
    if (!session.destroyed && reason !== '') session.goaway(code, 0, Buffer.from(reason))
    this.#destroySession(session, code)
    this.#linger()
  }

  #destroySession(session: Http2Session, code: number): void {
    if (session.destroyed) return
    for (const stream of this.#streams) stream.abandon()
    // without an Error object, Node tells each stream and the session no error of its own
    session.destroy(null as unknown as Error, code)
  }

  /** The socket may take a moment to send what is queued, and then goes whatever the peer does. */
  #linger(): void {
    if (this.#lingerTimer !== undefined || this.#state === 'closed') return
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), LINGER_MS)
    if (!this.#referenced) this.#lingerTimer.unref()
  }

  ref(): void {
    this.#referenced = true
    this.#lingerTimer?.ref()
    ;(this.#socket as { ref?(): void }).ref?.()
  }

  unref(): void {
    this.#referenced = false
    this.#lingerTimer?.unref()
    ;(this.#socket as { unref?(): void }).unref?.()
  }

  /** The watchdog's turn. */
  check(): void {
    if (this.#session?.destroyed === true) this.#linger()
    if (this.#pulse?.isDead() !== true) return
    if (this.#orderly && this.#nativeStreams === 0) {
      this.#linger()
      return
    }
    this.fail(
      this.connectionError('the peer broke a rule of HTTP/2, and node:http2 gave the session up', {
        code: ErrorCode.PROTOCOL_ERROR,
        initiator: 'local',
      }),
    )
  }
}

function destroySocket(socket: Duplex): void {
  socket.destroy()
}

function finishStream(stream: NodeStream): void {
  stream.finish()
}

function ignore(): void {}

/** Node's settings object without its own additions. */
function seamSettings(remote: http2.Settings): Settings {
  const settings: Settings = {}
  if (remote.headerTableSize !== undefined) settings.headerTableSize = remote.headerTableSize
  if (remote.enablePush !== undefined) settings.enablePush = remote.enablePush
  const { maxConcurrentStreams = UNLIMITED } = remote
  if (maxConcurrentStreams !== UNLIMITED) settings.maxConcurrentStreams = maxConcurrentStreams
  if (remote.initialWindowSize !== undefined) settings.initialWindowSize = remote.initialWindowSize
  if (remote.maxFrameSize !== undefined) settings.maxFrameSize = remote.maxFrameSize
  if (remote.maxHeaderListSize !== undefined) settings.maxHeaderListSize = remote.maxHeaderListSize
  return settings
}
