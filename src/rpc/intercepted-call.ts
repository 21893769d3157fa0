/** A client's call that runs through interceptors: the chain drives it, the caller sees an ordinary call. */
import { Status } from '../wire/grpc/status-codes.ts'
import type { CallOptions, ClientInterceptor, OutgoingCall, WriteOptions } from './call-options.ts'
import type { CallMachine } from './calls.ts'
import type { ClientCall } from './client-call.ts'
import { DeadlineTimer, deadlineMoment } from './deadline.ts'
import { Deferred, looked } from './deferred.ts'
import { Metadata } from './metadata.ts'
import type { Method } from './method.ts'
import { RequestQueue } from './request-queue.ts'
import { StatusError, type StatusObject } from './status-error.ts'

/** Makes the machine of one real call. */
export type NewCall = (method: Method, options: CallOptions) => ClientCall

/** The machine behind a call face when there are interceptors. */
export class InterceptedCall<Request, Response> implements CallMachine<Request, Response> {
  private readonly method: Method
  private readonly newCall: NewCall
  private readonly queue = new RequestQueue<Request>()
  private readonly abort = new AbortController()
  private readonly resultDeferred = new Deferred<Response>()
  private readonly headersDeferred = new Deferred<Metadata>()
  private readonly statusDeferred = new Deferred<StatusObject>()
  private readonly responses: AsyncIterator<unknown>
  private first: Promise<IteratorResult<unknown>> | undefined = undefined
  private timer: DeadlineTimer | undefined = undefined
  private trailers = new Metadata()
  private current: ClientCall | undefined = undefined
  private over = false

  /** @param requests undefined if the caller writes them */
  constructor(
    method: Method,
    interceptors: readonly ClientInterceptor[],
    options: CallOptions,
    requests: AsyncIterable<Request> | Iterable<Request> | undefined,
    newCall: NewCall,
  ) {
    this.method = method
    this.newCall = newCall
    looked(this.resultDeferred.promise)
    looked(this.headersDeferred.promise)
    const deadlineMs = deadlineMoment(options.deadline, Date.now())
    if (deadlineMs !== Number.POSITIVE_INFINITY) {
      this.timer = new DeadlineTimer(deadlineMs, () => {
        this.fail(new StatusError(Status.DEADLINE_EXCEEDED, 'Deadline exceeded in an interceptor'))
      })
    }
    const { signal, metadata, deadline: _deadline, interceptors: _interceptors, ...rest } = options
    const call: OutgoingCall = {
      method,
      metadata: new Metadata(metadata),
      options: {
        ...rest,
        signal: signal === undefined ? this.abort.signal : AbortSignal.any([signal, this.abort.signal]),
        ...(deadlineMs !== Number.POSITIVE_INFINITY && { deadline: new Date(deadlineMs) }),
      },
      requests: requests === undefined ? this.queue : iterate(requests),
      onHeaders: undefined,
      onTrailers: undefined,
    }
    const chain = interceptors.reduceRight<(call: OutgoingCall) => AsyncIterable<unknown>>(
      (next, interceptor) => (outgoing) => interceptor(outgoing, next),
      (outgoing) => this.send(outgoing),
    )
    this.responses = chain(call)[Symbol.asyncIterator]()
    if (method.responseStream) this.first = looked(this.step())
    else void this.runToEnd()
  }

  /** The innermost link: a real call. */
  private async *send(outgoing: OutgoingCall): AsyncGenerator<unknown, undefined> {
    const { method } = this
    const call = this.newCall(method, { ...outgoing.options, metadata: outgoing.metadata })
    this.current = call
    call.headers().then(
      (metadata) => {
        this.headersDeferred.resolve(metadata)
        outgoing.onHeaders?.(metadata)
      },
      () => {},
    )
    try {
      if (method.requestStream) call.startStreaming(outgoing.requests)
      else for await (const request of outgoing.requests) call.startUnary(request)
      if (method.responseStream) yield* call.messages()
      else yield await call.result()
    } finally {
      call.cancel()
      const status = await call.status()
      this.trailers = status.metadata
      outgoing.onTrailers?.(status.metadata)
    }
  }

  private async step(): Promise<IteratorResult<unknown>> {
    try {
      const result = await this.responses.next()
      if (result.done) this.succeed()
      return result
    } catch (error) {
      throw this.fail(error)
    }
  }

  private async runToEnd(): Promise<void> {
    try {
      let found: { message: unknown } | undefined
      for (;;) {
        const result = await this.responses.next()
        if (result.done) break
        found = { message: result.value }
      }
      if (found === undefined) throw new StatusError(Status.UNIMPLEMENTED, 'No message received')
      this.resultDeferred.resolve(found.message as Response)
      this.succeed()
    } catch (error) {
      this.fail(error)
    }
  }

  private succeed(): void {
    this.finish({ code: Status.OK, details: '', metadata: this.trailers })
  }

  private fail(thrown: unknown): StatusError {
    const error =
      thrown instanceof StatusError
        ? thrown
        : new StatusError(Status.UNKNOWN, `An interceptor failed: ${String(thrown)}`, { cause: thrown })
    this.resultDeferred.reject(error)
    this.headersDeferred.reject(error)
    this.finish(error)
    return error
  }

  private finish(status: StatusObject): void {
    if (this.over) return
    this.over = true
    this.timer?.clear()
    this.queue.close()
    this.abort.abort(status)
    this.headersDeferred.resolve(new Metadata())
    this.statusDeferred.resolve(status)
  }

  // ---- what the public faces show

  get peer(): string {
    return this.current?.peer ?? ''
  }

  write(request: Request, _options?: WriteOptions): Promise<boolean> {
    return this.over ? Promise.resolve(false) : this.queue.write(request)
  }

  end(): void {
    this.queue.end()
  }

  cancel(details = 'Cancelled on client'): void {
    if (!this.over) this.fail(new StatusError(Status.CANCELLED, details))
  }

  result(): Promise<Response> {
    return this.resultDeferred.promise
  }

  headers(): Promise<Metadata> {
    return this.headersDeferred.promise
  }

  status(): Promise<StatusObject> {
    return this.statusDeferred.promise
  }

  messages(): AsyncIterableIterator<Response, undefined> {
    const iterator: AsyncIterableIterator<Response, undefined> = {
      next: () => {
        const first = this.first
        this.first = undefined
        return (first ?? this.step()) as Promise<IteratorResult<Response, undefined>>
      },
      return: async () => {
        this.cancel()
        return { value: undefined, done: true }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }
}

async function* iterate<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items
}
