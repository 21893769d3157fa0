/** A stream whose request was answered without a handler. */
import type { Http2Stream, StreamListener } from '../http2/transport.ts'
import { UNWANTED_REQUEST_MS, UnwantedRequest } from './unwanted-request.ts'

/** Takes and drops what else comes on a stream that was answered already. */
export class RefusedStream implements StreamListener {
  private readonly unwanted: UnwantedRequest

  constructor(stream: Http2Stream) {
    this.unwanted = new UnwantedRequest(stream, UNWANTED_REQUEST_MS)
  }

  onHeaders(): void {}
  onData(_chunk: Uint8Array, start: number, end: number): void {
    this.unwanted.received(end - start)
  }
  onTrailers(): void {}
  onEnd(): void {
    this.unwanted.ended()
  }
  onDrain(): void {}
  onClose(): void {
    this.unwanted.ended()
  }
}
