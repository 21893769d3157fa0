/** What a client process is asked to do, and what it tells afterwards. Plain data: it goes between processes. */

/** Load of one kind, on connections that are open already. */
export interface LoadTask {
  /**
   * - `echo`: unary calls, `outstanding` at a time on each connection
   * - `open-loop`: unary calls that start at fixed moments, `callsPerSecond` of them, whatever became of those before
   * - `download`, `upload`: streams of `messagesPerStream` messages, `outstanding` at a time
   * - `ping-pong`: `outstanding` bidirectional streams, each with one message under way
   * - `mixed`: one small unary call at a time beside `outstanding` large ones of `sizeOctets`; counts the small ones
   */
  kind: 'echo' | 'open-loop' | 'download' | 'upload' | 'ping-pong' | 'mixed'
  sizeOctets: number
  outstanding: number
  durationMs?: number
  /** Instead of a duration: how many operations. */
  operations?: number
  callsPerSecond?: number
  messagesPerStream?: number
}

/** Things that are done one by one, or held. */
export interface SetUpTask {
  /**
   * - `set-up`: connect, one call, close; `count` times
   * - `idle-connections`: opens `count` connections with one call each and keeps them
   * - `idle-streams`: opens `count` bidirectional streams on one connection with one message each and keeps them
   */
  kind: 'set-up' | 'idle-connections' | 'idle-streams'
  count: number
}

/** Percentiles and the like, in milliseconds. */
export interface Latency {
  meanMs: number
  p50Ms: number
  p90Ms: number
  p99Ms: number
  p999Ms: number
  maxMs: number
}

/** What a task found. */
export interface Outcome {
  /** Calls, messages or set-ups that ended well; their replies were verified. */
  operations: number
  seconds: number
  latency: Latency
  /** `mixed`: large calls that ended well meanwhile. */
  largeOperations?: number
}

/** State of a process, as its operating system and V8 tell it. */
export interface Sample {
  /** CPU time since its start, user and system, in microseconds. */
  cpuUs: number
  /** Resident set, in octets, after a collection. */
  residentOctets: number
  /** Heap in use, with array buffers and other external memory, in octets, after a collection. */
  heapOctets: number
  /** Pauses of the garbage collector since the sample before, in milliseconds. */
  gcPausesMs: number
  gcLongestPauseMs: number
}
