/**
 * A channel: one target, at most one connection at a time, and the calls that go over it.
 *
 * States are those of gRPC connectivity-semantics-and-api; addresses are tried by `Connector`; a failed round
 * is followed by a pause (gRPC connection-backoff). Calls wait while it connects, and fail with the last error
 * while it pauses, unless they wait for ready.
 */
import { parseTarget, targetAuthority } from '../http2/addresses.ts'
import { ConnectionError } from '../http2/errors.ts'
import { doubledKeepaliveTimeMs, TOO_MANY_PINGS } from '../http2/keepalive.ts'
import { LongTimer } from '../http2/long-timer.ts'
import { MemberList } from '../http2/member-list.ts'
import type {
  ConnectionListener,
  ConnectOptions,
  Goaway,
  Http2Connection,
  SocketAddress,
} from '../http2/transport.ts'
import { ErrorCode, errorCodeName } from '../wire/frame/error-codes.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { Backoff } from './backoff.ts'
import type { ChannelOptions } from './channel-options.ts'
import type { CallHost, ClientCall } from './client-call.ts'
import { Connectivity, type ConnectivityState } from './connectivity.ts'
import { Connector } from './connector.ts'
import { Deferred } from './deferred.ts'
import { engineByName } from './engines.ts'
import { resolveTarget } from './resolver.ts'
import { type Phase, StatusError } from './status-error.ts'

/** A connection that is lost sooner, without having answered a call, counts as a failed attempt. */
const PROBATION_MS = 1000
const DEFAULT_CONNECT_TIMEOUT_MS = 20_000
const DEFAULT_IDLE_TIMEOUT_MS = 1_800_000

/** A place to connect to that is no address: a server in this process, or anything that makes connections. */
export interface ConnectTarget {
  /** For messages, for example `in-process`. */
  readonly name: string
  /** Opens a connection. */
  connect(listener: ConnectionListener, options: ChannelOptions): Http2Connection
}

interface Place {
  readonly name: string
  readonly authority: string
  readonly resolve: () => Promise<readonly (SocketAddress | undefined)[]>
  readonly dial: (address: SocketAddress | undefined, listener: ConnectionListener) => Http2Connection
  /** The server finds our pings too many: connections from now on wait twice as long (gRFC A8). */
  readonly pingLess: () => void
}

function placeOf(target: string | ConnectTarget, options: ChannelOptions): Place {
  if (typeof target !== 'string') {
    return {
      name: target.name,
      authority: options.authority ?? 'localhost',
      resolve: async () => [undefined],
      dial: (_, listener) => target.connect(listener, options),
      pingLess: () => {},
    }
  }
  const parsed = parseTarget(target)
  const engine = engineByName(options.engine)
  const { tls, connectTimeoutMs, ...rest } = options
  const clientTls = tls === true ? {} : tls || undefined
  const host = parsed.scheme === 'dns' ? parsed.host : undefined
  const connectOptions: ConnectOptions = {
    ...rest,
    handshakeTimeoutMs: connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    ...(clientTls !== undefined && {
      tls: {
        ...clientTls,
        ...(clientTls.servername === undefined && host !== undefined && { servername: host }),
      },
    }),
  }
  return {
    name: target,
    authority: options.authority ?? targetAuthority(parsed),
    resolve: () => resolveTarget(parsed, options.lookup),
    dial: (address, listener) => engine.connect(address!, connectOptions, listener),
    pingLess: () => {
      const { keepaliveTimeMs } = connectOptions
      if (keepaliveTimeMs !== undefined) {
        connectOptions.keepaliveTimeMs = doubledKeepaliveTimeMs(keepaliveTimeMs)
      }
    },
  }
}

/** The connection side of a channel; calls come in by {@link CallHost}. */
export class ChannelCore implements CallHost {
  readonly name: string
  readonly authority: string
  readonly connectivity = new Connectivity()
  private readonly place: Place
  private readonly backoff: Backoff
  private readonly idleTimeoutMs: number
  private connection: Http2Connection | undefined = undefined
  private connector: Connector | undefined = undefined
  private round = 0
  private readonly waiting = new Set<ClientCall>()
  /** Calls that have not ended. */
  private readonly calls = new MemberList<ClientCall>()
  /** How many others need the connection: those who wait for the channel to be ready. */
  private holders = 0
  private readonly connections = new Set<Http2Connection>()
  private connectedMs = 0
  /** True once a call was answered on the connection. */
  private proven = false
  private lastFailure: StatusError | undefined = undefined
  private pause: LongTimer | undefined = undefined
  private idle: LongTimer | undefined = undefined
  private closing: Deferred<void> | undefined = undefined
  private graceTimer: LongTimer | undefined = undefined

