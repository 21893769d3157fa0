/**
 * How a client of the `node` engine comes to its connection: TCP or Unix domain socket, TLS, session; and
 * when the peer turns out not to speak HTTP/2, what it speaks instead.
 */
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { formatAddress } from '../addresses.ts'
import { connectFailureWords } from '../connect-failure.ts'
import { diagnosePlaintext, diagnoseTls } from '../diagnosis.ts'
import { remoteAddress, SocketPeer } from '../peer.ts'
import { alpnFailure, startClientTls, tlsFailure, tlsFailureWords } from '../tls.ts'
import type { ConnectionListener, ConnectOptions, SocketAddress } from '../transport.ts'
import { type Diagnosis, NodeConnection } from './node-connection.ts'

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 20_000

/** Starts a client connection; failures are told by `listener.onClose`. */
export function dial(
  address: SocketAddress,
  options: ConnectOptions,
  listener: ConnectionListener,
): NodeConnection {
  const socket = net.connect(
    'path' in address ? { path: address.path } : { host: address.host, port: address.port },
  )
  socket.setNoDelay(true)
  const name = formatAddress(address)
  const connection = createConnection(socket, name, options, listener)
  socket.once('error', (error) => {
    if (socket.connecting || connection.phase === 'connect')
      connection.fail(connectFailure(connection, error))
  })
  socket.once('connect', () => {
    if (options.tls === undefined) connection.startSession((octets) => diagnosePlaintext(address, octets))
    else secure(connection, socket, options, address)
  })
  return connection
}

/** Speaks HTTP/2 as a client on a duplex stream that is connected already. */
export function dialOn(
  duplex: Duplex,
  options: ConnectOptions,
  listener: ConnectionListener,
): NodeConnection {
  const connection = createConnection(duplex, remoteAddress(duplex), options, listener)
  // failures are told in a later turn
  process.nextTick(() => {
    if (connection.state === 'closed') return
    if (duplex.destroyed) {
      connection.fail(connection.connectionError('the stream handed in is destroyed', { initiator: 'local' }))
    } else if (options.tls === undefined) connection.startSession()
    else secure(connection, duplex, options, undefined)
  })
  return connection
}

function createConnection(
  socket: Duplex,
  address: string,
  options: ConnectOptions,
  listener: ConnectionListener,
): NodeConnection {
  const timeoutMs = options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS
  return new NodeConnection('client', socket, new SocketPeer(socket, address), options, timeoutMs, listener)
}

function secure(
  connection: NodeConnection,
  duplex: Duplex,
  options: ConnectOptions,
  target: SocketAddress | undefined,
): void {
  connection.enterPhase('tls')
  const { address } = connection.peer
  let socket: ReturnType<typeof startClientTls>
  try {
    const host = target !== undefined && 'host' in target ? target.host : undefined
    socket = startClientTls(duplex, options.tls ?? {}, host)
  } catch (cause) {
    const words = `our own certificate, key or ca can't be used: ${(cause as Error).message}`
    connection.fail(connection.connectionError(words, { initiator: 'local', cause }))
    return
  }
  duplex.on('error', ignore)
  connection.replaceSocket(socket)
  connection.peer.secured(socket)
  socket.on('error', (error: NodeJS.ErrnoException) => {
    // later errors are the session's
    if (connection.phase !== 'tls') return
    const failure = tlsFailure(error, 'client', address)
    if (error.code !== 'ECONNRESET' || target === undefined) connection.fail(failure)
    else connection.failAfter(diagnoseTls(target), failure)
  })
  socket.once('secureConnect', () => {
    const failure = alpnFailure(socket, 'client', address)
    if (failure === undefined) connection.startSession(afterTls(socket))
    else connection.fail(failure)
  })
}

/** TLS 1.3 lets the server refuse our certificate after the handshake has ended for us. */
function afterTls(socket: ReturnType<typeof startClientTls>): Diagnosis {
  let code = ''
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? ''
  })
  return async () => tlsFailureWords(code, 'client')
}

function connectFailure(connection: NodeConnection, cause: NodeJS.ErrnoException) {
  return connection.connectionError(connectFailureWords(cause), { initiator: 'peer', cause }, 'connect')
}

function ignore(): void {}
