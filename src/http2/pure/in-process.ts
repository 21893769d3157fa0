/**
 * Two connections of the `pure` engine joined in memory: HTTP/2 between a client and a server of one process,
 * without a socket. For in-process channels and for tests.
 *
 * The octets are the real ones, frames and HPACK included. Each end gets its turn by `setImmediate`, and hands
 * what it has to the other end's turn.
 */
import type { ConnectionListener, Http2Connection, PeerInfo, ServerListener } from '../transport.ts'
import { type PureConnectOptions, type PureListenOptions, resolveOptions } from './options.ts'
import { PureConnection } from './pure-connection.ts'
import { introduce } from './socket-server.ts'

const PEER: PeerInfo = {
  address: 'in-process',
  encrypted: false,
  authorized: false,
  alpnProtocol: undefined,
  certificate: undefined,
}

/** Octets on their way to the other end above which an end waits, as a socket's buffer would make it. */
const IN_FLIGHT_OCTETS = 262_144

/** One end of a pair in memory. */
class MemoryConnection extends PureConnection {
  readonly peer = PEER
  /** The other end. */
  other!: MemoryConnection
  #incoming: Uint8Array[] = []
  #incomingOctets = 0
  #scheduled = false
  #ended = false
  #gone = false
  #otherEnded = false
  #timer: NodeJS.Timeout | undefined = undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #referenced = true
  readonly #run = () => this.#turn()

  start(): void {
    this.core.start(performance.now())
  }

  wake(): void {
    this.core.context.nowMs = performance.now()
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#run)
  }

  #turn(): void {
    this.#scheduled = false
    const { core } = this
    const nowMs = performance.now()
    if (this.#gone) {
      core.tellEnd()
      return
    }
    if (this.#incoming.length > 0) {
      const incoming = this.#incoming
      this.#incoming = []
      const full = this.#incomingOctets >= IN_FLIGHT_OCTETS
      this.#incomingOctets = 0
      for (const chunk of incoming) core.receive(chunk, nowMs)
      if (full) this.other.#schedule()
    }
    if (this.#otherEnded) core.receiveEnd(nowMs)
    core.turn()
    this.#send()
    if (core.finished) this.#finish()
    else this.#arm()
  }

  #send(): void {
    const { core, other } = this
    const { output } = core.context
    if (other.#incomingOctets >= IN_FLIGHT_OCTETS && !core.finished) return
    if (output.sizeOctets > 0) {
      for (const part of core.takeOutput()) {
        if (other.#gone) break
        // The other end may keep what it gets: written frames are copied out of the pooled buffer.
        other.#incoming.push(output.owns(part) ? Buffer.from(part) : part)
        other.#incomingOctets += part.length
      }
      core.outputTaken(true)
      other.#schedule()
    } else if (output.isOpen) {
      output.release(true)
    }
    if (core.hasMore) this.#schedule()
  }

  #finish(): void {
    if (!this.#ended) {
      this.#ended = true
      clearTimeout(this.#timer)
      this.other.#otherEnded = true
      this.other.#schedule()
    }
    if (!this.#otherEnded) return
    this.#gone = true
    this.core.socketClosed(performance.now())
    this.core.tellEnd()
  }

  #arm(): void {
    const at = this.core.nextTimeoutMs()
    if (at >= this.#timerAtMs && at !== Number.POSITIVE_INFINITY) return
    clearTimeout(this.#timer)
    this.#timerAtMs = at
    if (at === Number.POSITIVE_INFINITY) return
    const delay = Math.min(Math.max(at - performance.now(), 0) + 1, 0x7fffffff)
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Number.POSITIVE_INFINITY
      this.core.handleTimeout(performance.now())
      this.#turn()
    }, delay)
    if (!this.#referenced) this.#timer.unref()
  }

  // Without a socket it is the next deadline, if there is one, that keeps the process alive.
  ref(): void {
    this.#referenced = true
    this.#timer?.ref()
  }

  unref(): void {
    this.#referenced = false
    this.#timer?.unref()
  }
}

/** Options of {@link createInProcessPair}. */
export interface InProcessPairOptions {
  /** Options of the client's end. */
  client?: PureConnectOptions
  /** Options of the server's end. */
  server?: PureListenOptions
}

/**
 * Joins a client and a server connection in memory.
 *
 * @param serverListener hears `onConnection` before this returns
 * @returns both ends; each closes when the other does
 * @example
 * const { client } = createInProcessPair(clientListener, { onConnection: () => serverSide })
 * client.open(streamListener).sendHeaders(fields, true)
 */
export function createInProcessPair(
  clientListener: ConnectionListener,
  serverListener: ServerListener,
  options: InProcessPairOptions = {},
): { client: Http2Connection; server: Http2Connection } {
  const client = new MemoryConnection('client', resolveOptions(options.client ?? {}, 'client'), 'in-process')
  const server = new MemoryConnection('server', resolveOptions(options.server ?? {}, 'server'), 'in-process')
  client.other = server
  server.other = client
  client.listener = clientListener
  introduce(server, serverListener)
  server.start()
  client.start()
  return { client, server }
}
