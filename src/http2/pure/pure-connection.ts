/**
 * A connection of the `pure` engine as the seam shows it: the core, and whatever carries its octets.
 *
 * What differs between a socket and a pair in memory is in the subclasses: when a turn comes, where octets go,
 * and what keeps the process alive.
 */
import type {
  ConnectionListener,
  Http2Connection,
  OpenOptions,
  PeerInfo,
  Settings,
  StreamListener,
} from '../transport.ts'
import { ConnectionCore } from './connection-core.ts'
import type { CoreOptions } from './options.ts'
import type { PureStream } from './stream.ts'

/** Base of the connections of the `pure` engine. */
export abstract class PureConnection implements Http2Connection {
  readonly engine = 'pure'
  readonly role: 'client' | 'server'
  abstract readonly peer: PeerInfo
  readonly core: ConnectionCore

  constructor(role: 'client' | 'server', options: CoreOptions, address: string) {
    this.role = role
    this.core = new ConnectionCore(role, options, this, performance.now())
    this.core.life.address = address
    this.core.context.connection = this
  }

  /** The core wants a turn. */
  abstract wake(): void
  abstract ref(): void
  abstract unref(): void

  /** Who hears this connection. */
  set listener(listener: ConnectionListener) {
    this.core.context.listener = listener
  }

  get state(): 'connecting' | 'open' | 'draining' | 'closed' {
    return this.core.life.state
  }

  get openStreams(): number {
    return this.core.context.openStreams
  }

  get remoteSettings(): Settings {
    return this.core.settings.remote
  }

  get localSettings(): Settings {
    return this.core.settings.local
  }

  open(listener: StreamListener, options?: OpenOptions): PureStream {
    return this.core.open(listener, options)
  }

  ping(onResult: (error: Error | undefined, roundTripMs: number) => void): void {
    this.core.ping(onResult)
  }

  close(): void {
    this.core.life.close()
  }

  destroy(code?: number, reason?: string): void {
    this.core.life.destroy(code, reason)
  }
}
