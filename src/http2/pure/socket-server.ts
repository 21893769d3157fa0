/** How a server of the `pure` engine comes to its connections: from sockets that listen, or one by one. */
import type { Duplex } from 'node:stream'
import { acceptTls, ListeningServer, tellFailure } from '../listening.ts'
import { remoteAddress, SocketPeer } from '../peer.ts'
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
  const resolved = resolveOptions(options, 'server')
  const timeoutMs = resolved.handshakeTimeoutMs
  const server = new ListeningServer(options, timeoutMs, listener, (socket, peerAddress, connections) => {
    const connection = createConnection(socket, peerAddress, resolved, listener, connections)
    connections.add(connection)
    introduce(connection, listener)
    connection.start()
  })
  return server.listen(address)
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
    acceptTls(
      duplex,
      options.tls,
      (socket) => {
        connection.replaceSocket(socket)
        connection.peer.secured(socket)
        introduce(connection, listener)
        connection.start()
      },
      (error) => connection.fail(error),
    )
  })
  return connection
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