  constructor(target: string | ConnectTarget, options: ChannelOptions) {
    this.place = placeOf(target, options)
    this.name = this.place.name
    this.authority = this.place.authority
    this.backoff = new Backoff(options)
    this.idleTimeoutMs = options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS
  }

  get state(): ConnectivityState {
    return this.connectivity.state
  }

  // ---- calls

  submit(call: ClientCall): void {
    if (this.closing !== undefined) {
      return call.fail(Status.UNAVAILABLE, 'Channel has been shut down', undefined, 'connect')
    }
    if (!this.isLive) this.wake()
    this.calls.add(call)
    const connection = this.usable()
    if (connection !== undefined) return call.startOn(connection)
    if (this.pause !== undefined && !call.waitForReady) return call.finishWith(this.failureNow())
    this.waiting.add(call)
    this.connect()
  }

  /** The connection, if new calls can start on it: its streams may hear of its end before we do. */
  private usable(): Http2Connection | undefined {
    const { connection } = this
    if (connection !== undefined && connection.state !== 'open') this.lost(connection, 'it is closing')
    return this.connection
  }

  ended(call: ClientCall): void {
    if (!this.proven && call.answered) {
      this.proven = true
      this.backoff.reset()
    }
    this.waiting.delete(call)
    if (this.calls.delete(call) && !this.isLive) this.rest()
  }

  /** Keeps the process alive, and the connection from going idle, until released. */
  hold(): void {
    if (!this.isLive) this.wake()
    this.holders++
  }

  /** Ends a hold: to be called once for each. */
  release(): void {
    this.holders--
    if (!this.isLive) this.rest()
  }

  private get isLive(): boolean {
    return this.calls.size + this.holders > 0
  }

  waitingFor(): string {
    const last = this.lastFailure === undefined ? '' : `,last error: ${this.lastFailure.details}`
    return `waiting for a connection to ${this.name} (${this.state})${last}`
  }

  /** The first call: connections keep the process alive while there are calls. */
  private wake(): void {
    this.idle?.clear()
    this.idle = undefined
    for (const connection of this.connections) connection.ref()
    this.pause?.ref()
  }

  /** The last call is over: nothing here keeps the process alive. */
  private rest(): void {
    if (this.closing !== undefined) return this.finishClosing()
    for (const connection of this.connections) connection.unref()
    this.pause?.unref()
    if (this.idleTimeoutMs > 0 && this.connection !== undefined) {
      this.idle ??= new LongTimer(this.idleTimeoutMs, () => this.goIdle()).unref()
    }
  }

  private goIdle(): void {
    this.idle = undefined
    if (this.isLive || this.connection === undefined) return
    this.connection.close()
    this.connection = undefined
    this.connectivity.set('IDLE')
  }

  // ---- connecting

  /** Leaves IDLE; does nothing in any other state. */
  connect(): void {
    if (this.state !== 'IDLE') return
    this.connectivity.set('CONNECTING')
    this.attempt()
  }

  private attempt(): void {
    const round = ++this.round
    this.place.resolve().then(
      (addresses) => {
        if (round === this.round && this.closing === undefined) this.tryAddresses(addresses)
      },
      (error: unknown) => {
        if (round !== this.round || this.closing !== undefined) return
        const details = `Name resolution failed for target ${this.name}: ${describe(error)}`
        this.failed(new StatusError(Status.UNAVAILABLE, details, { cause: error, phase: 'resolve' }))
      },
    )
  }

  private tryAddresses(addresses: readonly (SocketAddress | undefined)[]): void {
    const connector = new Connector(
      addresses as readonly SocketAddress[],
      (address, listener) => {
        const connection = this.place.dial(address, listener)
        this.connections.add(connection)
        if (!this.isLive) connection.unref()
        return connection
      },
      {
        onConnected: (connection) => this.connected(connection),
        onFailed: (errors) => this.failed(connectFailure(this.name, errors)),
        onGoaway: (connection, goaway) => this.onGoaway(connection, goaway),
        onClosed: (connection, error) => {
          this.connections.delete(connection)
          this.lost(connection, error?.message ?? 'the server closed it', error)
          if (this.closing !== undefined) this.finishClosing()
        },
      },
    )
    this.connector = connector
    connector.start()
  }

