/** The public faces of a client's call, one for each of the four kinds. */
import type { WriteOptions } from './call-options.ts'
import type { ClientCall } from './client-call.ts'
import type { Metadata } from './metadata.ts'
import type { StatusObject } from './status-error.ts'

/** What every call shows. */
export interface Call {
  /** The response headers' metadata; rejects with the call's StatusError if it failed before they came. */
  readonly headers: Promise<Metadata>
  /** The trailers' metadata, once the call has ended; empty if none came. Never rejects. */
  readonly trailers: Promise<Metadata>
  /** How the call ended. Never rejects. */
  readonly status: Promise<StatusObject>
  /** Address of the server that has the call; empty before it has one. */
  readonly peer: string
  /** Ends the call with CANCELLED and tells the server. Does nothing once it has ended. */
  cancel(details?: string): void
  /** Cancels the call if it has not ended (`using call = …`). */
  [Symbol.dispose](): void
  /** Cancels the call if it has not ended (`await using call = …`). */
  [Symbol.asyncDispose](): Promise<void>
}

/** A call with one response: `await` it for the message; rejects with a StatusError. */
export interface AwaitableCall<Response> extends Call, Promise<Response> {}

/** A call with a stream of responses: iterate over it; leaving the loop early cancels it. */
export interface IterableCall<Response> extends Call, AsyncIterable<Response, undefined> {}

/** A call with a stream of requests. */
export interface WritableCall<Request> {
  /**
   * Sends one request. Await it before the next: it resolves with true once there is room (back-pressure), or
   * with false if the call has ended with OK and takes no more. Rejects with the StatusError of a failed call.
   */
  write(request: Request, options?: WriteOptions): Promise<boolean>
  /** No more requests. */
  end(): void
}

/** Unary: one request, one response. */
export type UnaryCall<Response> = AwaitableCall<Response>
/** Server streaming: one request, a stream of responses. */
export type ServerStreamingCall<Response> = IterableCall<Response>
/** Client streaming: a stream of requests, one response. */
export interface ClientStreamingCall<Request, Response>
  extends AwaitableCall<Response>,
    WritableCall<Request> {}
/** Bidirectional streaming: both sides stream, independently. */
export interface BidirectionalCall<Request, Response> extends IterableCall<Response>, WritableCall<Request> {}

/** What a face needs of the machine behind it. */
export type CallMachine<Request, Response> = Pick<
  ClientCall<Request, Response>,
  'headers' | 'status' | 'result' | 'messages' | 'write' | 'end' | 'cancel' | 'peer'
>

class CallFace<Request, Response> implements Call {
  protected readonly machine: CallMachine<Request, Response>

  constructor(machine: CallMachine<Request, Response>) {
    this.machine = machine
  }

  get headers(): Promise<Metadata> {
    return this.machine.headers()
  }

  get trailers(): Promise<Metadata> {
    return this.machine.status().then((status) => status.metadata)
  }

  get status(): Promise<StatusObject> {
    return this.machine.status()
  }

  get peer(): string {
    return this.machine.peer
  }

  cancel(details?: string): void {
    this.machine.cancel(details)
  }

  [Symbol.dispose](): void {
    this.machine.cancel()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.machine.cancel()
  }

  write(request: Request, options?: WriteOptions): Promise<boolean> {
    return this.machine.write(request, options)
  }

  end(): void {
    this.machine.end()
  }
}

/** Face of the unary and the client-streaming call. */
export class AwaitableFace<Request, Response>
  extends CallFace<Request, Response>
  implements ClientStreamingCall<Request, Response>
{
  readonly [Symbol.toStringTag] = 'Call'

  // biome-ignore lint/suspicious/noThenProperty: being awaitable is what this class is for
  then<A = Response, B = never>(
    onFulfilled?: ((value: Response) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.machine.result().then(onFulfilled, onRejected)
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<Response | B> {
    return this.machine.result().catch(onRejected)
  }

  finally(onFinally?: (() => void) | null): Promise<Response> {
    return this.machine.result().finally(onFinally)
  }
}

/** Face of the server-streaming and the bidirectional call. */
export class IterableFace<Request, Response>
  extends CallFace<Request, Response>
  implements BidirectionalCall<Request, Response>
{
  [Symbol.asyncIterator](): AsyncIterator<Response, undefined> {
    return this.machine.messages()
  }
}
