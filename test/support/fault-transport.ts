/**
 * A network in memory that misbehaves on purpose, and always in the same way for the same seed: octets arrive in
 * pieces, late and in odd turns of the event loop; after a number of octets they vanish, or the connection is
 * reset or ended. Each direction keeps its order, as TCP does.
 *
 * {@link faultyEngine} puts it under any engine, so that every test of calls can run over it.
 */
import { Duplex } from 'node:stream'
import type {
  ConnectionListener,
  ConnectOptions,
  Http2Connection,
  Http2Engine,
  Http2Server,
  ListenOptions,
  ServerListener,
  SocketAddress,
} from '../../src/http2/transport.ts'

/** What goes wrong. */
export interface Faults {
  /** Decides every random choice; print {@link describeFaults} when a test fails. */
  seed: number
  /** How octets are cut: as written, each alone, or at random places. Default `random`. */
  cut?: 'none' | 'every-octet' | 'random'
  /** Most turns of the event loop that a piece waits; default 3. */
  maxDelayTurns?: number
  /** After how many octets (both directions together) `then` happens; default never. */
  after?: number
  /** `drop`: octets vanish from there on. `reset`: both ends fail. `end`: both ends close in order. */
  then?: 'drop' | 'reset' | 'end'
}

/** The faults as text, for the message of a failed test. */
export function describeFaults(faults: Faults): string {
  return `faults ${JSON.stringify(faults)}`
}

/** Deterministic random numbers (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

class FaultEnd extends Duplex {
  other!: FaultEnd
  readonly #wire: Wire

  constructor(wire: Wire) {
    super({ allowHalfOpen: false })
    this.#wire = wire
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#wire.carry(this.other, Buffer.from(chunk), done)
  }

  override _final(done: () => void): void {
    this.#wire.carry(this.other, null, done)
  }

  override _read(): void {}

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wire.carry(this.other, null, () => {})
    done(error)
  }
}

/** Carries octets between two ends, with faults. */
class Wire {
  readonly #faults: Required<Omit<Faults, 'after' | 'then'>> & Faults
  readonly #random: (below: number) => number
  readonly #queues = new Map<FaultEnd, { chunk: Buffer | null; done: (error?: Error) => void }[]>()
  readonly #busy = new Set<FaultEnd>()
  #carried = 0
  #broken = false

  constructor(faults: Faults) {
    this.#faults = { cut: 'random', maxDelayTurns: 3, ...faults }
    this.#random = randomOf(faults.seed)
  }

  carry(to: FaultEnd, chunk: Buffer | null, done: (error?: Error) => void): void {
    const queue = this.#queues.get(to) ?? []
    this.#queues.set(to, queue)
    queue.push({ chunk, done })
    if (!this.#busy.has(to)) {
      this.#busy.add(to)
      this.#later(() => this.#deliver(to, queue))
    }
  }

  #later(act: () => void): void {
    const turns = this.#random(this.#faults.maxDelayTurns + 1)
    const step = (left: number) => {
      if (left === 0) act()
      else setImmediate(step, left - 1)
    }
    setImmediate(step, turns)
  }

  #deliver(to: FaultEnd, queue: { chunk: Buffer | null; done: (error?: Error) => void }[]): void {
    const first = queue[0]
    if (first === undefined) {
      this.#busy.delete(to)
      return
    }
    if (first.chunk === null || first.chunk.length === 0) {
      queue.shift()
      if (first.chunk === null && !this.#broken && !to.destroyed) to.push(null)
      first.done()
    } else {
      const size = this.#pieceSize(first.chunk.length)
      const piece = first.chunk.subarray(0, size)
      first.chunk = first.chunk.subarray(size)
      this.#give(to, piece)
    }
    this.#later(() => this.#deliver(to, queue))
  }

  #pieceSize(left: number): number {
    const { cut } = this.#faults
    if (cut === 'none') return left
    if (cut === 'every-octet') return 1
    return 1 + this.#random(this.#random(4) === 0 ? left : Math.min(left, 20))
  }

  #give(to: FaultEnd, piece: Buffer): void {
    const { after = Number.POSITIVE_INFINITY, then } = this.#faults
    const room = after - this.#carried
    this.#carried += piece.length
    if (this.#broken) return
    if (piece.length < room) {
      if (!to.destroyed && !to.readableEnded) to.push(piece)
      return
    }
    if (room > 0 && !to.destroyed) to.push(piece.subarray(0, room))
    this.#broken = true
    if (then === 'reset') {
      const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
      to.destroy(reset())
      to.other.destroy(reset())
    } else if (then === 'end') {
      if (!to.destroyed) to.push(null)
      if (!to.other.destroyed) to.other.push(null)
    }
  }
}

/** Two ends of a faulty connection. */
export function faultPair(faults: Faults): { client: Duplex; server: Duplex } {
  const wire = new Wire(faults)
  const client = new FaultEnd(wire)
  const server = new FaultEnd(wire)
  client.other = server
  server.other = client
  return { client, server }
}

/**
 * An engine whose servers and clients meet over faulty connections in memory instead of sockets.
 *
 * @param faultsOf the faults of each next connection, counted from 0
 */
export function faultyEngine(
  client: Http2Engine,
  server: Http2Engine,
  faultsOf: (connection: number) => Faults,
): Http2Engine {
  const listening = new Map<
    number,
    { options: ListenOptions; listener: ServerListener; set: Set<Http2Connection> }
  >()
  let nextPort = 1
  let connections = 0
  return {
    name: client.name,
    async listen(
      _address: SocketAddress,
      options: ListenOptions,
      listener: ServerListener,
    ): Promise<Http2Server> {
      const port = nextPort++
      const set = new Set<Http2Connection>()
      listening.set(port, { options, listener, set })
      return {
        address: `127.0.0.1:${port}`,
        connections: set,
        close: async () => {
          listening.delete(port)
        },
      }
    },
    connect(address: SocketAddress, options: ConnectOptions, listener: ConnectionListener): Http2Connection {
      const ends = faultPair(faultsOf(connections++))
      const target = listening.get('port' in address ? address.port : 0)
      if (target === undefined)
        ends.client.destroy(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
      else {
        const connection = server.acceptOn(ends.server, target.options, target.listener)
        target.set.add(connection)
        ends.server.on('close', () => target.set.delete(connection))
      }
      return client.connectOn(ends.client, options, listener)
    },
    connectOn: client.connectOn,
    acceptOn: server.acceptOn,
  }
}
