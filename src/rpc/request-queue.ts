/** Requests that a caller writes and somebody else iterates over, one at a time. */
import { Deferred, looked } from './deferred.ts'

interface Entry<T> {
  readonly value: T
  readonly taken: Deferred<boolean>
}

/** A queue with back-pressure: `write` resolves when the item has been taken. */
export class RequestQueue<T> implements AsyncIterable<T, undefined> {
  private readonly entries: Entry<T>[] = []
  private waiting: Deferred<void> | undefined = undefined
  private ended = false
  private closed = false
  private failure: Error | undefined = undefined

  /** Offers an item; resolves with true once it was taken, with false if the queue is closed, or rejects with why. */
  write(value: T): Promise<boolean> {
    if (this.failure !== undefined) return looked(Promise.reject(this.failure))
    if (this.closed) return Promise.resolve(false)
    if (this.ended) return looked(Promise.reject(new Error('write after end; the request stream is closed')))
    const entry = { value, taken: new Deferred<boolean>() }
    this.entries.push(entry)
    this.wake()
    return looked(entry.taken.promise)
  }

  /** No more items. */
  end(): void {
    this.ended = true
    this.wake()
  }

  /** Nobody takes items any more. @param failure why, if that is an error for who writes */
  close(failure?: Error): void {
    if (this.closed) return
    this.closed = true
    this.failure = failure
    for (const { taken } of this.entries.splice(0)) {
      if (failure === undefined) taken.resolve(false)
      else taken.reject(failure)
    }
    this.end()
  }

  private wake(): void {
    this.waiting?.resolve()
    this.waiting = undefined
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, undefined> {
    for (;;) {
      const entry = this.entries.shift()
      if (entry !== undefined) {
        entry.taken.resolve(true)
        yield entry.value
      } else if (this.ended) return
      else {
        this.waiting ??= new Deferred()
        await this.waiting.promise
      }
    }
  }
}
