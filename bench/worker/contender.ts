/**
 * What a library does to take part: serve the methods of `bench.proto` and `helloworld.Greeter`, and call them.
 * Callbacks, because libraries that have them should not pay for promises here; those with promises use `then`.
 */

/** PEM of a certificate for localhost, its key and its root. */
export interface Identity {
  cert: string
  key: string
  ca: string
}

/** How a server is set up. */
export interface ServeOptions {
  tls?: Identity
  gzip?: boolean
}

/** How a connection is set up, and what holds for each of its calls. */
export interface ConnectOptions extends ServeOptions {
  /** A deadline for each call, in milliseconds. */
  deadlineMs?: number
  /** How many fields of metadata each call sends. */
  metadataFields?: number
}

/** Told once how a call ended. */
export type Done<Reply> = (error: Error | undefined, reply: Reply) => void

/** A bidirectional call. */
export interface Chat {
  send(body: Uint8Array): void
  end(): void
}

/** One connection, or a channel that has exactly one. */
export interface Connection {
  echo(body: Uint8Array, done: Done<Uint8Array>): void
  download(count: number, sizeOctets: number, onMessage: (body: Uint8Array) => void, done: Done<void>): void
  upload(count: number, body: Uint8Array, done: Done<number>): void
  chat(onMessage: (body: Uint8Array) => void, done: Done<void>): Chat
  close(): Promise<void>
}

/** A library. Both functions may be called several times. */
export interface Contender {
  /** Listens on a free port of 127.0.0.1 and returns it. */
  serve(options: ServeOptions): Promise<number>
  connect(port: number, options: ConnectOptions): Promise<Connection>
}

/** Largest message that anyone is set up to take, in octets. */
export const MAX_MESSAGE_OCTETS = 16 << 20
/** More streams than any scenario opens. */
export const MAX_STREAMS = 100_000

/** Metadata with names and values as tracing, routing and tokens have them. */
export function metadataOf(fields: number): Record<string, string> {
  const all: Record<string, string> = {}
  for (let i = 0; i < fields; i++) all[`x-bench-field-${i}`] = `value-${i}-${'0123456789abcdef'.repeat(2)}`
  return all
}

/** The name by which a call that has not ended well is refused by the load. */
export const asError = (cause: unknown): Error => (cause instanceof Error ? cause : new Error(String(cause)))
