/**
 * The listening side of the `node` engine: accepts sockets, performs TLS, looks at the first octets before
 * node:http2 sees them (it would swallow what is no HTTP/2 without saying so), and keeps the set of
 * connections.
 */
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { formatAddress } from '../addresses.ts'
import { ConnectionError } from '../errors.ts'
import { CLIENT_PREFACE, describeFirstOctets, mayBePreface } from '../first-octets.ts'
import { remoteAddress, SocketPeer } from '../peer.ts'
import { TlsAcceptor } from '../tls.ts'
import type {
  ConnectionListener,
  Http2Connection,
  Http2Server,
  ListenOptions,
  ServerListener,
  SocketAddress,
} from '../transport.ts'
import { NodeConnection } from './node-connection.ts'

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000

/** What a client without preface is told: empty SETTINGS, and GOAWAY with PROTOCOL_ERROR (RFC 9113 §3.4). */
const GOODBYE = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])

/** Starts to listen. @throws the socket's error, for example EADDRINUSE (as a rejection) */
export async function listen(
  address: SocketAddress,
  options: ListenOptions,
  listener: ServerListener,
): Promise<Http2Server> {
  const server = new NodeServer(options, listener)
  await server.listen(address)
  return server
}

/** Speaks HTTP/2 as a server on a duplex stream that is connected already. */
export function acceptOn(duplex: Duplex, options: ListenOptions, listener: ServerListener): NodeConnection {
  const relay = new RelayListener()
  const connection = createConnection(duplex, remoteAddress(duplex), options, relay, listener)
  process.nextTick(() => {
    if (options.tls === undefined) {
      introduce(connection, relay, listener)
      awaitPreface(connection, duplex)
      return
    }
    connection.enterPhase('tls')
    duplex.on('error', ignore)
    try {
      new TlsAcceptor(
        options.tls,
        0,
        (socket) => {
          connection.replaceSocket(socket)
          connection.peer.secured(socket)
          introduce(connection, relay, listener)
          awaitPreface(connection, socket)
        },
        (error) => connection.fail(error),
      ).accept(duplex)
    } catch (cause) {
      connection.fail(tlsSetupFailure(cause))
    }
  })
  return connection
}

class NodeServer implements Http2Server {
  readonly connections = new Set<Http2Connection>()
  readonly #options: ListenOptions
  readonly #listener: ServerListener
  readonly #server: net.Server
  readonly #acceptor: TlsAcceptor | undefined
  #address = ''
  #unix = false

  constructor(options: ListenOptions, listener: ServerListener) {
    this.#options = options
    this.#listener = listener
    this.#server = net.createServer({ noDelay: true }, (socket) => this.#accepted(socket))
    if (options.tls !== undefined) {
      this.#acceptor = new TlsAcceptor(
        options.tls,
        options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
        (socket) => this.#open(socket),
        (error) => this.#failed(error),
      )
      this.#acceptor.prepare()
    }
  }

  get address(): string {
    return this.#address
  }

  async listen(address: SocketAddress): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(
        'path' in address ? { path: address.path } : { host: address.host, port: address.port },
        () => {
          this.#server.off('error', reject)
          // accept fails, for example without free descriptors: the next one may succeed
          this.#server.on('error', (cause) => this.#failed(acceptFailure(cause)))
          resolve()
        },
      )
    })
    const bound = this.#server.address()
    this.#unix = typeof bound === 'string' || 'path' in address
    this.#address =
      bound === null || typeof bound === 'string'
        ? formatAddress(address)
        : formatAddress({ host: bound.address, port: bound.port })
  }

  close(): Promise<void> {
    // resolves without waiting for connections: net.Server's own callback would
    return new Promise((resolve) => {
      this.#server.close()
      setImmediate(resolve)
    })
  }

  #accepted(socket: net.Socket): void {
    if (this.#acceptor === undefined) {
      this.#open(socket)
      return
    }
    try {
      this.#acceptor.accept(socket)
    } catch (cause) {
      socket.destroy()
      this.#failed(tlsSetupFailure(cause))
    }
  }

  #open(socket: Duplex): void {
    const address = remoteAddress(socket, this.#unix ? this.#address : undefined)
    const relay = new RelayListener()
    const connection = createConnection(
      socket,
      address,
      this.#options,
      relay,
      this.#listener,
      this.connections,
    )
    this.connections.add(connection)
    introduce(connection, relay, this.#listener)
    awaitPreface(connection, socket)
  }

  #failed(error: ConnectionError): void {
    tellFailure(this.#listener, error)
  }
}

