/**
 * Priorities that a client asks for: the `priority` field of a request and PRIORITY_UPDATE (RFC 9218 §5, §7).
 *
 * An update may come before its request; as many as streams may be open are kept until then.
 */
import { ErrorCode } from '../../wire/frame/error-codes.ts'
import type { ConnectionContext } from './connection-context.ts'
import { parsePriority } from './priority.ts'
import type { PureStream } from './stream.ts'
import type { StreamSender } from './stream-sender.ts'
import { connectionViolation } from './violation.ts'

/** Priorities of the streams of one connection. */
export class StreamPriorities {
  readonly #context: ConnectionContext
  readonly #sender: StreamSender
  #early: Map<number, string> | undefined = undefined

  constructor(context: ConnectionContext, sender: StreamSender) {
    this.#context = context
    this.#sender = sender
  }

  /** A request arrived, with this `priority` field or none; an earlier PRIORITY_UPDATE counts more. */
  onRequest(stream: PureStream, field: string | undefined): void {
    const early = this.#early?.get(stream.id)
    if (early !== undefined) this.#early!.delete(stream.id)
    const value = early ?? field
    if (value !== undefined) this.#schedule(stream, value)
  }

  /**
   * A PRIORITY_UPDATE frame arrived.
   *
   * @throws ConnectionError if this is a client, or for a push that was never promised (RFC 9218 §7.1)
   */
  onUpdate(streamId: number, value: string): void {
    const context = this.#context
    if (context.role === 'client') {
      const reason = 'PRIORITY_UPDATE from a server, allowed from clients only'
      throw connectionViolation(ErrorCode.PROTOCOL_ERROR, 'RFC 9218 §7.1', reason)
    }
    const stream = context.streams.get(streamId)
    if (stream !== undefined) {
      this.#schedule(stream, value)
      return
    }
    if (!context.isIdle(streamId)) return
    if (context.isLocal(streamId)) {
      const reason = `PRIORITY_UPDATE for stream ${streamId}, a push that was never promised`
      throw connectionViolation(ErrorCode.PROTOCOL_ERROR, 'RFC 9218 §7.1', reason)
    }
    this.#early ??= new Map()
    // Priority is a hint: those above what may be opened are forgotten, the oldest first.
    if (this.#early.size >= context.options.maxConcurrentStreams) {
      for (const oldest of this.#early.keys()) {
        this.#early.delete(oldest)
        break
      }
    }
    this.#early.set(streamId, value)
  }

  #schedule(stream: PureStream, value: string): void {
    const { urgency, incremental } = parsePriority(value)
    this.#sender.schedule(stream, urgency, !incremental)
  }
}
