/**
 * An engine that lets everything through and shows the header sections that pass: what `glass call -v` prints is what
 * went over the seam.
 */
import type { ConnectionError, StreamError } from '../http2/errors.ts'
import type {
  EngineName,
  Fields,
  Http2Connection,
  Http2Engine,
  Http2Stream,
  OpenOptions,
  PeerInfo,
  Settings,
  StreamListener,
} from '../http2/transport.ts'

/** Told of header sections, in the order in which they pass. */
export interface HeaderWatcher {
  onRequestHeaders(fields: Fields, connection: Http2Connection): void
  /** With `endStream` they are Trailers-Only. */
  onResponseHeaders(fields: Fields, endStream: boolean): void
  onTrailers(fields: Fields): void
}

/** An engine whose client connections show their header sections. */
export function watchEngine(engine: Http2Engine, watcher: HeaderWatcher): Http2Engine {
  return {
    name: engine.name,
    connect: (address, options, listener) =>
      new WatchedConnection(engine.connect(address, options, listener), watcher),
    connectOn: (duplex, options, listener) =>
      new WatchedConnection(engine.connectOn(duplex, options, listener), watcher),
    listen: (address, options, listener) => engine.listen(address, options, listener),
    acceptOn: (duplex, options, listener) => engine.acceptOn(duplex, options, listener),
  }
}

class WatchedConnection implements Http2Connection {
  readonly #inner: Http2Connection
  readonly #watcher: HeaderWatcher

  constructor(inner: Http2Connection, watcher: HeaderWatcher) {
    this.#inner = inner
    this.#watcher = watcher
  }

  get engine(): EngineName {
    return this.#inner.engine
  }

  get role(): 'client' | 'server' {
    return this.#inner.role
  }

  get peer(): PeerInfo {
    return this.#inner.peer
  }

  get state(): Http2Connection['state'] {
    return this.#inner.state
  }

  get openStreams(): number {
    return this.#inner.openStreams
  }

  get remoteSettings(): Settings {
    return this.#inner.remoteSettings
  }

  get localSettings(): Settings {
    return this.#inner.localSettings
  }

  open(listener: StreamListener, options?: OpenOptions): Http2Stream {
    const watched = new WatchedListener(listener, this.#watcher)
    return new WatchedStream(this.#inner.open(watched, options), this, this.#watcher)
  }

  ping(onResult: (error: Error | undefined, roundTripMs: number) => void): void {
    this.#inner.ping(onResult)
  }

  close(): void {
    this.#inner.close()
  }

  destroy(code?: number, reason?: string): void {
    this.#inner.destroy(code, reason)
  }

  ref(): void {
    this.#inner.ref()
  }

  unref(): void {
    this.#inner.unref()
  }
}

class WatchedStream implements Http2Stream {
  readonly connection: Http2Connection
  readonly #inner: Http2Stream
  readonly #watcher: HeaderWatcher

  constructor(inner: Http2Stream, connection: Http2Connection, watcher: HeaderWatcher) {
    this.#inner = inner
    this.connection = connection
    this.#watcher = watcher
  }

  get id(): number {
    return this.#inner.id
  }

  sendHeaders(fields: Fields, endStream: boolean): void {
    this.#inner.sendHeaders(fields, endStream)
    this.#watcher.onRequestHeaders(fields, this.connection)
  }

  sendData(octets: Uint8Array, endStream: boolean): boolean {
    return this.#inner.sendData(octets, endStream)
  }

  sendTrailers(fields: Fields): void {
    this.#inner.sendTrailers(fields)
  }

  reset(code: number): void {
    this.#inner.reset(code)
  }

  consume(sizeOctets: number): void {
    this.#inner.consume(sizeOctets)
  }
}

class WatchedListener implements StreamListener {
  readonly #inner: StreamListener
  readonly #watcher: HeaderWatcher

  constructor(inner: StreamListener, watcher: HeaderWatcher) {
    this.#inner = inner
    this.#watcher = watcher
  }

  onHeaders(fields: Fields, endStream: boolean): void {
    this.#watcher.onResponseHeaders(fields, endStream)
    this.#inner.onHeaders(fields, endStream)
  }

  onData(chunk: Uint8Array, start: number, end: number): void {
    this.#inner.onData(chunk, start, end)
  }

  onTrailers(fields: Fields): void {
    this.#watcher.onTrailers(fields)
    this.#inner.onTrailers(fields)
  }

  onEnd(): void {
    this.#inner.onEnd()
  }

  onDrain(): void {
    this.#inner.onDrain()
  }

  onClose(error?: StreamError | ConnectionError): void {
    this.#inner.onClose(error)
  }
}
