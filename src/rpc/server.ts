/** A server: services with their handlers, listening sockets, and the calls that run. */
import { parseListenAddress } from '../http2/addresses.ts'
import type { ConnectionError } from '../http2/errors.ts'
import { createInProcessPair } from '../http2/index.ts'
import { LongTimer } from '../http2/long-timer.ts'
import { MemberList } from '../http2/member-list.ts'
import type {
  ConnectionListener,
  Fields,
  Http2Connection,
  Http2Server,
  Http2Stream,
  ListenOptions,
  ServerTls,
  StreamListener,
} from '../http2/transport.ts'
import { ErrorCode } from '../wire/frame/error-codes.ts'
import { encodeGrpcMessage } from '../wire/grpc/percent-encoding.ts'
import { Status } from '../wire/grpc/status-codes.ts'
import { parseTimeout } from '../wire/grpc/timeout.ts'
import { DEFAULT_MAX_MESSAGE_OCTETS } from '../wire/length-prefixed-message.ts'
import { runInCall } from './call-context.ts'
import type { CallSummary } from './call-summary.ts'
import type { ConnectTarget } from './channel-core.ts'
import { checkedServerOptions } from './check-options.ts'
import { acceptedEncodings, type MessageEncoding, messageEncoding } from './compression.ts'
import { Deferred } from './deferred.ts'
import { engineByName } from './engines.ts'
import type { HandlerCall, Handlers } from './handlers.ts'
import { DEFAULT_MIN_COMPRESS_OCTETS, type SendRules } from './message-framing.ts'
import { DEFAULT_MAX_METADATA_ENTRIES, excessiveEntries, excessText } from './metadata-limit.ts'
import type { Methods, Service } from './method.ts'
import { RefusedStream } from './refused-stream.ts'
import { type RequestHead, readRequestHead } from './request-headers.ts'
import { isProtoContentType } from './response-headers.ts'
import type { Route } from './route.ts'
import { ServerCall, type ServerCallHost } from './server-call.ts'
import { ServerConnection, type ServerConnectionHost } from './server-connection.ts'
import { interceptRoute } from './server-interceptor.ts'
import type { ServerOptions } from './server-options.ts'
import { UNWANTED_REQUEST_MS } from './unwanted-request.ts'

/** What {@link Server.listen} takes for one address. */
export interface ServerListenOptions {
  /** TLS; a function is asked for each connection, so certificates can change. Default: in the clear. */
  tls?: ServerTls | (() => ServerTls)
}

/** Time for the statuses of calls that are cut to reach their clients. */
const CUT_FLUSH_MS = 100
/** What a browser or curl is told. */
const NO_GRPC = Buffer.from(
  'This address serves gRPC: a request is a POST with content-type application/grpc.\n',
)
const NO_TIMEOUT = Number.POSITIVE_INFINITY

/**
 * A gRPC server.
 *
 * @example
 * const server = new Server()
 * server.add(helloworld.Greeter, { sayHello: ({ name }) => ({ message: `Hello ${name}` }) })
 * const address = await server.listen('127.0.0.1:50051')
 */
export class Server implements ServerCallHost, ServerConnectionHost {
  readonly responseFields: Fields
  /** Largest request message in octets, also after decompression. */
  readonly maxReceiveMessageOctets: number
  readonly unwantedRequestMs = UNWANTED_REQUEST_MS
  private readonly options: ServerOptions
  private readonly maxMetadataEntries: number
  private readonly encoding: MessageEncoding | undefined
  private readonly plainRules: SendRules
  private readonly routes = new Map<string, Route>()
  private readonly serviceList: Service[] = []
  private readonly sockets = new Set<Http2Server>()
  private readonly connections = new Set<Http2Connection>()
  private readonly calls = new MemberList<ServerCall>()
  private readonly closingListeners: (() => void)[] = []
  private closing: Deferred<void> | undefined = undefined
  private socketsClosed = false
  private graceTimer: LongTimer | undefined = undefined