/** Stands in until the server's listener has said who listens to the connection. */
class RelayListener implements ConnectionListener {
  target: ConnectionListener | undefined = undefined
  onOpen(): void {
    this.target?.onOpen()
  }
  onStream(...args: Parameters<NonNullable<ConnectionListener['onStream']>>) {
    const listener = this.target?.onStream?.(...args)
    if (listener === undefined) throw new Error('the connection listener has no onStream')
    return listener
  }
  onSettings(...args: Parameters<NonNullable<ConnectionListener['onSettings']>>): void {
    this.target?.onSettings?.(...args)
  }
  onGoaway(...args: Parameters<ConnectionListener['onGoaway']>): void {
    this.target?.onGoaway(...args)
  }
  onClose(...args: Parameters<ConnectionListener['onClose']>): void {
    this.target?.onClose(...args)
  }
}

function createConnection(
  socket: Duplex,
  address: string,
  options: ListenOptions,
  relay: RelayListener,
  listener: ServerListener,
  connections?: Set<Http2Connection>,
): NodeConnection {
  const timeoutMs = options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS
  const peer = new SocketPeer(socket, address)
  return new NodeConnection('server', socket, peer, options, timeoutMs, relay, (connection, error) => {
    connections?.delete(connection)
    if (error !== undefined && error.phase !== 'open') tellFailure(listener, error)
  })
}

function introduce(connection: NodeConnection, relay: RelayListener, listener: ServerListener): void {
  try {
    relay.target = listener.onConnection(connection)
  } catch (cause) {
    connection.fail(
      connection.connectionError('the server refused it: onConnection threw', { initiator: 'local', cause }),
    )
  }
}

/** Reads the client's preface, checks it, and gives it back to the socket for node:http2. */
function awaitPreface(connection: NodeConnection, socket: Duplex): void {
  connection.enterPhase('settings')
  let octets: Buffer = Buffer.alloc(0)
  const settle = () => {
    socket.off('readable', read)
    socket.off('end', ended)
    socket.off('close', ended)
    socket.off('error', failed)
  }
  const read = () => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      octets = octets.length === 0 ? chunk : Buffer.concat([octets, chunk])
    }
    if (!mayBePreface(octets)) {
      settle()
      const words = describeFirstOctets(octets, 'server') ?? 'the connection preface is wrong'
      socket.write(GOODBYE)
      connection.fail(connection.connectionError(words, { initiator: 'peer', section: 'RFC 9113 §3.4' }))
    } else if (octets.length >= CLIENT_PREFACE.length) {
      settle()
      socket.unshift(octets)
      connection.startSession()
    }
  }
  const ended = () => {
    settle()
    const words =
      octets.length === 0 ? 'the peer closed it without a word' : 'the peer closed it within its preface'
    connection.fail(connection.connectionError(words, { initiator: 'peer', section: 'RFC 9113 §3.4' }))
  }
  const failed = (cause: Error) => {
    settle()
    socket.on('error', ignore)
    connection.fail(connection.connectionError(cause.message, { initiator: 'peer', cause }))
  }
  socket.on('readable', read)
  socket.on('end', ended)
  socket.on('close', ended)
  socket.on('error', failed)
}

function tellFailure(listener: ServerListener, error: ConnectionError): void {
  try {
    listener.onFailure?.(error)
  } catch (thrown) {
    process.emitWarning(`onFailure of an HTTP/2 server threw: ${String(thrown)}`, 'GrpcGlassWarning')
  }
}

function tlsSetupFailure(cause: unknown): ConnectionError {
  return new ConnectionError(
    `TLS with a client failed: our certificate or key can't be used: ${(cause as Error).message}`,
    {
      initiator: 'local',
      phase: 'tls',
      cause,
    },
  )
}

function acceptFailure(cause: Error): ConnectionError {
  return new ConnectionError(`Accepting a connection failed: ${cause.message}`, {
    initiator: 'local',
    phase: 'connect',
    cause,
  })
}

function ignore(): void {}
