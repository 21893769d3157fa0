/** Takes requests from an iterable and writes them to a call, one at a time, as long as the call wants them. */
import { Status } from '../wire/grpc/status-codes.ts'
import type { WriteOptions } from './call-options.ts'

/** What a pump needs of its call. */
export interface PumpedCall<Request> {
  readonly isOver: boolean
  write(request: Request, options: WriteOptions | undefined): Promise<boolean>
  end(): void
  fail(code: number, details: string, cause: unknown): void
}

/** Finds the options of a request that is about to be written. */
export type OptionsFor = (request: unknown) => WriteOptions | undefined

const nothing: OptionsFor = () => undefined

/** One source of requests on its way into one call. */
export class RequestPump<Request> {
  private readonly call: PumpedCall<Request>
  private readonly optionsFor: OptionsFor
  private source: AsyncIterator<Request> | Iterator<Request> | undefined = undefined

  /** @param optionsFor what was said of a request; default nothing */
  constructor(call: PumpedCall<Request>, optionsFor: OptionsFor = nothing) {
    this.call = call
    this.optionsFor = optionsFor
  }

  /** Runs until the source or the call ends; what the source throws cancels the call. Never rejects. */
  async run(requests: AsyncIterable<Request> | Iterable<Request>): Promise<void> {
    const { call } = this
    try {
      this.source =
        Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]()
      for (;;) {
        const result = await this.source.next()
        if (result.done) break
        if (call.isOver || !(await call.write(result.value, this.optionsFor(result.value)))) return
      }
      this.source = undefined
      call.end()
    } catch (error) {
      this.source = undefined
      const text = error instanceof Error ? error.message : String(error)
      call.fail(Status.CANCELLED, `The source of requests failed: ${text}`, error)
    }
  }

  /** The call is over: lets the source run its `finally`. */
  leave(): void {
    const { source } = this
    this.source = undefined
    // A generator that waits for something else ends after that; its own errors are nobody's then.
    if (source?.return !== undefined) Promise.resolve(source.return()).catch(() => {})
  }
}
