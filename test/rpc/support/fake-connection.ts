/** A connection without a socket: records what a call sends, and lets a test be the peer. */
import type {
  Fields,
  Http2Connection,
  Http2Stream,
  OpenOptions,
  PeerInfo,
  Settings,
  StreamListener,
} from '../../../src/http2/transport.ts'

export const PEER: PeerInfo = {
  address: '192.0.2.1:50051',
  encrypted: false,
  authorized: false,
  alpnProtocol: undefined,
  certificate: undefined,
}

/** What a call did to its stream, in order. */
export type Sent =
  | { headers: Fields; endStream: boolean }
  | { data: string; endStream: boolean }
  | { trailers: Fields }
  | { reset: number }

export class FakeStream implements Http2Stream {
  id = 1
  readonly sent: Sent[] = []
  readonly connection: FakeConnection
  listener: StreamListener
  consumedOctets = 0
  room = true

  constructor(connection: FakeConnection, listener: StreamListener) {
    this.connection = connection
    this.listener = listener
  }

  sendHeaders(headers: Fields, endStream: boolean): void {
    this.sent.push({ headers, endStream })
  }

  sendData(octets: Uint8Array, endStream: boolean): boolean {
    this.sent.push({ data: Buffer.from(octets).toString('latin1'), endStream })
    return this.room
  }

  sendTrailers(trailers: Fields): void {
    this.sent.push({ trailers })
  }

  reset(code: number): void {
    this.sent.push({ reset: code })
  }

  consume(sizeOctets: number): void {
    this.consumedOctets += sizeOctets
  }

  /** Lets DATA arrive. */
  data(octets: Uint8Array): void {
    this.listener.onData(octets, 0, octets.length)
  }
}

export class FakeConnection implements Http2Connection {
  readonly engine = 'pure'
  readonly role = 'client'
  readonly peer = PEER
  readonly streams: FakeStream[] = []
  readonly opened: (OpenOptions | undefined)[] = []
  readonly remoteSettings: Settings = {}
  readonly localSettings: Settings = {}
  state: 'connecting' | 'open' | 'draining' | 'closed' = 'open'

  get openStreams(): number {
    return this.streams.length
  }

  open(listener: StreamListener, options?: OpenOptions): FakeStream {
    const stream = new FakeStream(this, listener)
    this.opened.push(options)
    this.streams.push(stream)
    return stream
  }

  ping(onResult: (error: Error | undefined, roundTripMs: number) => void): void {
    onResult(undefined, 1)
  }

  close(): void {
    this.state = 'closed'
  }

  destroy(): void {
    this.state = 'closed'
  }

  ref(): void {}
  unref(): void {}
}
