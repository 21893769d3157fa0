/**
 * The scenarios: what is done, by whom, and what is looked at. A scenario has variants (a size, a number), and
 * each variant is measured with each of its libraries.
 */
import type { ConnectOptions } from './worker/contender.ts'
import type { LoadTask, SetUpTask } from './worker/task.ts'

/** How a variant is measured. */
export type Plan =
  /** `times`: so many times as long as others, where a measurement has few operations. */
  | { kind: 'load'; task: LoadTask; connections?: number; times?: number }
  | { kind: 'set-up'; task: SetUpTask }
  | { kind: 'memory'; task: SetUpTask }
  | { kind: 'first-call' }
  | { kind: 'h2load'; streams: number }
  | { kind: 'ghz'; concurrency: number }
  | { kind: 'soak'; calls: number; parts: number }

/** One thing that is measured. */
export interface Variant {
  readonly name: string
  readonly plan: Plan
  /** Client and server, by name; another server where only the client is measured, and the reverse. */
  readonly libraries: readonly string[]
  /** The server of every library of this variant, if it is not the library itself. */
  readonly server?: string
  /** True for what the README's table and first chart show. */
  readonly headline?: boolean
  readonly options?: ConnectOptions & { useTls?: boolean }
}

/** A group of variants that is asked for by name. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** How prose calls a variant; `{}` is its name. */
  readonly phrase: string
  readonly variants: readonly Variant[]
  /** What the variants are a scale of, for a curve. */
  readonly scale?: string
}

const ours = ['pure', 'node']
const peers = ['grpc-js', 'nice-grpc', 'connect-node']
const libraries = [...ours, ...peers]
const withFloors = [...libraries, 'bare http2', 'raw TCP']
const withHttp2 = [...libraries, 'bare http2']
const KIB = 1024
const MIB = 1 << 20

const echo = (outstanding: number, sizeOctets = 16): Plan => ({
  kind: 'load',
  task: { kind: 'echo', outstanding, sizeOctets },
})
const stream = (
  kind: 'download' | 'upload' | 'ping-pong',
  outstanding: number,
  sizeOctets: number,
): Plan => ({
  kind: 'load',
  task: { kind, outstanding, sizeOctets, messagesPerStream: Math.max(10, Math.min(1000, MIB / sizeOctets)) },
})

function sizeName(sizeOctets: number): string {
  if (sizeOctets >= MIB) return `${sizeOctets / MIB} MiB`
  return sizeOctets >= KIB ? `${sizeOctets / KIB} KiB` : `${sizeOctets} B`
}

