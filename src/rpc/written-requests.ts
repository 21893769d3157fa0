/**
 * Requests that a caller writes to a call with interceptors, and what it said of each.
 *
 * Interceptors see messages, not options, and may hand on others in their place. What was said of a message goes
 * with it: with the very object, however late and often it is sent (by a retry), otherwise with whatever is sent
 * next after it was taken.
 */
import type { WriteOptions } from './call-options.ts'
import { RequestQueue } from './request-queue.ts'

interface Written<Request> {
  readonly request: Request
  readonly options: WriteOptions | undefined
}

/** A queue of requests that remembers their options. */
export class WrittenRequests<Request> implements AsyncIterable<Request, undefined> {
  private readonly queue = new RequestQueue<Written<Request>>()
  private readonly optionsOfObject = new WeakMap<object, WriteOptions | undefined>()
  private latest: WriteOptions | undefined = undefined

  /** Offers a request, see {@link RequestQueue.write}. */
  write(request: Request, options: WriteOptions | undefined): Promise<boolean> {
    return this.queue.write({ request, options })
  }

  /** No more requests. */
  end(): void {
    this.queue.end()
  }

  /** Nobody takes requests any more. @param failure why, if that is an error for who writes */
  close(failure?: Error): void {
    this.queue.close(failure)
  }

  /** The options of what comes out of the interceptors. */
  optionsFor(message: unknown): WriteOptions | undefined {
    return isObject(message) && this.optionsOfObject.has(message)
      ? this.optionsOfObject.get(message)
      : this.latest
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Request, undefined> {
    for await (const { request, options } of this.queue) {
      this.latest = options
      if (isObject(request)) this.optionsOfObject.set(request, options)
      yield request
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
