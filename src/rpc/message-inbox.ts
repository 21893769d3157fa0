/**
 * Received octets of one stream, cut into messages when the application asks for them.
 *
 * Octets stay as they came until then, so what a slow application holds is bounded by the flow-control
 * window; their credit goes back to the peer as messages are taken. Small pieces are gathered in blocks, so that
 * a peer that sends single octets can't make the bookkeeping larger than the data.
 */
import { Status } from '../wire/grpc/status-codes.ts'
import { MessageDecoder, MessageFramingError, type MessageSink } from '../wire/length-prefixed-message.ts'
import { copyOctets } from '../wire/octets.ts'
import { decompressMessage, type MessageEncoding } from './compression.ts'
import type { MessageCodec } from './method.ts'
import { StatusError } from './status-error.ts'

/** Pieces up to this size are copied into a block rather than kept as views of the socket's chunk. */
const GATHERED_OCTETS = 1024
const BLOCK_OCTETS = 16384

/** Who gets credit back for octets taken. */
export interface CreditReceiver {
  consume(sizeOctets: number): void
  /** Address of the peer, where it is known: for the error of one that speaks something else. */
  readonly peer?: string
}

/** What a side makes of a message that its codec does not understand. */
export type ParseFailure = (error: unknown) => StatusError

interface Waiter<Message> {
  resolve(result: IteratorResult<Message, undefined>): void
  reject(error: unknown): void
}

/** A received message stream: pushed octets in, messages out, by {@link MessageInbox.take} or as an async iterator. */
export class MessageInbox<Message> implements MessageSink, AsyncIterableIterator<Message, undefined> {
  private readonly codec: MessageCodec<Message>
  private readonly maxMessageOctets: number
  private readonly parseFailure: ParseFailure
  private readonly credit: CreditReceiver
  private decoder: MessageDecoder | undefined = undefined
  private chunks: Uint8Array[] | undefined = undefined
  /** Start and end in the chunk of the same place: start of 0 is at 0, its end at 1. */
  private ranges: number[] | undefined = undefined
  private head = 0
  private block: Uint8Array | undefined = undefined
  private blockLength = 0
  private ended = false
  private error: StatusError | undefined = undefined
  private waiters: Waiter<Message>[] | undefined = undefined
  private onLeave: (() => void) | undefined = undefined
  /** The application has left its loop. */
  private left = false

  /** Whether the message taken last had its Compressed-Flag set. */
  messageCompressed = false
  private messageChunk: Uint8Array | undefined = undefined
  private messageStart = 0
  private messageEnd = 0

  /** How the peer's compressed messages are compressed (its `grpc-encoding`); undefined for identity. */
  encoding: MessageEncoding | undefined = undefined
  /** The name that the peer gave, for the error if it is unknown here. */
  encodingName: string | undefined = undefined
  /** Called when the octets are no such message, and nothing more can be taken. */
  onFailure: ((error: StatusError) => void) | undefined = undefined
  /** Messages taken so far. */
  count = 0
  /** Whether {@link MessageInbox.takeFrom} found a message. */
  taken = false
  /** The message that {@link MessageInbox.take} or {@link MessageInbox.takeFrom} found. */
  message: Message | undefined = undefined

  constructor(
    codec: MessageCodec<Message>,
    maxMessageOctets: number,
    parseFailure: ParseFailure,
    credit: CreditReceiver,
  ) {
    this.codec = codec
    this.maxMessageOctets = maxMessageOctets
    this.parseFailure = parseFailure
    this.credit = credit
  }

  /** Octets arrived. */
  push(chunk: Uint8Array, start: number, end: number): void {
    if (this.error !== undefined || this.ended) {
      this.credit.consume(end - start)
      return
    }
    if (this.chunks === undefined) {
      this.chunks = [chunk]
      this.ranges = [start, end]
    } else if (this.head < this.chunks.length && end - start <= GATHERED_OCTETS)
      this.gather(chunk, start, end)
    else this.keep(chunk, start, end)
    this.serveWaiters()
  }

  private keep(chunk: Uint8Array, start: number, end: number): void {
    this.chunks!.push(chunk)
    this.ranges!.push(start, end)
  }