/** All there is, in the order in which it runs. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'unary',
    title: 'Unary calls of 16 octets, by calls outstanding on one connection',
    phrase: 'unary calls with {} outstanding',
    scale: 'calls outstanding',
    variants: [1, 8, 64, 512].map((outstanding) => ({
      name: String(outstanding),
      plan: echo(outstanding),
      libraries: withFloors,
      headline: outstanding === 1 || outstanding === 64,
    })),
  },
  {
    name: 'sizes',
    title: 'Unary calls, 8 outstanding, by size of message',
    phrase: 'unary calls of {}',
    scale: 'message size',
    variants: [16, KIB, 64 * KIB, MIB].map((sizeOctets) => ({
      name: sizeName(sizeOctets),
      plan: echo(8, sizeOctets),
      libraries: withHttp2,
      headline: sizeOctets === MIB,
    })),
  },
  {
    name: 'connections',
    title: 'Unary calls by connections, 8 outstanding on each, of a thousand 1',
    phrase: 'unary calls over {} connections',
    scale: 'connections',
    variants: [1, 10, 100, 1000].map((connections) => ({
      name: String(connections),
      plan: {
        kind: 'load',
        task: { kind: 'echo', outstanding: connections > 100 ? 1 : 8, sizeOctets: 16 },
        connections,
      } as Plan,
      libraries,
      headline: connections === 100,
    })),
  },
  {
    name: 'streaming',
    title: 'Messages a second in streams',
    phrase: 'messages in {}',
    variants: [
      { name: 'server streams of 16 B', plan: stream('download', 1, 16), libraries, headline: true },
      { name: 'server streams of 64 KiB', plan: stream('download', 1, 64 * KIB), libraries },
      { name: 'client streams of 16 B', plan: stream('upload', 1, 16), libraries, headline: true },
      { name: 'client streams of 64 KiB', plan: stream('upload', 1, 64 * KIB), libraries },
      { name: 'one ping-pong stream', plan: stream('ping-pong', 1, 16), libraries },
      { name: '64 ping-pong streams', plan: stream('ping-pong', 64, 16), libraries, headline: true },
    ],
  },
  {
    name: 'features',
    title: 'Unary calls with more to do for each; 64 outstanding, with gzip 8',
    phrase: 'unary calls with {}',
    variants: [
      { name: 'TLS', plan: echo(64), libraries: withHttp2, options: { useTls: true }, headline: true },
      { name: 'gzip of 64 KiB', plan: echo(8, 64 * KIB), libraries, options: { gzip: true }, headline: true },
      {
        name: '30 fields of metadata',
        plan: echo(64),
        libraries,
        options: { metadataFields: 30 },
        headline: true,
      },
      { name: 'a deadline each', plan: echo(64), libraries, options: { deadlineMs: 60_000 } },
    ],
  },
  {
    name: 'latency',
    title: 'Latency at a fixed rate, from the moment each call was due',
    phrase: '99th percentile at {}',
    scale: 'calls a second',
    variants: [250, 500, 1000].map((callsPerSecond) => ({
      name: `${callsPerSecond} a second`,
      plan: {
        kind: 'load',
        task: { kind: 'open-loop', outstanding: 1, sizeOctets: 16, callsPerSecond },
        times: 2,
      } as Plan,
      libraries: withHttp2,
      headline: callsPerSecond === 500,
    })),
  },
  {
    name: 'mixed',
    title: 'Latency of small calls beside large ones on the same connection',
    phrase: 'time of a small call beside {}',
    variants: [
      {
        name: '4 of 1 MiB',
        plan: { kind: 'load', task: { kind: 'mixed', outstanding: 4, sizeOctets: MIB } },
        libraries,
        headline: true,
      },
    ],
  },
  {
    name: 'set-up',
    title: 'Connections set up with one call each, and the first call of a process with its import',
    phrase: 'time of {}',
    variants: [
      {
        name: 'a connection and a call',
        plan: { kind: 'set-up', task: { kind: 'set-up', count: 150 } },
        libraries,
      },
      {
        name: 'a TLS connection and a call',
        plan: { kind: 'set-up', task: { kind: 'set-up', count: 75 } },
        libraries,
        options: { useTls: true },
      },
      { name: 'import and first call', plan: { kind: 'first-call' }, libraries, headline: true },
    ],
  },
  {
    name: 'memory',
    title: 'Memory of what is held open, client and server together',
    phrase: 'memory of {}',
    variants: [
      {
        name: '10,000 idle streams',
        plan: { kind: 'memory', task: { kind: 'idle-streams', count: 10_000 } },
        libraries: [...ours, 'grpc-js'],
        headline: true,
      },
      {
        name: '1,000 idle streams',
        plan: { kind: 'memory', task: { kind: 'idle-streams', count: 1000 } },
        libraries,
      },
      {
        name: '1,000 idle connections',
        plan: { kind: 'memory', task: { kind: 'idle-connections', count: 1000 } },
        libraries,
        headline: true,
      },
    ],
  },
  {
    name: 'soak',
    title: 'Heap over a million calls',
    phrase: 'heap over {}',
    variants: [
      { name: 'a million calls', plan: { kind: 'soak', calls: 1_000_000, parts: 10 }, libraries: ours },
    ],
  },
  {
    name: 'server',
    title: 'Servers under neutral clients, and beside servers of other languages',
    phrase: 'server alone under {}',
    variants: [
      {
        name: 'h2load, 64 streams',
        plan: { kind: 'h2load', streams: 64 },
        libraries: [...libraries, 'grpc-go', 'Python'],
        headline: true,
      },
      {
        name: 'ghz, 64 at a time',
        plan: { kind: 'ghz', concurrency: 64 },
        libraries: [...libraries, 'grpc-go', 'Python'],
      },
    ],
  },
  {
    name: 'client',
    title: 'Clients against the same server, 64 calls outstanding',
    phrase: 'client alone on a {}',
    variants: [
      {
        name: 'grpc-go server',
        plan: echo(64),
        libraries: [...libraries, 'grpc-go'],
        server: 'grpc-go',
        headline: true,
      },
    ],
  },
]
