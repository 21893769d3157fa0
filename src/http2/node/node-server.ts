/**
 * How a server of the `node` engine comes to its connections: it looks at the first octets before node:http2 sees
 * them, which would swallow what is no HTTP/2 without saying so.
 */
import type { Duplex } from 'node:stream'
import { CLIENT_PREFACE, describeFirstOctets, mayBePreface } from '../first-octets.ts'
import { acceptTls, ListeningServer, tellFailure } from '../listening.ts'
import { remoteAddress, SocketPeer } from '../peer.ts'
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
  const timeoutMs = options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS
  const server = new ListeningServer(options, timeoutMs, listener, (socket, peerAddress, connections) => {
    const relay = new RelayListener()
    const connection = createConnection(socket, peerAddress, options, relay, listener, connections)
    connections.add(connection)
    introduce(connection, relay, listener)
    awaitPreface(connection, socket)
  })
  return server.listen(address)
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
    acceptTls(
      duplex,
      options.tls,
      (socket) => {
        connection.replaceSocket(socket)
        connection.peer.secured(socket)
        introduce(connection, relay, listener)
        awaitPreface(connection, socket)
      },
      (error) => connection.fail(error),
    )
  })
  return connection
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

function ignore(): void {}