  private gather(chunk: Uint8Array, start: number, end: number): void {
    const size = end - start
    const last = this.chunks!.length - 1
    if (this.block === undefined || this.blockLength + size > this.block.length) {
      this.block = Buffer.allocUnsafeSlow(BLOCK_OCTETS)
      this.blockLength = 0
    } else if (this.chunks![last] === this.block) {
      copyOctets(chunk, start, end, this.block, this.blockLength)
      this.blockLength += size
      this.ranges![last * 2 + 1] = this.blockLength
      return
    }
    copyOctets(chunk, start, end, this.block, this.blockLength)
    this.keep(this.block, this.blockLength, this.blockLength + size)
    this.blockLength += size
  }

  /** True if the stream has ended in order and everything was taken. */
  get finished(): boolean {
    return this.ended && this.empty
  }

  private get empty(): boolean {
    return this.chunks === undefined || this.head === this.chunks.length
  }

  onMessage(compressed: boolean, chunk: Uint8Array, start: number, end: number): boolean {
    this.messageCompressed = compressed
    this.messageChunk = chunk
    this.messageStart = start
    this.messageEnd = end
    return false
  }

  /**
   * Takes the next message, if it is whole, into {@link MessageInbox.message}.
   * @returns whether there was one
   * @throws StatusError if the octets are no such message; the inbox is over then
   */
  take(): boolean {
    if (this.error !== undefined || this.empty) return false
    let taken = 0
    try {
      this.decoder ??= new MessageDecoder(this.maxMessageOctets)
      while (this.messageChunk === undefined && this.head < this.chunks!.length) {
        const start = this.ranges![this.head * 2]!
        const end = this.ranges![this.head * 2 + 1]!
        const at = this.decoder.push(this.chunks![this.head]!, start, end, this)
        taken += at - start
        if (at < end) this.ranges![this.head * 2] = at
        else this.dropHead()
      }
      if (this.messageChunk === undefined) return false
      this.message = this.decode()
      this.count++
      return true
    } catch (error) {
      throw this.failed(error)
    } finally {
      if (taken > 0) this.credit.consume(taken)
    }
  }

  /**
   * For a side that takes each message as it comes: octets arrived, and {@link MessageInbox.taken} says whether a
   * message ended in them. Not to be mixed with {@link MessageInbox.push}.
   * @returns where the message ended, or `end`: the rest, if any, is given again
   * @throws StatusError as {@link MessageInbox.take} does
   */
  takeFrom(chunk: Uint8Array, start: number, end: number): number {
    this.taken = false
    let at = end
    try {
      if (this.error !== undefined || this.ended) return at
      this.decoder ??= new MessageDecoder(this.maxMessageOctets)
      at = this.decoder.push(chunk, start, end, this)
      if (this.messageChunk === undefined) return at
      this.message = this.decode()
      this.taken = true
      this.count++
      return at
    } catch (error) {
      at = end
      throw this.failed(error)
    } finally {
      this.credit.consume(at - start)
    }
  }

  private failed(error: unknown): StatusError {
    const failure = this.toStatus(error)
    this.abort(failure)
    this.onFailure?.(failure)
    return failure
  }

  private dropHead(): void {
    const chunks = this.chunks!
    chunks[this.head++] = EMPTY
    if (this.head === chunks.length) {
      chunks.length = 0
      this.ranges!.length = 0
      this.head = 0
      this.block = undefined
    } else if (this.head >= 64 && this.head * 2 >= chunks.length) {
      chunks.splice(0, this.head)
      this.ranges!.splice(0, this.head * 2)
      this.head = 0
    }
  }

  private decode(): Message {
    const chunk = this.messageChunk!
    this.messageChunk = undefined
    if (!this.messageCompressed) return this.parse(chunk, this.messageStart, this.messageEnd)
    // gRPC compression.md: a set Compressed-Flag without a message encoding is an error of the sender.
    if (this.encoding === undefined) {
      throw new StatusError(
        Status.INTERNAL,
        this.encodingName === undefined
          ? 'Received a message with Compressed-Flag 1, but its sender declared no grpc-encoding'
          : `Received a message compressed with "${this.encodingName}", which is not accepted here`,
      )
    }
    const restored = decompressMessage(
      this.encoding,
      chunk.subarray(this.messageStart, this.messageEnd),
      this.maxMessageOctets,
    )
    return this.parse(restored, 0, restored.length)
  }

