/**
 * A tap in the way: listens on a loopback address, forwards each connection to a target, and shows the octets
 * of both directions to a dissector (or to anybody) on the way. Octets are forwarded unchanged and first.
 *
 * In the clear only: of TLS it sees what any tap sees. Connections and their buffers are bounded.
 */
import { createServer, connect as dial, isIPv4, type Server, type Socket } from 'node:net'
import { formatAddress } from '../http2/addresses.ts'
import type { SocketAddress } from '../http2/transport.ts'
import { Dissector, type DissectorOptions } from './dissector.ts'
import type { InspectEvent, Sender } from './events.ts'

/** Options of a {@link TapProxy}. */
export interface TapOptions extends Omit<DissectorOptions, 'onEvent' | 'connection'> {
  /** Where to forward to. */
  target: SocketAddress
  /** Called with each event of each connection, after the octets were forwarded. */
  onEvent?: (event: InspectEvent) => void
  /** Called with the raw octets, before their events; they must not be changed. */
  onOctets?: (connection: number, sender: Sender, octets: Uint8Array, timeMs: number) => void
  /** Loopback address to listen on; default 127.0.0.1. */
  host?: string
  /** Port to listen on; default one that is free. */
  port?: number
  /** Connections forwarded at once; a further one is closed. Default 64. */
  maxConnections?: number
  /** Clock of the events, in milliseconds; default `performance.now`. */
  now?: () => number
}

const DEFAULT_MAX_CONNECTIONS = 64

/**
 * A proxy that shows what goes through it.
 *
 * @example
 * await using tap = new TapProxy({ target: { host: '127.0.0.1', port: 50051 }, onEvent: console.log })
 * const address = await tap.listen()
 * await using channel = connect(address)
 */
export class TapProxy {
  readonly #options: TapOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #now: () => number
  #connections = 0
  #accepted = 0

  /** @throws TypeError if `host` is not a loopback address: a tap shows everything to who can connect */
  constructor(options: TapOptions) {
    const { host = '127.0.0.1' } = options
    if (!isLoopback(host)) {
      throw new TypeError(`a tap listens on loopback only, not on ${host}; use 127.0.0.1, ::1 or localhost`)
    }
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#onConnection(socket),
    )
  }

  /**
   * Starts to listen.
   *
   * @returns the address for clients, for example `127.0.0.1:40123`
   * @throws the socket's error, for example EADDRINUSE (as a rejection)
   */
  async listen(): Promise<string> {
    const { host = '127.0.0.1', port = 0 } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.removeListener('error', reject)
        resolve()
      })
    })
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('a tap listens on TCP')
    return formatAddress({ host: address.address, port: address.port })
  }

  /** Connections being forwarded now. */
  get openConnections(): number {
    return this.#connections
  }

  /** Stops listening and cuts all connections. Resolves when the listening socket is closed. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (!this.#server.listening) return
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #onConnection(client: Socket): void {
    if (this.#connections >= (this.#options.maxConnections ?? DEFAULT_MAX_CONNECTIONS)) {
      client.destroy()
      return
    }
    this.#connections++
    const connection = ++this.#accepted
    const { target, onEvent } = this.#options
    const dissector =
      onEvent === undefined ? undefined : new Dissector({ ...this.#options, onEvent, connection })
    const server = dial({ ...target, allowHalfOpen: true, noDelay: true })
    this.#sockets.add(client)
    this.#sockets.add(server)
    this.#forward(connection, dissector, 'client', client, server)
    this.#forward(connection, dissector, 'server', server, client)
    let open = 2
    for (const socket of [client, server]) {
      socket.once('close', () => {
        this.#sockets.delete(socket)
        if (--open === 0) this.#connections--
      })
    }
  }

  /** Forwards what `from` sends to `to`, no faster than `to` takes it. */
  #forward(
    connection: number,
    dissector: Dissector | undefined,
    sender: Sender,
    from: Socket,
    to: Socket,
  ): void {
    let failure: string | undefined
    let ended = false
    const end = (error?: string): void => {
      if (ended) return
      ended = true
      dissector?.end(sender, this.#now(), error)
    }
    from.on('data', (chunk) => {
      const timeMs = this.#now()
      if (!to.write(chunk)) from.pause()
      this.#options.onOctets?.(connection, sender, chunk, timeMs)
      dissector?.push(sender, chunk, timeMs)
    })
    to.on('drain', () => from.resume())
    from.once('end', () => {
      to.end()
      end()
    })
    from.once('error', (error) => {
      failure = error.message
    })
    from.once('close', () => {
      // Cut short: the other side shall see that too, and not wait.
      if (failure !== undefined) to.resetAndDestroy()
      else if (!ended) to.destroy()
      end(failure ?? 'the connection was cut')
    })
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
