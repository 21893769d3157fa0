/**
 * The load of `glass bench`: calls in a closed loop (each slot starts its next call when the last has ended) or at
 * a fixed rate. At a fixed rate a latency counts from the moment a call was due, not from when it was made, so
 * that calls held up by slow ones before them are seen as slow, too (no coordinated omission).
 */

/** What is to be done. */
export interface LoadPlan {
  /** Calls that run at the same time, over all connections; at a fixed rate the most that may. */
  readonly outstanding: number
  /** How many calls to make; undefined for no limit. */
  readonly calls: number | undefined
  /** How long to start calls, in milliseconds; undefined for no limit. */
  readonly durationMs: number | undefined
  /** Calls to start each second; undefined for as many as the slots make. */
  readonly callsPerSecond: number | undefined
}

/** Timers are good to about this, in milliseconds; what is due sooner is waited for turn by turn. */
const TIMER_MS = 2

/** Runs a plan. */
export class Load {
  readonly #plan: LoadPlan
  readonly #call: (index: number) => Promise<void>
  readonly #onLatency: (latencyMs: number) => void
  readonly #startedAt = performance.now()
  readonly #intervalMs: number
  #started = 0
  #running = 0
  #stopped = false
  #lastTurn = false
  #timer: ReturnType<typeof setTimeout> | undefined = undefined
  #settle: () => void = () => {}

  /**
   * @param call makes call number `index` (from 0) and resolves when it has ended, however it did
   * @param onLatency told how long each call took, in milliseconds
   */
  constructor(
    plan: LoadPlan,
    call: (index: number) => Promise<void>,
    onLatency: (latencyMs: number) => void,
  ) {
    this.#plan = plan
    this.#call = call
    this.#onLatency = onLatency
    this.#intervalMs = plan.callsPerSecond === undefined ? 0 : 1000 / plan.callsPerSecond
  }

  /** How many calls have started. */
  get started(): number {
    return this.#started
  }

  /** Milliseconds since the first call. */
  get elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  /** Resolves when the last call has ended. */
  run(): Promise<void> {
    return new Promise((settle) => {
      this.#settle = settle
      if (this.#intervalMs > 0) this.#turn()
      else this.#fill()
    })
  }

  /** Starts no more calls; those that run may end. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#over()
  }

  #mayStart(): boolean {
    const { calls, durationMs } = this.#plan
    if (this.#stopped) return false
    if (calls !== undefined && this.#started >= calls) return false
    return durationMs === undefined || this.elapsedMs < durationMs
  }

  /** Starts calls while there are free slots. */
  #fill(): void {
    while (this.#running < this.#plan.outstanding && this.#mayStart()) this.#start(performance.now())
    if (!this.#mayStart()) this.#over()
  }

  /** Starts what is due; what has no slot stays due. */
  #turn(): void {
    let due = this.#startedAt + this.#started * this.#intervalMs
    while (due <= performance.now() && this.#running < this.#plan.outstanding && this.#mayStart()) {
      this.#start(due)
      due += this.#intervalMs
    }
    if (!this.#mayStart()) {
      this.#lastTurn = true
      return this.#over()
    }
    const waitMs = due - performance.now()
    // a slot that becomes free comes with a turn of the event loop, as octets do
    if (waitMs > TIMER_MS) this.#timer = setTimeout(() => this.#turn(), waitMs - 1)
    else setImmediate(() => this.#turn())
  }

  #start(from: number): void {
    this.#running++
    void this.#call(this.#started++).then(() => {
      this.#running--
      this.#onLatency(performance.now() - from)
      if (this.#intervalMs === 0) this.#fill()
      else this.#over()
    })
  }

  #over(): void {
    const ended = this.#stopped || this.#lastTurn || this.#intervalMs === 0
    if (ended && this.#running === 0 && !this.#mayStart()) this.#settle()
  }
}
