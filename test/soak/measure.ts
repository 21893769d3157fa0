/** What the soak's measurements share: their shape, memory after a collection, a server and a client of octets. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { EngineName } from '../../src/http2/transport.ts'
import { MESSAGE_PREFIX_OCTETS, type MessageCodec, type Method, type Service } from '../../src/rpc/method.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** How much to do. */
export interface Scale {
  /** True for CI: fewer of everything. */
  readonly short: boolean
  /** Minutes of the measurements that last as long as one likes. */
  readonly minutes: number
  readonly seed: number
}

/** One figure of one engine. */
export interface Figure {
  /** The promise of docs/reliability.md. */
  readonly promise: string
  readonly figure: string
  /** Whether it is kept; undefined where the figure is a time or a size that depends on the machine. */
  readonly kept?: boolean
}

/** Measures one or several promises with one engine, in a process of its own. */
export type Measure = (engine: EngineName, scale: Scale) => Promise<Figure[]>

export const MIB = 1024 * 1024

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Live memory in octets after collections. */
export async function liveOctets(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect()
    await pause(20)
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

/** Waits until `ready`, at most ten seconds; answers whether it became so. */
export async function becomes(ready: () => boolean): Promise<boolean> {
  for (const end = Date.now() + 10_000; Date.now() < end && !ready(); ) await pause(10)
  return ready()
}

/** In MiB, with one digit. */
export const mib = (octets: number): string => `${(octets / MIB).toFixed(1)} MiB`

/** The value at a share of sorted numbers. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

const octets: MessageCodec<Uint8Array> = {
  typeName: 'soak.Octets',
  encode(message) {
    const framed = Buffer.allocUnsafe(MESSAGE_PREFIX_OCTETS + message.length)
    framed.set(message, MESSAGE_PREFIX_OCTETS)
    return framed
  },
  decode: (chunk, start, end) => chunk.slice(start, end),
}

function method<QS extends boolean, SS extends boolean>(
  name: string,
  requestStream: QS,
  responseStream: SS,
): Method<Uint8Array, Uint8Array, QS, SS> {
  const path = `/soak.Octets/${name}`
  return { name, path, requestStream, responseStream, request: octets, response: octets }
}

const methods = {
  unary: method('Unary', false, false),
  down: method('Down', false, true),
  up: method('Up', true, false),
  both: method('Both', true, true),
}

/** A service whose messages are octets as they are. */
export const Octets: Service<typeof methods> = { name: 'soak.Octets', methods }
