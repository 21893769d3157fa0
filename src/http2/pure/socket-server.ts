/** The listening side of the `pure` engine: accepts sockets, performs TLS, keeps the set of connections. */
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { formatAddress } from '../addresses.ts'
import { ConnectionError } from '../errors.ts'
import { remoteAddress, SocketPeer } from '../peer.ts'
import { TlsAcceptor } from '../tls.ts'
import type { Http2Connection, Http2Server, ServerListener, SocketAddress } from '../transport.ts'
import { type CoreOptions, type PureListenOptions, resolveOptions } from './options.ts'
import type { PureConnection } from './pure-connection.ts'
import { SocketConnection } from './socket-connection.ts'

/** Starts to listen. @throws the socket's error, for example EADDRINUSE (as a rejection) */
export async function listen(
  address: SocketAddress,
  options: PureListenOptions,
  listener: ServerListener,
): Promise<Http2Server> {
  const server = new SocketServer(options, listener)
  await server.listen(address)
  return server
}

/** Speaks HTTP/2 as a server on a duplex stream that is connected already. */
export function acceptOn(
  duplex: Duplex,
  options: PureListenOptions,
  listener: ServerListener,
): SocketConnection {
  const resolved = resolveOptions(options, 'server')
  const connection = createConnection(duplex, remoteAddress(duplex), resolved, listener)
  process.nextTick(() => {
    if (connection.state === 'closed') return
    if (options.tls === undefined) {
      introduce(connection, listener)
      connection.start()
      return
    }
    connection.phase = 'tls'
    duplex.on('error', ignore)
    try {
      const acceptor = new TlsAcceptor(
        options.tls,
        0,
        (socket) => {
          connection.replaceSocket(socket)
          connection.peer.secured(socket)
          introduce(connection, listener)
          connection.start()
        },
        (error) => connection.fail(error),
      )
      acceptor.accept(duplex)
    } catch (cause) {
      connection.fail(tlsSetupFailure(cause))
    }
  })
  return connection
}

class SocketServer implements Http2Server {
  readonly connections = new Set<Http2Connection>()
  readonly #options: CoreOptions
  readonly #listener: ServerListener
  readonly #server: net.Server
  readonly #acceptor: TlsAcceptor | undefined
  #address = ''
  #unix = false

  constructor(options: PureListenOptions, listener: ServerListener) {
    this.#options = resolveOptions(options, 'server')
    this.#listener = listener
    this.#server = net.createServer({ noDelay: true }, (socket) => this.#accepted(socket))
    if (options.tls !== undefined) {
      this.#acceptor = new TlsAcceptor(
        options.tls,
        this.#options.handshakeTimeoutMs,
        (socket) => this.#open(socket),
        (error) => tellFailure(listener, error),
      )
      this.#acceptor.prepare()
    }
  }

  get address(): string {
    return this.#address
  }

  async listen(address: SocketAddress): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const where =
        'path' in address ? { path: address.path } : { host: address.host, port: address.port, backlog: 511 }
      this.#server.once('error', reject)
      this.#server.listen(where, () => {
        this.#server.off('error', reject)
        // Accepting fails, for example without free descriptors: the next one may succeed.
        this.#server.on('error', (cause) => tellFailure(this.#listener, acceptFailure(cause)))
        resolve()
      })
    })
    const bound = this.#server.address()
    this.#unix = typeof bound === 'string' || 'path' in address
    this.#address =
      bound === null || typeof bound === 'string'
        ? formatAddress(address)
        : formatAddress({ host: bound.address, port: bound.port })
  }

  close(): Promise<void> {
    // Resolves without waiting for connections: the callback of net.Server would.
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
      tellFailure(this.#listener, tlsSetupFailure(cause))
    }
  }

  #open(socket: Duplex): void {
    const address = remoteAddress(socket, this.#unix ? this.#address : undefined)
    const connection = createConnection(socket, address, this.#options, this.#listener, this.connections)
    this.connections.add(connection)
    introduce(connection, this.#listener)
    connection.start()
  }
}

function createConnection(
  socket: Duplex,
  address: string,
  options: CoreOptions,
  listener: ServerListener,
  connections?: Set<Http2Connection>,
): SocketConnection {
  const peer = new SocketPeer(socket, address)
  return new SocketConnection('server', socket, peer, options, (connection, error) => {
    connections?.delete(connection)
    if (error !== undefined && error.phase !== 'open') tellFailure(listener, error)
  })
}

/** Asks the server's listener who listens to a connection. */
export function introduce(connection: PureConnection, listener: ServerListener): void {
  try {
    connection.listener = listener.onConnection(connection)
  } catch (cause) {
    const words = 'the server refused it: onConnection threw'
    connection.core.life.fail(connection.core.life.error(words, { initiator: 'local', cause }))
  }
}

function tellFailure(listener: ServerListener, error: ConnectionError): void {
  try {
    listener.onFailure?.(error)
  } catch (thrown) {
    process.emitWarning(`onFailure of an HTTP/2 server threw: ${String(thrown)}`, 'GrpcGlassWarning')
  }
}

function tlsSetupFailure(cause: unknown): ConnectionError {
  const words = `TLS with a client failed: our certificate or key can't be used: ${(cause as Error).message}`
  return new ConnectionError(words, { initiator: 'local', phase: 'tls', cause })
}

function acceptFailure(cause: Error): ConnectionError {
  const words = `Accepting a connection failed: ${cause.message}`
  return new ConnectionError(words, { initiator: 'local', phase: 'connect', cause })
}

function ignore(): void {}
