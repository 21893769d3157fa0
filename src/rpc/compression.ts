/**
 * Message encodings (gRPC compression.md): gzip and deflate, brotli and zstd where Node has them, and others
 * that a program registers. Each message is compressed by itself; the size of what comes out is bounded.
 *
 * zlib is called synchronously: a message is at most some MiB, and a small one costs a tenth of what the
 * thread pool's round trip does.
 */
import zlib from 'node:zlib'
import { Status } from '../wire/grpc/status-codes.ts'
import { StatusError } from './status-error.ts'

/** One way to compress messages; its name is what `grpc-encoding` says. */
export interface MessageEncoding {
  /** Name on the wire, for example `gzip`. */
  readonly name: string
  /** Compresses one message. */
  compress(octets: Uint8Array): Uint8Array
  /**
   * Restores one message.
   * @throws Error if the octets are damaged, RangeError (or zlib's ERR_BUFFER_TOO_LARGE) past `maxOctets`
   */
  decompress(octets: Uint8Array, maxOctets: number): Uint8Array
}

/**
 * Speed before the last percents of size, for the caller's thread waits: 2 to 3.5 times as fast as zlib's default
 * level for text and protobuf, for 3 to 12 % more octets (`bench/micro/compression.ts`).
 */
const DEFLATE_LEVEL = 2
const BROTLI_QUALITY = 3
/** The largest blocks of symbols; a shorter block costs time and octets where nothing repeats. */
const DEFLATE_MEM_LEVEL = 9
const MIN_CHUNK_OCTETS = 1024
const MAX_CHUNK_OCTETS = 65536
/** What messages usually shrink by. */
const USUAL_RATIO = 4

/** The piece in which zlib makes its output: what is kept of a small message must not hold a large buffer. */
function chunkSize(expectedOctets: number): number {
  return Math.min(Math.max(expectedOctets, MIN_CHUNK_OCTETS), MAX_CHUNK_OCTETS)
}

function deflateOptions(octets: Uint8Array): zlib.ZlibOptions {
  return { level: DEFLATE_LEVEL, memLevel: DEFLATE_MEM_LEVEL, chunkSize: chunkSize(octets.length >> 1) }
}

/** zlib's `maxOutputLength` counts up to the largest Buffer. */
function restoreOptions(
  octets: Uint8Array,
  maxOctets: number,
): { maxOutputLength: number; chunkSize: number } {
  return {
    maxOutputLength: Math.max(1, Math.min(maxOctets, 0x7fffffff)),
    chunkSize: chunkSize(octets.length * USUAL_RATIO),
  }
}

const encodings = new Map<string, MessageEncoding>()

/**
 * Makes a message encoding known to every channel and server of the process that starts afterwards.
 * @throws TypeError if the name is empty, `identity`, or no token
 * @example
 * registerMessageEncoding({ name: 'snappy', compress: snappy.compressSync, decompress: (o) => snappy.uncompressSync(o) })
 */
export function registerMessageEncoding(encoding: MessageEncoding): void {
  if (!/^[0-9a-z][0-9a-z_.-]*$/.test(encoding.name) || encoding.name === 'identity') {
    throw new TypeError(
      `compression: ${JSON.stringify(encoding.name)} can't name a message encoding; use lower-case letters`,
    )
  }
  encodings.set(encoding.name, encoding)
}

registerMessageEncoding({
  name: 'gzip',
  compress: (octets) => zlib.gzipSync(octets, deflateOptions(octets)),
  decompress: (octets, maxOctets) => zlib.gunzipSync(octets, restoreOptions(octets, maxOctets)),
})
registerMessageEncoding({
  // gRPC compression.md: "deflate" is the zlib format of RFC 1950.
  name: 'deflate',
  compress: (octets) => zlib.deflateSync(octets, deflateOptions(octets)),
  decompress: (octets, maxOctets) => zlib.inflateSync(octets, restoreOptions(octets, maxOctets)),
})
registerMessageEncoding({
  name: 'br',
  compress: (octets) =>
    zlib.brotliCompressSync(octets, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  decompress: (octets, maxOctets) => zlib.brotliDecompressSync(octets, restoreOptions(octets, maxOctets)),
})
if ('zstdCompressSync' in zlib) {
  const { zstdCompressSync, zstdDecompressSync } = zlib as unknown as {
    zstdCompressSync(octets: Uint8Array): Uint8Array
    zstdDecompressSync(octets: Uint8Array, options: { maxOutputLength: number }): Uint8Array
  }
  registerMessageEncoding({
    name: 'zstd',
    compress: (octets) => zstdCompressSync(octets),
    decompress: (octets, maxOctets) => zstdDecompressSync(octets, restoreOptions(octets, maxOctets)),
  })
}

/** The message encoding of that name, or undefined if it is unknown. */
export function messageEncoding(name: string): MessageEncoding | undefined {
  return encodings.get(name)
}

/** The value of `grpc-accept-encoding`: `identity` and every known encoding. */
export function acceptedEncodings(): string {
  return ['identity', ...encodings.keys()].join(',')
}

/**
 * Restores a message, mapping what can go wrong to a status.
 * @throws StatusError RESOURCE_EXHAUSTED past `maxOctets`, INTERNAL if the octets are damaged
 */
export function decompressMessage(
  encoding: MessageEncoding,
  octets: Uint8Array,
  maxOctets: number,
): Uint8Array {
  let restored: Uint8Array
  try {
    restored = encoding.decompress(octets, maxOctets)
  } catch (error) {
    const tooLarge =
      error instanceof RangeError ||
      (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_BUFFER_TOO_LARGE'
    throw tooLarge
      ? decompressedTooLarge(maxOctets)
      : new StatusError(Status.INTERNAL, `Failed to decompress ${encoding.name}-encoded message`, {
          cause: error,
        })
  }
  if (restored.length > maxOctets) throw decompressedTooLarge(maxOctets)
  return restored
}

function decompressedTooLarge(maxOctets: number): StatusError {
  return new StatusError(
    Status.RESOURCE_EXHAUSTED,
    `Received message that decompresses to a size larger than ${maxOctets}`,
  )
}