  /** @throws TypeError on an unknown engine or compression, or a number that is not allowed */
  constructor(given: ServerOptions = {}) {
    const options = checkedServerOptions(given)
    this.options = options
    engineByName(options.engine)
    const { compression = 'identity' } = options
    this.encoding = messageEncoding(compression)
    if (this.encoding === undefined && compression !== 'identity') {
      throw new TypeError(
        `compression: ${JSON.stringify(compression)} is unknown; there are ${acceptedEncodings()}`,
      )
    }
    this.maxReceiveMessageOctets = options.maxReceiveMessageOctets ?? DEFAULT_MAX_MESSAGE_OCTETS
    this.maxMetadataEntries = options.maxMetadataEntries ?? DEFAULT_MAX_METADATA_ENTRIES
    this.responseFields = Object.freeze([
      ':status',
      '200',
      'content-type',
      'application/grpc',
      'grpc-accept-encoding',
      acceptedEncodings(),
    ])
    this.plainRules = {
      maxSendMessageOctets: options.maxSendMessageOctets ?? Number.POSITIVE_INFINITY,
      encoding: undefined,
      minCompressOctets: options.minCompressOctets ?? DEFAULT_MIN_COMPRESS_OCTETS,
      tooLarge: (sizeOctets, maxOctets) => `Sent message larger than max (${sizeOctets} vs. ${maxOctets})`,
    }
  }

  /** The services that were added. */
  get services(): readonly Service[] {
    return this.serviceList
  }

  /** How many calls run now, over all connections. */
  get runningCalls(): number {
    return this.calls.size
  }

  /**
   * Adds a service. Methods without a handler answer UNIMPLEMENTED.
   *
   * @param handlers functions by method name, in lower camel case or as in the .proto file; methods of a class
   *   instance keep their `this`
   * @throws TypeError if the service is there already, or a handler fits no method
   */
  add<M extends Methods>(service: Service<M>, handlers: Handlers<M>): this {
    if (this.serviceList.some(({ name }) => name === service.name)) {
      throw new TypeError(`server.add: the service ${service.name} was added already`)
    }
    const implementation = handlers as Readonly<Record<string, unknown>>
    const known = new Set<string>()
    for (const [key, method] of Object.entries(service.methods)) {
      known.add(key).add(method.name)
      const handler = handlerNamed(implementation, key) ?? handlerNamed(implementation, method.name)
      if (handler === undefined) continue
      if (typeof handler !== 'function') {
        throw new TypeError(
          `server.add: the handler ${key} of ${service.name} is a ${typeof handler}, not a function`,
        )
      }
      const route: Route = {
        method,
        handler: (request, call) => Reflect.apply(handler, implementation, [request, call]),
      }
      this.routes.set(method.path, this.around(route))
    }
    for (const [key, value] of Object.entries(implementation)) {
      if (typeof value === 'function' && !known.has(key)) {
        throw new TypeError(
          `server.add: ${service.name} has no method for the handler ${key}; it has ${[...known].join(', ')}`,
        )
      }
    }
    this.serviceList.push(service)
    return this
  }

  /** The route with what the options put around every handler. */
  private around(route: Route): Route {
    const { interceptors = [], callContext } = this.options
    const inner = interceptors.length === 0 ? route : interceptRoute(route, interceptors)
    if (callContext !== true) return inner
    return {
      method: inner.method,
      handler: (request, call) => runInCall(call, () => inner.handler(request, call)),
    }
  }

  /**
   * Listens; may be called for several addresses.
   *
   * @param address `host:port` (port 0 for a free one), `[v6]:port`, `:port`, `unix:path`, `unix-abstract:name`
   * @returns the address with its real port
   * @throws the socket's error, for example EADDRINUSE; TypeError if the address can't be understood
   */
  async listen(address: string, options: ServerListenOptions = {}): Promise<string> {
    if (this.closing !== undefined) throw new Error('server.listen: the server has been closed')
    const { onConnectionError } = this.options
    const listenOptions: ListenOptions = {
      ...this.options,
      ...(options.tls !== undefined && { tls: options.tls }),
    }
    const socket = await engineByName(this.options.engine).listen(
      parseListenAddress(address),
      listenOptions,
      {
        onConnection: (connection) => this.accepted(connection),
        onFailure: (error) => onConnectionError?.(error),
      },
    )
    this.sockets.add(socket)
    return socket.address
  }

