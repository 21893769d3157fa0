/** A client's call that runs through interceptors: the chain drives it, the caller sees an ordinary call. */
import { Status } from '../wire/grpc/status-codes.ts'
import type { CallOptions, ClientInterceptor, OutgoingCall, WriteOptions } from './call-options.ts'
import type { CallMachine } from './calls.ts'
import type { ClientCall } from './client-call.ts'
import { DeadlineTimer, deadlineMoment } from './deadline.ts'
import { Deferred, looked } from './deferred.ts'
import { Metadata } from './metadata.ts'
import type { Method } from './method.ts'
import { StatusError, type StatusObject } from './status-error.ts'
import { WrittenRequests } from './written-requests.ts'

/** Makes the machine of one real call. */
export type NewCall = (method: Method, options: CallOptions) => ClientCall

/** The machine behind a call face when there are interceptors. */
export class InterceptedCall<Request, Response> implements CallMachine<Request, Response> {
  private readonly method: Method
  private readonly newCall: NewCall
  private readonly written = new WrittenRequests<Request>()
  private readonly abort = new AbortController()
  private readonly resultDeferred = new Deferred<Response>()
  private readonly headersDeferred = new Deferred<Metadata>()
  private readonly statusDeferred = new Deferred<StatusObject>()
  /** Undefined if the call was over before the interceptors began. */
  private responses: AsyncIterator<unknown> | undefined = undefined
  private readonly steps = new Set<Deferred<IteratorResult<unknown>>>()
  private first: Promise<IteratorResult<unknown>> | undefined = undefined
  private timer: DeadlineTimer | undefined = undefined
  private watched: { signal: AbortSignal; abort: () => void }[] = []
  private trailers = new Metadata()
  private current: ClientCall | undefined = undefined
  private over = false
  /** Why it failed, if it did. */
  private failure: StatusError | undefined = undefined

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
    const { parent } = options
    const parentDeadlineMs = parent?.deadline?.getTime() ?? Number.POSITIVE_INFINITY
    const deadlineMs = Math.min(deadlineMoment(options.deadline, Date.now()), parentDeadlineMs)
    if (deadlineMs !== Number.POSITIVE_INFINITY) {
      this.timer = new DeadlineTimer(deadlineMs, () => {
        this.fail(new StatusError(Status.DEADLINE_EXCEEDED, 'Deadline exceeded in an interceptor'))
      })
    }
    // The real call watches both too, but an interceptor may wait for something else.
    if (options.signal !== undefined) this.watch(options.signal, 'Cancelled on client')
    if (parent !== undefined) this.watch(parent.signal, 'Cancelled by parent call')
    const { signal, metadata, deadline: _deadline, interceptors: _interceptors, ...rest } = options
    const call: OutgoingCall = {
      method,
      metadata: new Metadata(metadata),
      options: {
        ...rest,
        signal: signal === undefined ? this.abort.signal : AbortSignal.any([signal, this.abort.signal]),
        ...(deadlineMs !== Number.POSITIVE_INFINITY && { deadline: new Date(deadlineMs) }),
      },
      requests: requests === undefined ? this.written : iterate(requests),
      onHeaders: undefined,
      onTrailers: undefined,
    }
    const chain = interceptors.reduceRight<(call: OutgoingCall) => AsyncIterable<unknown>>(
      (next, interceptor) => (outgoing) => interceptor(outgoing, next),
      (outgoing) => this.send(outgoing),
    )
    if (this.over) return
    try {
      this.responses = chain(call)[Symbol.asyncIterator]()
    } catch (error) {
      this.fail(error)
      return
    }
    if (method.responseStream) this.first = this.step()
    else void this.runToEnd(this.responses)
  }

  private watch(signal: AbortSignal, details: string): void {
    const abort = (): void =>
      void this.fail(new StatusError(Status.CANCELLED, details, { cause: signal.reason }))
    if (signal.aborted) return abort()
    this.watched.push({ signal, abort })
    signal.addEventListener('abort', abort, { once: true })
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
      if (method.requestStream)
        call.startStreaming(outgoing.requests, (request) => this.written.optionsFor(request))
      else call.startUnary((await onlyRequest(method, outgoing.requests)) as Request)
      if (method.responseStream) yield* call.messages()
      else yield await call.result()
    } finally {
      call.cancel()
      const status = await call.status()
      this.trailers = status.metadata
      outgoing.onTrailers?.(status.metadata)
    }
  }

  /** The next response; an interceptor that waits for something else does not keep a failure from the caller. */
  private step(): Promise<IteratorResult<unknown>> {
    if (this.failure !== undefined) return looked(Promise.reject(this.failure))
    const step = new Deferred<IteratorResult<unknown>>()
    this.steps.add(step)
    void this.advance(step)
    return looked(step.promise)
  }

  private async advance(step: Deferred<IteratorResult<unknown>>): Promise<void> {
    try {
      const result = await this.responses!.next()
      if (result.done) this.succeed()
      step.resolve(result)
    } catch (error) {
      step.reject(this.fail(error))
    } finally {
      this.steps.delete(step)
    }
  }

  private async runToEnd(responses: AsyncIterator<unknown>): Promise<void> {
    try {
      let found: { message: unknown } | undefined
      for (;;) {
        const result = await responses.next()
        if (result.done) break
        if (found !== undefined) {
          const details = `An interceptor gave ${this.method.path} a second response where one is allowed`
          throw new StatusError(Status.INTERNAL, details)
        }
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
    if (this.over) return this.failure ?? error
    this.failure = error
    this.resultDeferred.reject(error)
    this.headersDeferred.reject(error)
    this.finish(error)
    return error
  }

  private finish(status: StatusObject): void {
    if (this.over) return
    this.over = true
    this.timer?.clear()
    for (const { signal, abort } of this.watched) signal.removeEventListener('abort', abort)
    this.written.close(this.failure)
    this.abort.abort(status)
    if (this.failure !== undefined) for (const step of this.steps) step.reject(this.failure)
    // Interceptors in the midst of a stream clean up; what they throw then is nobody's.
    Promise.resolve(this.responses?.return?.()).catch(() => {})
    this.headersDeferred.resolve(new Metadata())
    this.statusDeferred.resolve(status)
  }

  // ---- what the public faces show

  get peer(): string {
    return this.current?.peer ?? ''
  }

  write(request: Request, options?: WriteOptions): Promise<boolean> {
    return this.written.write(request, options)
  }

  end(): void {
    this.written.end()
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

async function onlyRequest(
  method: Method,
  requests: AsyncIterable<unknown> | Iterable<unknown>,
): Promise<unknown> {
  const all: unknown[] = []
  for await (const request of requests) if (all.push(request) > 1) break
  if (all.length === 1) return all[0]
  const given = all.length === 0 ? 'no request where one is needed' : 'a second request where one is allowed'
  throw new StatusError(Status.INTERNAL, `An interceptor gave ${method.path} ${given}`)
}

async function* iterate<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items
}