  private parse(chunk: Uint8Array, start: number, end: number): Message {
    try {
      return this.codec.decode(chunk, start, end)
    } catch (error) {
      throw this.parseFailure(error)
    }
  }

  private toStatus(error: unknown): StatusError {
    if (error instanceof StatusError) return error
    if (error instanceof MessageFramingError) {
      const code = error.fault === 'too-large' ? Status.RESOURCE_EXHAUSTED : Status.INTERNAL
      const { peer } = this.credit
      const from = error.fault === 'not-grpc' && peer !== undefined ? `; it came from ${peer}` : ''
      return new StatusError(code, error.reason + from, { cause: error, phase: 'messages' })
    }
    return new StatusError(Status.INTERNAL, `Receiving failed: ${String(error)}`, { cause: error })
  }

  /**
   * The peer ended its side in order: what is here can still be taken.
   * @returns an error if the octets end inside a message, once they are taken; for unary sides that took all
   */
  end(): StatusError | undefined {
    this.ended = true
    const cut = this.cutShort()
    this.serveWaiters()
    return cut
  }

  /** The error of a stream that ended inside a message; only known once everything before was taken. */
  private cutShort(): StatusError | undefined {
    if (this.decoder === undefined || !this.finished || this.error !== undefined) return undefined
    try {
      this.decoder.end()
      return undefined
    } catch (error) {
      this.error = this.toStatus(error)
      return this.error
    }
  }

  /** The call failed, but what arrived before can still be taken. */
  endWith(error: StatusError): void {
    if (this.error !== undefined) return
    this.ended = true
    this.finalError = error
    this.serveWaiters()
  }

  private finalError: StatusError | undefined = undefined

  /** The call is over now: what was not taken is dropped, and who waits gets `error`. */
  abort(error: StatusError): void {
    if (this.error !== undefined) return
    this.error = error
    let dropped = 0
    if (this.chunks !== undefined) {
      for (let i = this.head; i < this.chunks.length; i++)
        dropped += this.ranges![i * 2 + 1]! - this.ranges![i * 2]!
      this.chunks.length = 0
      this.ranges!.length = 0
      this.head = 0
    }
    this.block = undefined
    this.decoder = undefined
    if (dropped > 0) this.credit.consume(dropped)
    this.serveWaiters()
  }

  private serveWaiters(): void {
    const waiters = this.waiters
    if (waiters === undefined) return
    while (waiters.length > 0) {
      const result = this.poll()
      if (result === undefined) return
      const waiter = waiters.shift()
      if (waiter === undefined) return // poll found the octets wrong, and abort served everybody
      if (result instanceof StatusError) waiter.reject(result)
      else waiter.resolve(result)
    }
  }

  /** The next result of the iterator, or undefined if it has to wait. */
  private poll(): IteratorResult<Message, undefined> | StatusError | undefined {
    try {
      if (this.take()) {
        const value = this.message as Message
        this.message = undefined
        return { value, done: false }
      }
    } catch (error) {
      return error as StatusError
    }
    if (this.error !== undefined) return this.error
    if (!this.ended) return undefined
    return this.finalError ?? this.cutShort() ?? { value: undefined, done: true }
  }

  /** Called when the application leaves its loop before the end. */
  set onReturn(listener: () => void) {
    this.onLeave = listener
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    if (this.left) return Promise.resolve({ value: undefined, done: true })
    if (this.waiters === undefined || this.waiters.length === 0) {
      const result = this.poll()
      if (result instanceof StatusError) return Promise.reject(result)
      if (result !== undefined) return Promise.resolve(result)
    }
    return new Promise((resolve, reject) => {
      this.waiters ??= []
      this.waiters.push({ resolve, reject })
    })
  }

  return(): Promise<IteratorResult<Message, undefined>> {
    const leave = this.onLeave
    this.onLeave = undefined
    this.left = true
    if (leave !== undefined && !this.finished && this.error === undefined) leave()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

const EMPTY = new Uint8Array(0)
