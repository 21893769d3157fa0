/**
 * The processes of one library, server and client, while they are measured: used for several measurements with the
 * same set-up, one after the other. Each process starts when it is first needed.
 */
import { join } from 'node:path'
import { root } from './bundle.ts'
import {
  CLIENT_CORE,
  type RunningServer,
  startServerProgram,
  startServerWorker,
  Worker,
} from './processes.ts'
import type { Tools } from './tools.ts'
import type { Identity } from './worker/contender.ts'

/** What all measurements share. */
export interface Bench {
  /** The workers' script. */
  script: string
  tools: Tools
  identity: Identity
  /** Load before the first measurement in fresh processes. */
  firstWarmUpMs: number
  /** Load before each of the following ones. */
  warmUpMs: number
  durationMs: number
  /** Divides counts of things that are done a fixed number of times; 1 for the full run. */
  scaleDown: number
}

/** What the server of a sitting is. */
export interface Seat {
  library: string
  /** The server's library. */
  server: string
  tls: boolean
  gzip: boolean
}

/** A library at both ends. */
export class Sitting {
  readonly bench: Bench
  readonly seat: Seat
  #server: Promise<RunningServer> | undefined = undefined
  #client: Promise<Worker> | undefined = undefined
  #warm = false

  constructor(bench: Bench, seat: Seat) {
    this.bench = bench
    this.seat = seat
  }

  /** The server, which listens. */
  server(): Promise<RunningServer> {
    this.#server ??= this.#startServer()
    return this.#server
  }

  /** The process of the client. */
  client(): Promise<Worker> {
    this.#client ??= Worker.start(CLIENT_CORE, this.bench.script)
    return this.#client
  }

  /** How long to warm up now: longer before the first measurement. */
  nextWarmUpMs(): number {
    const ms = this.#warm ? this.bench.warmUpMs : this.bench.firstWarmUpMs
    this.#warm = true
    return ms
  }

  /** Ends both processes. */
  async end(): Promise<void> {
    await Promise.allSettled([
      this.#client?.then((client) => client.stop()),
      this.#server?.then((server) => server.stop()),
    ])
  }

  async #startServer(): Promise<RunningServer> {
    const { script, identity, tools } = this.bench
    const { server, tls, gzip } = this.seat
    if (server === 'grpc-go') return startServerProgram(tools.go!, [], { GOMAXPROCS: '1' })
    if (server === 'Python')
      return startServerProgram(tools.python!, [join(root, 'bench/peers/python/server.py')])
    return startServerWorker(script, server, { ...(tls && { tls: identity }), ...(gzip && { gzip }) })
  }
}
