/** What the contract suite stands on: listeners that write down what they hear, and pairs of connections. */
import type { Test } from 'tap'
import type { ConnectionError, StreamError } from '../../../src/http2/errors.ts'
import type {
  ConnectionListener,
  ConnectOptions,
  Fields,
  Goaway,
  Http2Connection,
  Http2Engine,
  Http2Server,
  Http2Stream,
  ListenOptions,
  OpenOptions,
  ServerListener,
  SocketAddress,
  StreamListener,
} from '../../../src/http2/transport.ts'

/** The engines of a run: of the client, and of the server. */
export interface Engines {
  readonly client: Http2Engine
  readonly server: Http2Engine
}

/** Something that wakes waiters whenever it changes. */
class Observable {
  readonly #waiters = new Set<() => void>()

  protected changed(): void {
    for (const waiter of this.#waiters) waiter()
  }

  /** Resolves as soon as `ready` holds. */
  until(ready: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!ready()) return
        this.#waiters.delete(look)
        resolve()
      }
      this.#waiters.add(look)
      look()
    })
  }
}

/** Hears a stream and writes it down. Consumes what comes, unless told to `hold`. */
export class StreamRecorder extends Observable implements StreamListener {
  /** The calls in their order; consecutive `data` count once. */
  readonly calls: string[] = []
  stream: Http2Stream | undefined
  headers: Fields = []
  headersEndStream = false
  trailers: Fields | undefined
  readonly chunks: Uint8Array[] = []
  sizeOctets = 0
  heldOctets = 0
  hold = false
  drains = 0
  closed = false
  error: StreamError | ConnectionError | undefined

  #called(name: string): void {
    if (this.closed) throw new Error(`${name} after onClose`)
    if (name !== 'data' || this.calls.at(-1) !== 'data') this.calls.push(name)
  }

  onHeaders(fields: Fields, endStream: boolean): void {
    this.#called('headers')
    this.headers = fields
    this.headersEndStream = endStream
    this.changed()
  }

  onData(chunk: Uint8Array, start: number, end: number): void {
    if (end <= start) throw new Error('onData without octets')
    this.#called('data')
    this.chunks.push(chunk.subarray(start, end))
    this.sizeOctets += end - start
    if (this.hold) this.heldOctets += end - start
    else this.stream?.consume(end - start)
    this.changed()
  }

  onTrailers(fields: Fields): void {
    this.#called('trailers')
    this.trailers = fields
    this.changed()
  }

  onEnd(): void {
    this.#called('end')
    this.changed()
  }

  onDrain(): void {
    this.drains++
    this.changed()
  }

  onClose(error?: StreamError | ConnectionError): void {
    this.#called('close')
    this.closed = true
    this.error = error
    this.changed()
  }

  /** Gives the credit back for all that was held, and for all that follows. */
  release(): void {
    this.hold = false
    const octets = this.heldOctets
    this.heldOctets = 0
    this.stream?.consume(octets)
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks)
  }

  get text(): string {
    return this.body.toString('latin1')
  }

  async closing(): Promise<this> {
    await this.until(() => this.closed)
    return this
  }

  called(name: string): Promise<void> {
    return this.until(() => this.calls.includes(name))
  }
}

/** A request as the server got it. */
export interface Incoming {
  readonly stream: Http2Stream
  readonly fields: Fields
  readonly endStream: boolean
  readonly heard: StreamRecorder
}

/** Hears a connection and writes it down. */
export class ConnectionRecorder extends Observable implements ConnectionListener {
  readonly calls: string[] = []
  connection: Http2Connection | undefined
  readonly requests: Incoming[] = []
  goaway: Goaway | undefined
  opened = false
  closed = false
  error: ConnectionError | undefined
  /** Called for each request, before it is listened to. */
  onRequest: ((request: Incoming) => void) | undefined

  onOpen(): void {
    this.calls.push('open')
    this.opened = true
    this.changed()
  }

  onSettings(): void {
    this.calls.push('settings')
  }

  onStream(stream: Http2Stream, fields: Fields, endStream: boolean): StreamListener {
    const heard = new StreamRecorder()
    heard.stream = stream
    const request = { stream, fields, endStream, heard }
    this.requests.push(request)
    this.onRequest?.(request)
    this.changed()
    return heard
  }

  onGoaway(goaway: Goaway): void {
    this.calls.push('goaway')
    this.goaway ??= goaway
    this.changed()
  }

  onClose(error?: ConnectionError): void {
    if (this.closed) throw new Error('onClose was called twice')
    this.calls.push('close')
    this.closed = true
    this.error = error
    this.changed()
  }

  /** The request number `index` (0 is the first), when it has come. */
  async request(index = 0): Promise<Incoming> {
    await this.until(() => this.requests.length > index)
    return this.requests[index] as Incoming
  }

  async closing(): Promise<this> {
    await this.until(() => this.closed)
    return this
  }
}

