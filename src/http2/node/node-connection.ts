/**
 * One connection of the `node` engine, of either role: the seam's {@link Http2Connection} over a session of
 * node:http2 on a socket that is ready (TCP and TLS done). How a client comes to that socket is in
 * `dialer.ts`, how a server does in `node-server.ts`.
 *
 * Longer than other files: the session's events, GOAWAY, the two ways to end, and the phases before a session
 * all change one state, and each rule about it is only understood beside the others.
 */
import type { EventEmitter } from 'node:events'
import http2, { type ClientHttp2Session, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { ErrorCode, errorCodeName } from '../../wire/frame/error-codes.ts'
import type { ConnectionError, ConnectionErrorInit, ConnectionPhase } from '../errors.ts'
import { TOO_MANY_PINGS } from '../keepalive.ts'
import { LongTimer } from '../long-timer.ts'
import { MemberList } from '../member-list.ts'
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
import {
  asUnprocessed,
  connectionError,
  goawayReason,
  sessionErrorReason,
  timeoutReason,
} from './connection-errors.ts'
import { Lifetime, type LifetimeActs } from './lifetime.ts'
import { NodeStream, type StreamHost } from './node-stream.ts'
import { MAX_OUTSTANDING_PINGS, type PingListener, PingQueue } from './ping-queue.ts'
import { type Limits, limitsOf, seamSettings, sessionOptions } from './session-options.ts'
import { StreamAdmission } from './stream-admission.ts'
import { SessionPulse, watch } from './watchdog.ts'

const MAX_STREAM_ID = 0x7fffffff
const MAX_DEBUG_CHARACTERS = 1024
const FLAG_END_STREAM = 0x1
/** Time for the last octets to leave, and for the peer to close, before the socket is destroyed. */
const LINGER_MS = 1000

const OWNER = Symbol('owner')

/** Node's session, with our connection on it. */
type OwnedSession = Http2Session & { [OWNER]: NodeConnection }

/** Answers the failure of a session before the peer's SETTINGS: what the peer speaks, in words. */
export type Diagnosis = (socketOctets: number) => Promise<string | undefined>

/** A connection on node:http2. */
export class NodeConnection implements Http2Connection, StreamHost, LifetimeActs {
  readonly engine = 'node'
  readonly role: 'client' | 'server'
  readonly peer: SocketPeer
  framesSent = 0
  readonly #options: EngineOptions
  readonly #limits: Limits
  #listener: ConnectionListener
  readonly #handshakeTimeoutMs: number
  #socket: Duplex
  #session: Http2Session | undefined = undefined
  #pulse: SessionPulse | undefined = undefined
  #lifetime: Lifetime | undefined = undefined
  #phase: ConnectionPhase = 'connect'
  #state: 'connecting' | 'open' | 'draining' | 'closed' = 'connecting'
  #failure: ConnectionError | undefined = undefined
  /** True once the end is in order: our own close, or the peer's GOAWAY with NO_ERROR. */
  #orderly = false
  #closing = false
  #referenced = true
  #goaway: Goaway | undefined = undefined
  #remoteSettings: Settings = {}
  readonly #streams = new MemberList<NodeStream>()
  readonly #admission = new StreamAdmission((stream) => this.#start(stream))
  #pings: PingQueue | undefined = undefined
  #handshakeTimer: LongTimer | undefined = undefined
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
    this.#limits = limitsOf(role, options)
    this.#listener = listener
    this.#onGone = onGone
    this.#handshakeTimeoutMs = handshakeTimeoutMs
    if (handshakeTimeoutMs > 0) {
      this.#handshakeTimer = new LongTimer(handshakeTimeoutMs, () => this.#handshakeExpired())
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
    return this.#limits.settings
  }

  get pauseAtOctets(): number {
    return this.#limits.pauseAtOctets
  }

  get sendBufferOctets(): number {
    return this.#limits.sendBufferOctets
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
    const options = sessionOptions(this.#limits, MAX_OUTSTANDING_PINGS)
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
    this.#socket.on('error', destroySoon)
    const owned = session as OwnedSession
    owned[OWNER] = this
    session.on('remoteSettings', onRemoteSettings)
    session.on('goaway', onGoaway)
    session.on('error', onError)
    session.on('close', onClose)
    // Node's types leave out the raw headers
    if (this.role === 'server') (session as EventEmitter).on('stream', onStream)
    // leaves with the next frame: Node schedules no write for it
    session.setLocalWindowSize(this.#limits.connectionWindowOctets)
    this.#pulse = new SessionPulse(session)
    this.#unwatch = watch(this, this.#limits.watchdogIntervalMs)
    this.#admission.allow()
  }

  #handshakeExpired(): void {
    const reason = timeoutReason(this.#phase, this.role, this.#handshakeTimeoutMs)
    this.fail(this.connectionError(reason, { initiator: 'local' }))
  }

  /** A {@link ConnectionError} that names the phase and the address. */
  connectionError(
    reason: string,
    init: Omit<ConnectionErrorInit, 'phase' | 'address'>,
    phase: ConnectionPhase = this.#phase,
  ): ConnectionError {
    return connectionError(phase, this.peer.address, reason, init)
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

  settingsReceived(remote: http2.Settings): void {
    if (this.#state === 'closed') return
    this.#remoteSettings = seamSettings(remote)
    this.#tell(() => this.#listener.onSettings?.(this.#remoteSettings))
    if (this.#phase !== 'open') {
      this.#phase = 'open'
      if (this.#state === 'connecting') this.#state = 'open'
      this.#endHandshake()
      this.#startLifetime()
      this.#tell(() => this.#listener.onOpen())
    }
    this.#admission.allow(remote.maxConcurrentStreams ?? Number.POSITIVE_INFINITY)
    if (this.#session !== undefined) this.#pings?.send(this.#session)
  }

  #startLifetime(): void {
    this.#lifetime = Lifetime.start(this.role, this.#options, this.#socket, this)
    if (this.#lifetime !== undefined && this.role === 'server') this.#session?.on('ping', onPing)
  }

  #endHandshake(): void {
    this.#handshakeTimer?.clear()
    this.#handshakeTimer = undefined
  }

  goawayReceived(code: number, lastStreamId: number, debugData?: Uint8Array): void {
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
      for (const stream of this.#streams.all()) stream.abandon()
      this.#failure ??= this.connectionError(...goawayReason(this.#goaway, false))
    }
    const goaway = this.#goaway
    this.#tell(() => this.#listener.onGoaway(goaway))
    this.#dropWaiting()
    // Node lets the socket wait for the peer's end
    if (this.#streams.size === 0) this.#linger()
  }

  sessionFailed(error: Error): void {
    this.#failure ??= this.connectionError(...sessionErrorReason(error))
  }

  sessionClosed(): void {
    const octets = (this.#socket as { bytesRead?: number }).bytesRead ?? 0
    const orderly = this.#orderly || this.#state === 'closed'
    if (this.#phase === 'settings' && !orderly && this.#diagnose !== undefined && this.#mayDiagnose()) {
      this.#endHandshake()
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
    this.#endHandshake()
    clearTimeout(this.#lingerTimer)
    this.#unwatch()
    // It holds Node's native handle, which holds SETTINGS that were never acknowledged, which hold this: a leak
    this.#pulse = undefined
    this.#lifetime?.end()
    this.#admission.end()
    for (const stream of this.#streams.all()) stream.finish()
    this.#pings?.end(this.#failure ?? this.connectionError('it was closed', { initiator: 'local' }))
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

  streamArrived(native: ServerHttp2Stream, flags: number, fields: Fields): void {
    const endStream = (flags & FLAG_END_STREAM) !== 0
    const stream = NodeStream.accepted(this, native, endStream)
    this.#streams.add(stream)
    this.#admission.entered()
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
    if (this.#state !== 'closed' && this.#state !== 'draining') this.#admission.ask(stream)
  }

  #start(stream: NodeStream): void {
    const session = this.#session as ClientHttp2Session
    if (session.destroyed || session.closed) {
      setImmediate(finishStream, stream)
      return
    }
    stream.start(session)
    if (!stream.waiting) this.#admission.entered()
  }

  /** After GOAWAY no stream starts here any more. */
  #dropWaiting(): void {
    this.#admission.end()
    for (const stream of this.#streams.all()) if (stream.waiting) setImmediate(finishStream, stream)
  }

  onStreamClosed(stream: NodeStream): void {
    this.#streams.delete(stream)
    if (this.#streams.size === 0) this.#lifetime?.onIdle()
  }

  onStreamReleased(): void {
    this.#admission.left()
    if (this.#admission.started > 0) return
    if (this.#session?.closed === true) this.#linger()
    else if (this.#closing) this.#closeSession()
  }

  endOf(stream: NodeStream): ConnectionError | undefined {
    const goaway = this.#goaway
    // a client's GOAWAY counts the streams that the server opened: there are none
    const above = stream.waiting || stream.id > (goaway?.lastStreamId ?? 0)
    if (goaway !== undefined && above && this.role === 'client') {
      return this.connectionError(...goawayReason(goaway, true))
    }
    const alive = this.#state !== 'closed' && this.#session?.destroyed === false
    if (alive && !stream.waiting) return undefined
    const failure = this.#failure ?? this.#silentEnd()
    return stream.waiting ? asUnprocessed(failure) : failure
  }

  /** What streams hear where the connection itself ended without an error. */
  #silentEnd(): ConnectionError {
    if (this.#orderly) return this.connectionError('it was closed', { initiator: 'local' })
    return this.connectionError('the peer closed it', { initiator: 'peer' })
  }

  // ---- the whole connection ----

  ping(onResult: PingListener): void {
    const tell: PingListener = (error, roundTripMs) => this.#tell(() => onResult(error, roundTripMs))
    if (this.#state === 'closed') {
      setImmediate(tell, this.#failure ?? this.connectionError('it is closed', { initiator: 'local' }), 0)
      return
    }
    this.#pings ??= new PingQueue()
    this.#pings.add(tell)
    if (this.#session !== undefined && this.#phase === 'open') this.#pings.send(this.#session)
  }

  pingReceived(): void {
    this.#lifetime?.onPing()
  }

  sendPing(): void {
    this.ping(ignore)
  }

  keepaliveFailed(timeoutMs: number): void {
    const words = `keepalive: no answer to PING within ${timeoutMs} ms`
    this.fail(
      this.connectionError(words, {
        code: ErrorCode.NO_ERROR,
        initiator: 'local',
        section: 'gRFC A8',
      }),
    )
  }

  tooManyPings(): void {
    this.destroy(ErrorCode.ENHANCE_YOUR_CALM, TOO_MANY_PINGS)
  }

  ageEnded(): void {
    this.destroy(ErrorCode.NO_ERROR, 'the grace of the maximum connection age is over')
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
    if (this.role === 'client' && this.#admission.started > 0) setImmediate(() => this.#closeSession())
    else if (this.#admission.started === 0) this.#closeSession()
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
    if (this.#admission.started === 0) this.#linger()
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
    for (const stream of this.#streams.all()) stream.abandon()
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
    if (this.#orderly && this.#admission.started === 0) {
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

function finishStream(stream: NodeStream): void {
  stream.finish()
}

function ignore(): void {}

function destroySoon(this: Duplex): void {
  setImmediate(() => this.destroy())
}

// Listeners shared by all sessions: `this` is Node's session, and the symbol leads to our connection.

function onRemoteSettings(this: OwnedSession, settings: http2.Settings): void {
  this[OWNER].settingsReceived(settings)
}

function onGoaway(this: OwnedSession, code: number, lastStreamId: number, debugData?: Uint8Array): void {
  this[OWNER].goawayReceived(code, lastStreamId, debugData)
}

function onPing(this: OwnedSession): void {
  this[OWNER].pingReceived()
}

function onError(this: OwnedSession, error: Error): void {
  this[OWNER].sessionFailed(error)
}

function onClose(this: OwnedSession): void {
  this[OWNER].sessionClosed()
}

function onStream(
  this: OwnedSession,
  stream: ServerHttp2Stream,
  _headers: unknown,
  flags: number,
  rawHeaders?: string[],
): void {
  this[OWNER].streamArrived(stream, flags, rawHeaders ?? [])
}
