/**
 * The listening side that both engines share: sockets are accepted, TLS is performed, and the set of connections
 * is kept. What then speaks HTTP/2 on a socket is the engine's.
 */
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { formatAddress } from './addresses.ts'
import { ConnectionError } from './errors.ts'
import { remoteAddress } from './peer.ts'
import { TlsAcceptor } from './tls.ts'
import type {
  Http2Connection,
  Http2Server,
  ListenOptions,
  ServerListener,
  ServerTls,
  SocketAddress,
} from './transport.ts'

/** Makes the engine's connection on a socket that is ready for HTTP/2, and puts it into the set while it lives. */
export type OpenConnection = (socket: Duplex, address: string, connections: Set<Http2Connection>) => void

/** A listening socket of either engine. */
export class ListeningServer implements Http2Server {
  readonly connections = new Set<Http2Connection>()
  readonly #listener: ServerListener
  readonly #openConnection: OpenConnection
  readonly #server: net.Server
  readonly #acceptor: TlsAcceptor | undefined
  #address = ''
  #unix = false

  /**
   * @param handshakeTimeoutMs time for TLS
   * @throws Error if `options.tls` can't be used
   */
  constructor(
    options: ListenOptions,
    handshakeTimeoutMs: number,
    listener: ServerListener,
    openConnection: OpenConnection,
  ) {
    this.#listener = listener
    this.#openConnection = openConnection
    this.#server = net.createServer({ noDelay: true }, (socket) => this.#accepted(socket))
    if (options.tls !== undefined) {
      this.#acceptor = new TlsAcceptor(
        options.tls,
        handshakeTimeoutMs,
        (socket) => this.#open(socket),
        (error) => tellFailure(listener, error),
      )
      this.#acceptor.prepare()
    }
  }

  get address(): string {
    return this.#address
  }

  /** Starts to listen. @throws the socket's error, for example EADDRINUSE (as a rejection) */
  async listen(address: SocketAddress): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(
        'path' in address ? { path: address.path } : { host: address.host, port: address.port },
        () => {
          this.#server.off('error', reject)
          // Accepting fails, for example without free descriptors: the next one may succeed.
          this.#server.on('error', (cause) => tellFailure(this.#listener, acceptFailure(cause)))
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
    return this
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
    this.#openConnection(socket, address, this.connections)
  }
}

/** Performs TLS on one stream that was accepted elsewhere; one of the callbacks is called, once. */
export function acceptTls(
  duplex: Duplex,
  tls: ServerTls | (() => ServerTls),
  onSecure: ConstructorParameters<typeof TlsAcceptor>[2],
  onFailure: (error: ConnectionError) => void,
): void {
  duplex.on('error', ignore)
  try {
    new TlsAcceptor(tls, 0, onSecure, onFailure).accept(duplex)
  } catch (cause) {
    onFailure(tlsSetupFailure(cause))
  }
}

/** Tells a server's listener of a connection that failed before it was open. */
export function tellFailure(listener: ServerListener, error: ConnectionError): void {
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