/** Hears a server and writes it down. */
export class ServerRecorder extends Observable implements ServerListener {
  readonly connections: ConnectionRecorder[] = []
  readonly failures: ConnectionError[] = []
  onRequest: ((request: Incoming) => void) | undefined

  onConnection(connection: Http2Connection): ConnectionListener {
    const heard = new ConnectionRecorder()
    heard.connection = connection
    heard.onRequest = (request) => this.onRequest?.(request)
    this.connections.push(heard)
    this.changed()
    return heard
  }

  onFailure(error: ConnectionError): void {
    this.failures.push(error)
    this.changed()
  }

  async connection(index = 0): Promise<ConnectionRecorder> {
    await this.until(() => this.connections.length > index)
    return this.connections[index] as ConnectionRecorder
  }

  async failure(index = 0): Promise<ConnectionError> {
    await this.until(() => this.failures.length > index)
    return this.failures[index] as ConnectionError
  }
}

/** Fields of a request, with more at the end. */
export const request = (...more: string[]): Fields => [
  ':method',
  'POST',
  ':scheme',
  'http',
  ':authority',
  'test',
  ':path',
  '/test.Service/Method',
  'te',
  'trailers',
  ...more,
]

/** Fields of a response, with more at the end. */
export const response = (...more: string[]): Fields => [
  ':status',
  '200',
  'content-type',
  'application/grpc',
  ...more,
]

/** Reads a printed address back. */
export function addressOf(server: Http2Server): SocketAddress {
  if (server.address.startsWith('unix:')) return { path: server.address.slice(5) }
  if (server.address.startsWith('unix-abstract:')) return { path: `\0${server.address.slice(14)}` }
  const colon = server.address.lastIndexOf(':')
  return {
    host: server.address.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(server.address.slice(colon + 1)),
  }
}

/** What {@link Pair.start} can be told. */
export interface PairOptions {
  client?: ConnectOptions
  server?: ListenOptions
  address?: SocketAddress
  /** What the server does with a request; by default nothing. */
  onRequest?: (request: Incoming) => void
}

/** Starts a server that ends with the test. */
export async function startServer(
  t: Test,
  engine: Http2Engine,
  options: ListenOptions = {},
  address: SocketAddress = { host: '127.0.0.1', port: 0 },
): Promise<{ server: Http2Server; heard: ServerRecorder }> {
  const heard = new ServerRecorder()
  const server = await engine.listen(address, options, heard)
  t.teardown(async () => {
    await server.close()
    for (const connection of [...server.connections]) connection.destroy()
    await Promise.all(heard.connections.map((connection) => connection.closing()))
  })
  return { server, heard }
}

/** Starts a client connection that ends with the test. */
export function startClient(
  t: Test,
  engine: Http2Engine,
  address: SocketAddress,
  options: ConnectOptions = {},
): { connection: Http2Connection; heard: ConnectionRecorder } {
  const heard = new ConnectionRecorder()
  const connection = engine.connect(address, options, heard)
  heard.connection = connection
  t.teardown(async () => {
    connection.destroy()
    await heard.closing()
  })
  return { connection, heard }
}

/** A client connection and the server it is connected to. */
export class Pair {
  readonly client: Http2Connection
  readonly clientHeard: ConnectionRecorder
  readonly server: Http2Server
  readonly serverHeard: ServerRecorder

  private constructor(
    client: Http2Connection,
    clientHeard: ConnectionRecorder,
    server: Http2Server,
    serverHeard: ServerRecorder,
  ) {
    this.client = client
    this.clientHeard = clientHeard
    this.server = server
    this.serverHeard = serverHeard
  }

  /** Starts both, and waits until the client's connection is open. */
  static async start(t: Test, engines: Engines, options: PairOptions = {}): Promise<Pair> {
    const { server, heard } = await startServer(t, engines.server, options.server, options.address)
    heard.onRequest = options.onRequest
    const client = startClient(t, engines.client, addressOf(server), options.client)
    await client.heard.until(() => client.heard.opened || client.heard.closed)
    if (client.heard.closed) throw client.heard.error ?? new Error('closed before it opened')
    return new Pair(client.connection, client.heard, server, heard)
  }

  /** A stream of the client with its recorder, headers not sent yet. */
  open(options?: OpenOptions): { stream: Http2Stream; heard: StreamRecorder } {
    const heard = new StreamRecorder()
    const stream = this.client.open(heard, options)
    heard.stream = stream
    return { stream, heard }
  }

  /** A stream of the client that has sent its headers, and the server's side of it. */
  async exchange(index = 0, options?: OpenOptions) {
    const { stream, heard } = this.open(options)
    stream.sendHeaders(request(), false)
    const incoming = await this.request(index)
    return { stream, heard, incoming }
  }

  /** The server's end of the connection. */
  connection(): Promise<ConnectionRecorder> {
    return this.serverHeard.connection()
  }

  async request(index = 0): Promise<Incoming> {
    return (await this.connection()).request(index)
  }
}

/** Lets everything that is ready happen: some turns of the event loop. */
export async function settle(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Waits; only where something must be shown not to happen, or a peer's timer is waited for. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