  /**
   * A target for `connect` that reaches this server inside of the process: real HTTP/2 of the `pure` engine, but no
   * socket and no port.
   *
   * @throws Error (as UNAVAILABLE of a call) if the server has been closed
   * @example
   * await using channel = connect(server.inProcess())
   */
  inProcess(): ConnectTarget {
    const { tls: _tls, ...rest } = this.options as ListenOptions
    return {
      name: 'in-process',
      connect: (listener, options) => {
        const { tls: _clientTls, ...client } = options
        return createInProcessPair(
          listener,
          { onConnection: (connection) => this.accepted(connection) },
          { client, server: rest },
        ).client
      },
    }
  }

  /** For engines and tests: the listener of a connection that was accepted elsewhere. */
  accepted(connection: Http2Connection): ConnectionListener {
    this.connections.add(connection)
    if (this.closing !== undefined) connection.close()
    return new ServerConnection(this, connection)
  }

  /** For the listener of a connection. @param error why it ended, if it was open and failed */
  connectionClosed(connection: Http2Connection, error: ConnectionError | undefined): void {
    this.connections.delete(connection)
    if (error !== undefined) tell('onConnectionError', () => this.options.onConnectionError?.(error))
    this.finishClosing()
  }

  // ---- requests

  /** For the listener of a connection: a request arrived. */
  accept(stream: Http2Stream, fields: Fields): StreamListener {
    const head = readRequestHead(fields)
    // gRPC PROTOCOL-HTTP2 "Requests": Method is POST, Content-Type begins with application/grpc; of subtypes there is proto.
    if (head.method !== 'POST') return this.refuse(stream, head, '405', ['allow', 'POST'])
    if (!isProtoContentType(head.contentType))
      return this.refuse(stream, head, '415', ['accept', 'application/grpc'])
    const entries = excessiveEntries(fields, this.maxMetadataEntries)
    if (entries > 0) {
      const details = excessText(entries, this.maxMetadataEntries, 'the request headers')
      return this.reject(stream, head, Status.RESOURCE_EXHAUSTED, details)
    }
    let timeoutMs = NO_TIMEOUT
    if (head.timeout !== undefined) {
      try {
        timeoutMs = parseTimeout(head.timeout)
      } catch {
        return this.reject(
          stream,
          head,
          Status.INTERNAL,
          `Invalid grpc-timeout value ${JSON.stringify(head.timeout)}`,
        )
      }
      // No handler runs for nobody.
      if (timeoutMs === 0) return this.reject(stream, head, Status.DEADLINE_EXCEEDED, 'Deadline exceeded')
    }
    const route = this.routes.get(head.path ?? '')
    if (route === undefined) {
      const details = `The server does not implement the method ${head.path}`
      return this.reject(stream, head, Status.UNIMPLEMENTED, details)
    }
    if (head.encoding !== undefined && messageEncoding(head.encoding) === undefined) {
      // gRPC compression.md: the answer lists what is accepted.
      const details = `Received message compressed with unsupported encoding ${JSON.stringify(head.encoding)}`
      return this.reject(stream, head, Status.UNIMPLEMENTED, details, [
        'grpc-accept-encoding',
        acceptedEncodings(),
      ])
    }
    if (this.calls.size >= (this.options.maxConcurrentCalls ?? NO_TIMEOUT)) {
      const details = `The server runs ${this.calls.size} calls already, which is its limit; try again later`
      return this.reject(stream, head, Status.RESOURCE_EXHAUSTED, details)
    }
    const call = new ServerCall(this, route, stream, head, fields, timeoutMs)
    this.calls.add(call)
    if (call.method.requestStream) queueMicrotask(() => call.start())
    return call
  }

  /** Answers a request that is no gRPC with an HTTP status. */
  private refuse(stream: Http2Stream, head: RequestHead, httpStatus: string, extra: Fields): StreamListener {
    const length = ['content-type', 'text/plain; charset=utf-8', 'content-length', String(NO_GRPC.length)]
    const hasBody = head.method !== 'HEAD'
    stream.sendHeaders([':status', httpStatus, ...extra, ...length], !hasBody)
    if (hasBody) stream.sendData(NO_GRPC, true)
    this.log(
      stream,
      head,
      Status.UNKNOWN,
      `no gRPC request: ${head.method} with content-type ${head.contentType}`,
      Number(httpStatus),
    )
    return new RefusedStream(stream)
  }

