/** The states of a channel (gRPC connectivity-semantics-and-api), to look at and to wait for. */

/** Names of the five states. */
export const ConnectivityState = {
  IDLE: 'IDLE',
  CONNECTING: 'CONNECTING',
  READY: 'READY',
  TRANSIENT_FAILURE: 'TRANSIENT_FAILURE',
  SHUTDOWN: 'SHUTDOWN',
} as const

/** One of the five states. */
export type ConnectivityState = (typeof ConnectivityState)[keyof typeof ConnectivityState]

/** Holds the current state and tells those who wait for another one. */
export class Connectivity {
  #state: ConnectivityState = 'IDLE'
  #watchers: ((state: ConnectivityState) => void)[] = []

  get state(): ConnectivityState {
    return this.#state
  }

  /** Changes the state; watchers are told if it is another one. SHUTDOWN is final. */
  set(state: ConnectivityState): void {
    if (state === this.#state || this.#state === 'SHUTDOWN') return
    this.#state = state
    for (const watcher of this.#watchers) watcher(state)
  }

  /** Calls `watcher` at each change until the returned function is called. */
  watch(watcher: (state: ConnectivityState) => void): () => void {
    // A new array each time: the one before may be being told a change.
    this.#watchers = [...this.#watchers, watcher]
    return () => {
      this.#watchers = this.#watchers.filter((each) => each !== watcher)
    }
  }

  /**
   * Resolves with the new state once it is not `from` any more.
   * @param signal ends the waiting; the promise then rejects with its reason
   */
  changed(from: ConnectivityState, signal?: AbortSignal): Promise<ConnectivityState> {
    if (this.#state !== from) return Promise.resolve(this.#state)
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = (): void => {
        stop()
        reject(signal!.reason)
      }
      const stop = this.watch((state) => {
        stop()
        signal?.removeEventListener('abort', abort)
        resolve(state)
      })
      signal?.addEventListener('abort', abort, { once: true })
    })
  }
}