  private connected(connection: Http2Connection): void {
    this.connector = undefined
    this.connection = connection
    this.connectedMs = Date.now()
    this.proven = false
    this.lastFailure = undefined
    this.connectivity.set('READY')
    if (!this.isLive) this.rest()
    for (const call of this.waiting) {
      // Starting a call can end the connection; the rest waits for the next one.
      if (this.connection !== connection) break
      this.waiting.delete(call)
      call.startOn(connection)
    }
  }

  private failed(failure: StatusError): void {
    this.connector = undefined
    this.lastFailure = failure
    const pauseMs = this.backoff.next(Math.random())
    this.pause = new LongTimer(pauseMs, () => this.resume())
    if (!this.isLive) this.pause.unref()
    this.connectivity.set('TRANSIENT_FAILURE')
    for (const call of [...this.waiting]) if (!call.waitForReady) call.finishWith(this.failureNow())
  }

  /** The pause is over: at once to the next attempt if a call waits for it, otherwise with the next call. */
  private resume(): void {
    this.pause = undefined
    if (this.waiting.size > 0) {
      this.connectivity.set('CONNECTING')
      this.attempt()
    } else this.connectivity.set('IDLE')
  }

  /** Each call gets an error of its own, with the shared cause. */
  private failureNow(): StatusError {
    const { code, details, cause, phase } = this.lastFailure!
    return new StatusError(code, details, { cause, ...(phase !== undefined && { phase }) })
  }

  /** No new calls on this connection: it is closed, or the server says goodbye. */
  private lost(connection: Http2Connection, words: string, error?: ConnectionError): void {
    if (connection !== this.connection) return
    this.connection = undefined
    this.idle?.clear()
    this.idle = undefined
    this.lastFailure = new StatusError(Status.UNAVAILABLE, `Connection dropped: ${words}`, { cause: error })
    // A server that ends each connection at once must not be dialled in a loop (gRPC connection-backoff).
    if (!this.proven && Date.now() - this.connectedMs < PROBATION_MS) return this.failed(this.lastFailure)
    this.backoff.reset()
    this.connectivity.set('IDLE')
    if (this.waiting.size > 0) this.connect()
  }

  private onGoaway(connection: Http2Connection, goaway: Goaway): void {
    // It names streams that it processed, or will: the server works.
    if (goaway.lastStreamId > 0) this.proven = true
    if (goaway.code === ErrorCode.ENHANCE_YOUR_CALM && goaway.debugData === TOO_MANY_PINGS) {
      this.place.pingLess()
    }
    this.lost(
      connection,
      `the server sent GOAWAY ${errorCodeName(goaway.code)} ${goaway.debugData}`.trimEnd(),
    )
  }

  // ---- closing

  /** Takes no more calls; resolves once those there are have ended (at the latest after `graceMs`) and sockets are gone. */
  close(graceMs = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.closing === undefined) {
      this.closing = new Deferred()
      this.pause?.clear()
      this.idle?.clear()
      this.round++
      for (const call of [...this.waiting]) {
        call.fail(Status.UNAVAILABLE, 'Channel closed before call started', undefined, 'connect')
      }
      this.connector?.stop()
      this.connector = undefined
      this.connectivity.set('SHUTDOWN')
      for (const connection of this.connections) {
        // Who awaits the end must not see the process end before it.
        connection.ref()
        if (connection.state !== 'connecting') connection.close()
      }
      this.connection = undefined
      this.finishClosing()
    }
    if (graceMs !== Number.POSITIVE_INFINITY && this.isLive) {
      this.graceTimer?.clear()
      if (graceMs <= 0) this.cut()
      else this.graceTimer = new LongTimer(graceMs, () => this.cut())
    }
    return this.closing.promise
  }

  private cut(): void {
    for (const call of this.calls.all()) {
      call.fail(Status.CANCELLED, 'Cancelled: the channel was closed')
    }
    for (const connection of this.connections) connection.destroy()
  }

  private finishClosing(): void {
    if (this.isLive) return
    this.graceTimer?.clear()
    if (this.connections.size === 0) this.closing!.resolve()
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** One status for all addresses that failed; the last one's words, every error as the cause. */
function connectFailure(name: string, errors: readonly Error[]): StatusError {
  const last = errors.at(-1)
  const phase: Phase =
    last instanceof ConnectionError && last.phase !== 'open' ? (last.phase satisfies Phase) : 'connect'
  const rest = errors.length > 1 ? ` (${errors.length} addresses tried)` : ''
  const cause =
    errors.length === 1 ? last : new AggregateError(errors, `no address of ${name} could be reached`)
  return new StatusError(
    Status.UNAVAILABLE,
    `No connection established. Last error: ${last?.message ?? 'no address'}${rest}`,
    { cause, phase },
  )
}
