/** The load itself, the same for every library. The first call that fails, or answers wrongly, ends everything. */
import type { Connection } from './contender.ts'
import { Latencies } from './latencies.ts'
import { bodyOf, verify } from './payload.ts'
import type { LoadTask, Outcome } from './task.ts'

const SMALL_OCTETS = 16
const FIRST_TURN_MS = 2

/** Runs operations one after the other in each of several lanes, until the time or their number is used up. */
class Lanes {
  readonly #latencies = new Latencies()
  readonly #endAt: number
  readonly #limit: number
  readonly #startedAt = performance.now()
  #started = 0
  #finished = 0
  #running = 0
  #beside = 0
  #settle: (() => void) | undefined
  #fail: ((error: Error) => void) | undefined
  readonly over: Promise<void>

  constructor({ durationMs, operations }: LoadTask) {
    this.#endAt = durationMs === undefined ? Number.POSITIVE_INFINITY : this.#startedAt + durationMs
    this.#limit = operations ?? Number.POSITIVE_INFINITY
    this.over = new Promise((settle, fail) => {
      this.#settle = settle
      this.#fail = fail
    })
  }

  /** Whether to start another operation, at `now`; counts it as started then. */
  more(now: number): boolean {
    if (now >= this.#endAt || this.#started >= this.#limit) return false
    this.#started++
    return true
  }

  done(startedAt: number, now: number): void {
    this.#finished++
    this.#latencies.add(now - startedAt)
  }

  /** Ended well, without a time of its own. */
  count(operations: number): void {
    this.#finished += operations
  }

  /** Ended well beside what is measured. */
  countBeside(): void {
    this.#beside++
  }

  fail(error: unknown): void {
    this.#fail!(error instanceof Error ? error : new Error(String(error)))
  }

  enter(): void {
    this.#running++
  }

  leave(): void {
    if (--this.#running === 0) this.#settle!()
  }

  outcome(): Outcome {
    const seconds = (performance.now() - this.#startedAt) / 1000
    return {
      operations: this.#finished,
      seconds,
      latency: this.#latencies.summary(),
      ...(this.#beside > 0 && { largeOperations: this.#beside }),
    }
  }
}

/** One lane of unary calls. `counted` false: its calls are load, not what is measured. */
function echoLane(
  lanes: Lanes,
  connection: Connection,
  body: Uint8Array,
  again: () => boolean,
  counted: boolean,
) {
  let startedAt = 0
  const next = (): void => {
    if (!again()) return lanes.leave()
    startedAt = performance.now()
    connection.echo(body, onReply)
  }
  const onReply = (error: Error | undefined, reply: Uint8Array): void => {
    try {
      if (error !== undefined) throw error
      verify(reply, body)
      if (counted) lanes.done(startedAt, performance.now())
      else lanes.countBeside()
      next()
    } catch (cause) {
      lanes.fail(cause)
    }
  }
  lanes.enter()
  next()
}

function echo(connections: readonly Connection[], task: LoadTask, lanes: Lanes): void {
  const body = bodyOf(task.sizeOctets)
  const again = () => lanes.more(performance.now())
  for (let i = 0; i < task.outstanding; i++) {
    for (const connection of connections) echoLane(lanes, connection, body, again, true)
  }
}

/** Small calls one at a time, timed, while large ones keep the connection busy. */
function mixed([connection]: readonly Connection[], task: LoadTask, lanes: Lanes): void {
  let smallRuns = true
  const again = () => {
    smallRuns = lanes.more(performance.now())
    return smallRuns
  }
  const large = bodyOf(task.sizeOctets)
  for (let i = 0; i < task.outstanding; i++) echoLane(lanes, connection!, large, () => smallRuns, false)
  echoLane(lanes, connection!, bodyOf(SMALL_OCTETS), again, true)
}

/**
 * Calls at fixed moments. The latency counts from the moment a call was due, not from when it was made: what waits
 * because the client was held up is seen (no coordinated omission).
 */
function openLoop(connections: readonly Connection[], task: LoadTask, lanes: Lanes): void {
  const body = bodyOf(task.sizeOctets)
  const intervalMs = 1000 / task.callsPerSecond!
  const startedAt = performance.now()
  let calls = 0
  lanes.enter()
  const turn = (): void => {
    for (let due = startedAt + calls * intervalMs; due <= performance.now(); due += intervalMs) {
      if (!lanes.more(due)) return lanes.leave()
      lanes.enter()
      const intended = due
      connections[calls++ % connections.length]!.echo(body, (error, reply) => {
        try {
          if (error !== undefined) throw error
          verify(reply, body)
          lanes.done(intended, performance.now())
          lanes.leave()
        } catch (cause) {
          lanes.fail(cause)
        }
      })
    }
    const waitMs = startedAt + calls * intervalMs - performance.now()
    // timers are good to a millisecond; the rest is waited for turn by turn
    if (waitMs > FIRST_TURN_MS) setTimeout(turn, waitMs - 1)
    else setImmediate(turn)
  }
  turn()
}

/** Streams of messages one after the other in each lane; an operation is a message. */
function streams(connections: readonly Connection[], task: LoadTask, lanes: Lanes): void {
  const body = bodyOf(task.sizeOctets)
  const count = task.messagesPerStream!
  const check = (got: Uint8Array) => {
    verify(got, body)
    lanes.count(1)
  }
  const lane = (connection: Connection): void => {
    if (!lanes.more(performance.now())) return lanes.leave()
    let received = 0
    const onMessage = (got: Uint8Array): void => {
      received++
      try {
        check(got)
      } catch (cause) {
        lanes.fail(cause)
      }
    }
    const onEnd = (error: Error | undefined): void => {
      if (error !== undefined) return lanes.fail(error)
      if (received !== count) return lanes.fail(`a stream of ${received} messages instead of ${count}`)
      lane(connection)
    }
    if (task.kind === 'download') return connection.download(count, task.sizeOctets, onMessage, onEnd)
    connection.upload(count, body, (error, octets) => {
      if (error !== undefined) return lanes.fail(error)
      if (octets !== count * body.length)
        return lanes.fail(`${octets} octets arrived instead of ${count * body.length}`)
      lanes.count(count)
      lane(connection)
    })
  }
  for (let i = 0; i < task.outstanding; i++) {
    for (const connection of connections) {
      lanes.enter()
      lane(connection)
    }
  }
}

function pingPong(connections: readonly Connection[], task: LoadTask, lanes: Lanes): void {
  const body = bodyOf(task.sizeOctets)
  const lane = (connection: Connection): void => {
    let sentAt = 0
    const send = (): void => {
      sentAt = performance.now()
      if (lanes.more(sentAt)) chat.send(body)
      else chat.end()
    }
    const chat = connection.chat(
      (got) => {
        try {
          verify(got, body)
          lanes.done(sentAt, performance.now())
          send()
        } catch (cause) {
          lanes.fail(cause)
        }
      },
      (error) => (error === undefined ? lanes.leave() : lanes.fail(error)),
    )
    send()
  }
  for (let i = 0; i < task.outstanding; i++) {
    for (const connection of connections) {
      lanes.enter()
      lane(connection)
    }
  }
}

const kinds = {
  echo,
  mixed,
  'open-loop': openLoop,
  download: streams,
  upload: streams,
  'ping-pong': pingPong,
}

/** Runs a task to its end. @throws (rejects with) the first failure */
export async function load(connections: readonly Connection[], task: LoadTask): Promise<Outcome> {
  const lanes = new Lanes(task)
  kinds[task.kind](connections, task, lanes)
  await lanes.over
  return lanes.outcome()
}
