/** How a client of the `pure` engine comes to its connection: TCP or Unix domain socket, TLS, HTTP/2. */
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { formatAddress } from '../addresses.ts'
import { connectFailureWords } from '../connect-failure.ts'
import { diagnosePlaintext, diagnoseTls } from '../diagnosis.ts'
import { remoteAddress, SocketPeer } from '../peer.ts'
import { alpnFailure, startClientTls, tlsFailure } from '../tls.ts'
import type { ConnectionListener, SocketAddress } from '../transport.ts'
import { type PureConnectOptions, resolveOptions } from './options.ts'
import { SocketConnection } from './socket-connection.ts'

/** Starts a client connection; failures are told by `listener.onClose`. */
export function dial(
  address: SocketAddress,
  options: PureConnectOptions,
  listener: ConnectionListener,
): SocketConnection {
  const socket = net.connect(
    'path' in address ? { path: address.path } : { host: address.host, port: address.port },
  )
  socket.setNoDelay(true)
  const connection = createConnection(socket, formatAddress(address), options, listener)
  socket.once('error', (error) => {
    if (connection.phase !== 'connect') return
    connection.fail(
      connection.core.life.error(connectFailureWords(error), { initiator: 'peer', cause: error }),
    )
  })
  socket.once('connect', () => {
    if (options.tls === undefined) connection.start(() => diagnosePlaintext(address, 0))
    else secure(connection, socket, options, address)
  })
  return connection
}

/** Speaks HTTP/2 as a client on a duplex stream that is connected already. */
export function dialOn(
  duplex: Duplex,
  options: PureConnectOptions,
  listener: ConnectionListener,
): SocketConnection {
  const connection = createConnection(duplex, remoteAddress(duplex), options, listener)
  // Failures are told in a later turn.
  process.nextTick(() => {
    if (connection.state === 'closed') return
    if (duplex.destroyed) {
      connection.fail(connection.core.life.error('the stream handed in is destroyed', { initiator: 'local' }))
    } else if (options.tls === undefined) connection.start()
    else secure(connection, duplex, options, undefined)
  })
  return connection
}

function createConnection(
  socket: Duplex,
  address: string,
  options: PureConnectOptions,
  listener: ConnectionListener,
): SocketConnection {
  const peer = new SocketPeer(socket, address)
  const connection = new SocketConnection('client', socket, peer, resolveOptions(options, 'client'))
  connection.listener = listener
  return connection
}

function secure(
  connection: SocketConnection,
  duplex: Duplex,
  options: PureConnectOptions,
  target: SocketAddress | undefined,
): void {
  connection.phase = 'tls'
  const { address } = connection.peer
  let socket: ReturnType<typeof startClientTls>
  try {
    const host = target !== undefined && 'host' in target ? target.host : undefined
    socket = startClientTls(duplex, options.tls ?? {}, host)
  } catch (cause) {
    const words = `our own certificate, key or ca can't be used: ${(cause as Error).message}`
    connection.fail(connection.core.life.error(words, { initiator: 'local', cause }))
    return
  }
  duplex.on('error', ignore)
  connection.replaceSocket(socket)
  connection.peer.secured(socket)
  socket.on('error', (error: NodeJS.ErrnoException) => {
    // TLS 1.3 lets the server refuse our certificate after the handshake has ended for us.
    if (connection.phase === 'open') return
    const fail = (words?: string) => {
      const failure = tlsFailure(error, 'client', address)
      connection.fail(
        words === undefined
          ? failure
          : connection.core.life.error(words, { initiator: 'peer', cause: error }),
      )
    }
    if (error.code === 'ECONNRESET' && target !== undefined && connection.phase === 'tls') {
      diagnoseTls(target).then(fail, () => fail())
    } else fail()
  })
  socket.once('secureConnect', () => {
    const failure = alpnFailure(socket, 'client', address)
    if (failure === undefined) connection.start()
    else connection.fail(failure)
  })
}

function ignore(): void {}
