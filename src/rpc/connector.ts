/**
 * One attempt to get a connection: the addresses of a target are tried in order, the next one as soon as one fails
 * or has taken 250 ms ("Happy Eyeballs", RFC 8305 §5); the first to be usable wins, the others are closed.
 */
import type { ConnectionError } from '../http2/errors.ts'
import type { ConnectionListener, Goaway, Http2Connection, SocketAddress } from '../http2/transport.ts'

/** RFC 8305 §8: Connection Attempt Delay. */
const ATTEMPT_DELAY_MS = 250

/** Opens one connection to an address. */
export type Dial = (address: SocketAddress, listener: ConnectionListener) => Http2Connection

/** What became of the attempt. Exactly one of the first two is called, unless it is stopped before. */
export interface ConnectorListener {
  onConnected(connection: Http2Connection): void
  /** Every address failed; the errors are in the order of the addresses. */
  onFailed(errors: readonly Error[]): void
  /** Later, of the connection that won. */
  onGoaway(connection: Http2Connection, goaway: Goaway): void
  /** Of every connection, when it is gone. */
  onClosed(connection: Http2Connection, error: ConnectionError | undefined): void
}

class Attempt implements ConnectionListener {
  connection: Http2Connection | undefined = undefined
  private readonly connector: Connector
  private readonly index: number

  constructor(connector: Connector, index: number) {
    this.connector = connector
    this.index = index
  }

  onOpen(): void {
    this.connector.attemptOpened(this.connection!)
  }

  onGoaway(goaway: Goaway): void {
    this.connector.listener.onGoaway(this.connection!, goaway)
  }

  onClose(error?: ConnectionError): void {
    this.connector.attemptClosed(this.index, this.connection!, error)
  }
}

/** Tries addresses until one connection is usable. */
export class Connector {
  readonly listener: ConnectorListener
  private readonly dial: Dial
  private readonly addresses: readonly SocketAddress[]
  private readonly open = new Set<Http2Connection>()
  private readonly errors: (Error | undefined)[] = []
  private next = 0
  private delay: ReturnType<typeof setTimeout> | undefined = undefined
  private winner: Http2Connection | undefined = undefined
  private over = false

  constructor(addresses: readonly SocketAddress[], dial: Dial, listener: ConnectorListener) {
    this.addresses = addresses
    this.dial = dial
    this.listener = listener
  }

  /** Starts with the first address. */
  start(): void {
    const index = this.next++
    const attempt = new Attempt(this, index)
    const connection = this.dial(this.addresses[index]!, attempt)
    attempt.connection = connection
    this.open.add(connection)
    clearTimeout(this.delay)
    if (this.next < this.addresses.length) {
      this.delay = setTimeout(() => this.start(), ATTEMPT_DELAY_MS)
    }
  }

  /** Gives up; nothing is told any more. */
  stop(): void {
    this.over = true
    this.closeOthers()
  }

  private closeOthers(): void {
    clearTimeout(this.delay)
    for (const connection of this.open) if (connection !== this.winner) connection.destroy()
    this.open.clear()
  }

  /** For the attempts. */
  attemptOpened(connection: Http2Connection): void {
    if (this.over) return
    this.over = true
    this.winner = connection
    this.closeOthers()
    this.listener.onConnected(connection)
  }

  /** For the attempts. */
  attemptClosed(index: number, connection: Http2Connection, error: ConnectionError | undefined): void {
    this.open.delete(connection)
    this.listener.onClosed(connection, error)
    if (this.over) return
    this.errors[index] = error ?? new Error('the connection was closed')
    if (this.next < this.addresses.length) return this.start()
    if (this.open.size > 0) return
    this.over = true
    clearTimeout(this.delay)
    this.listener.onFailed(this.errors.filter((each) => each !== undefined))
  }
}