  /** Answers a gRPC request that gets no handler with Trailers-Only. */
  private reject(
    stream: Http2Stream,
    head: RequestHead,
    code: number,
    details: string,
    extra: Fields = [],
  ): StreamListener {
    const status = ['grpc-status', String(code), 'grpc-message', encodeGrpcMessage(details)]
    stream.sendHeaders([':status', '200', 'content-type', 'application/grpc', ...status, ...extra], true)
    this.log(stream, head, code, details, 200)
    return new RefusedStream(stream)
  }

  private log(
    stream: Http2Stream,
    head: RequestHead,
    code: number,
    details: string,
    httpStatus: number,
  ): void {
    this.report({
      path: head.path ?? '',
      code,
      details,
      httpStatus,
      peer: stream.connection.peer.address,
      durationMs: 0,
      messagesReceived: 0,
      messagesSent: 0,
    })
  }

  private report(summary: CallSummary): void {
    tell('onCall', () => this.options.onCall?.(summary))
  }

  // ---- what calls ask of their server

  sendRules(acceptEncoding: string | undefined): SendRules {
    const { encoding } = this
    if (encoding === undefined || acceptEncoding === undefined) return this.plainRules
    const accepted = acceptEncoding.split(',').some((name) => name.trim() === encoding.name)
    return accepted ? { ...this.plainRules, encoding } : this.plainRules
  }

  handlerFailed(error: unknown, call: HandlerCall): void {
    tell('onHandlerError', () => this.options.onHandlerError?.(error, call))
  }

  ended(call: ServerCall): void {
    this.calls.delete(call)
    if (this.options.onCall === undefined) return
    this.report({
      path: call.method.path,
      code: call.code,
      details: call.details,
      httpStatus: 200,
      peer: call.peer.address,
      durationMs: Date.now() - call.startedMs,
      messagesReceived: call.messagesReceived,
      messagesSent: call.messagesSent,
    })
  }

  // ---- closing

  /**
   * Takes no more connections and calls (GOAWAY), waits for the running calls, and closes.
   * @param options.graceMs cancels what still runs after that many milliseconds; default none, 0 at once
   */
  close(options: { graceMs?: number } = {}): Promise<void> {
    if (this.closing === undefined) {
      this.closing = new Deferred()
      for (const listener of this.closingListeners) listener()
      for (const connection of this.connections) connection.close()
      Promise.allSettled([...this.sockets].map((socket) => socket.close())).then(() => {
        this.socketsClosed = true
        this.finishClosing()
      })
    }
    const { graceMs } = options
    if (graceMs !== undefined && !this.finishClosing()) {
      this.graceTimer?.clear()
      if (graceMs <= 0) this.cut()
      else this.graceTimer = new LongTimer(graceMs, () => this.cut())
    }
    return this.closing.promise
  }

  /**
   * Calls `listener` when the server begins to close, before clients are told; at once if it has begun already.
   * Calls that would not end by themselves, as those that watch something, should then.
   */
  onClosing(listener: () => void): void {
    if (this.closing === undefined) this.closingListeners.push(listener)
    else listener()
  }

  private cut(): void {
    for (const call of this.calls.all()) call.terminate(Status.UNAVAILABLE, 'The server is shutting down')
    // They close by themselves once the statuses are out; a peer that does not read them is not waited for.
    this.graceTimer = new LongTimer(CUT_FLUSH_MS, () => {
      for (const connection of [...this.connections]) connection.destroy(ErrorCode.NO_ERROR, 'server closed')
    })
  }

  private finishClosing(): boolean {
    if (this.closing === undefined || !this.socketsClosed || this.connections.size > 0) return false
    this.graceTimer?.clear()
    this.closing.resolve()
    return true
  }

  /** Closes at once, cancelling what still runs (`await using server = …`). */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ graceMs: 0 })
  }
}

/** Calls what a program gave to be told; what that throws must not end or hold up a call. */
function tell(name: string, listener: () => void): void {
  try {
    listener()
  } catch (thrown) {
    process.emitWarning(`${name} of a server threw: ${String(thrown)}`, 'GrpcGlassWarning')
  }
}

/** A handler by name; what every object has, such as `constructor`, counts only if it was put there. */
function handlerNamed(implementation: Readonly<Record<string, unknown>>, name: string): unknown {
  return name in Object.prototype && !Object.hasOwn(implementation, name) ? undefined : implementation[name]
}
