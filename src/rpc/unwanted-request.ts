/**
 * The rest of a request that was answered before its end.
 *
 * RFC 9113 §8.1 lets a server ask for its end with RST_STREAM(NO_ERROR). Clients exist that lose the response when
 * that frame comes right behind it (Go's among them), and most requests end by themselves a moment later. So what
 * comes is dropped, and the reset is sent only to a client that goes on sending.
 */
import type { Http2Stream } from '../http2/transport.ts'
import { ErrorCode } from '../wire/frame/error-codes.ts'

/** How long a client may take to end its request after it was answered, in milliseconds. */
export const UNWANTED_REQUEST_MS = 100
/** How much it may send in that time, in octets. */
const UNWANTED_REQUEST_OCTETS = 65536

/** Drops what comes and, if it does not end, resets the stream. */
export class UnwantedRequest {
  private readonly stream: Http2Stream
  private timer: ReturnType<typeof setTimeout> | undefined = undefined
  private octets = 0
  private over = false

  /** @param lingerMs time for the client to end; 0 resets at once */
  constructor(stream: Http2Stream, lingerMs: number) {
    this.stream = stream
    if (lingerMs > 0) this.timer = setTimeout(() => this.reset(), lingerMs)
    else this.reset()
  }

  /** Octets came; their credit is given back. */
  received(sizeOctets: number): void {
    this.stream.consume(sizeOctets)
    this.octets += sizeOctets
    if (this.octets > UNWANTED_REQUEST_OCTETS) this.reset()
  }

  /** The client ended its side, or the stream is gone. */
  ended(): void {
    this.over = true
    clearTimeout(this.timer)
  }

  private reset(): void {
    if (this.over) return
    this.ended()
    this.stream.reset(ErrorCode.NO_ERROR)
  }
}
