/**
 * One stream seen from outside: which section is which, the messages of both sides, and the status
 * (gRPC PROTOCOL-HTTP2, "Requests" and "Responses").
 *
 * Nothing is judged here as a peer would: a stream that is no gRPC call is shown as what it is.
 */
import { messageEncoding } from '../rpc/compression.ts'
import {
  decodeBinaryValue,
  decodeGrpcMessage,
  type MessageDescriptor,
  parseGrpcStatus,
  type Scan,
  scan,
  statusName,
} from '../wire/index.ts'
import type { MessageEvent, SectionKind, Sender, StatusEvent } from './events.ts'
import { type CutMessage, MessageCutter } from './message-cutter.ts'
import { RPC_STATUS } from './rpc-status.ts'
import type { MethodTypes, Schema } from './schema.ts'

/** Bounds of what is kept and taken apart. */
export interface MessageLimits {
  /** What is kept of a message, as sent and again decompressed. */
  readonly keptMessageOctets: number
  /** Records that a message is taken apart into. */
  readonly maxRecords: number
}

/** What one side of a stream has sent so far. */
interface Side {
  sections: number
  readonly cutter: MessageCutter
  messages: number
  isGrpc: boolean
  /** True after a prefix that is none: the rest is shown as octets. */
  isBroken: boolean
  encoding: string
}

/** What a message event says besides where and when. */
export type MessageParts = Pick<
  MessageEvent,
  | 'offset'
  | 'index'
  | 'compressed'
  | 'encoding'
  | 'lengthOctets'
  | 'octets'
  | 'plain'
  | 'typeName'
  | 'scan'
  | 'note'
>

/** What a status event says besides where and when. */
export type StatusParts = Pick<StatusEvent, 'code' | 'name' | 'message' | 'details' | 'malformed'>

/** The state of one stream. */
export class CallDissection {
  readonly #limits: MessageLimits
  readonly #schema: Schema | undefined
  readonly #sides: Readonly<Record<Sender, Side>>
  #types: MethodTypes | undefined
  /** Sides that have ended in order. */
  readonly #ended = new Set<Sender>()

  constructor(limits: MessageLimits, schema: Schema | undefined) {
    this.#limits = limits
    this.#schema = schema
    this.#sides = { client: newSide(limits), server: newSide(limits) }
  }

  /** Takes a field section and says which one it is. */
  onFields(sender: Sender, fields: readonly string[], endStream: boolean, promised: boolean): SectionKind {
    const side = this.#sides[promised ? 'client' : sender]
    if (side.sections > 0) return 'trailers'
    const status = fieldValue(fields, ':status')
    if (status !== undefined && /^1\d\d$/.test(status)) return 'informational'
    side.sections++
    side.isGrpc = /^application\/grpc(?![a-z-])/i.test(fieldValue(fields, 'content-type') ?? '')
    side.encoding = fieldValue(fields, 'grpc-encoding') ?? 'identity'
    if (sender === 'client' || promised) {
      const path = fieldValue(fields, ':path')
      if (path !== undefined) this.#types = this.#schema?.(path)
      return promised ? 'promised-request' : 'request'
    }
    return endStream ? 'trailers-only' : 'response'
  }

  /** The status that a response's last section carries, if it does. */
  statusOf(fields: readonly string[]): StatusParts | undefined {
    const text = fieldValue(fields, 'grpc-status')
    if (text === undefined) return undefined
    const { code, malformed } = parseGrpcStatus(text)
    const details = fieldValue(fields, 'grpc-status-details-bin')
    return {
      code,
      name: statusName(code),
      message: decodeGrpcMessage(fieldValue(fields, 'grpc-message') ?? ''),
      details: details === undefined ? undefined : this.#scan(decodeBinaryValue(details), RPC_STATUS),
      malformed,
    }
  }

  /** True if the side's data are messages, as far as is known. */
  hasMessages(sender: Sender): boolean {
    const side = this.#sides[sender]
    return side.isGrpc && !side.isBroken
  }

  /**
   * Takes the data of a DATA frame and calls `onMessage` for each message it completes.
   *
   * @throws WireError where a prefix is none; the side's data are no messages any more then
   */
  onData(sender: Sender, data: Uint8Array, offset: number, onMessage: (parts: MessageParts) => void): void {
    const side = this.#sides[sender]
    try {
      for (const message of side.cutter.push(data, offset)) onMessage(this.#takeApart(sender, side, message))
    } catch (error) {
      side.isBroken = true
      throw error
    }
  }

  /** The side ended in order. @throws WireError inside a message */
  onEnd(sender: Sender): void {
    this.#ended.add(sender)
    if (this.hasMessages(sender)) this.#sides[sender].cutter.end()
  }

  /** True once both sides have ended in order. */
  get isOver(): boolean {
    return this.#ended.size === 2
  }

  #takeApart(sender: Sender, side: Side, message: CutMessage): MessageParts {
    const type = sender === 'client' ? this.#types?.request : this.#types?.response
    const encoding = side.encoding
    let plain: Uint8Array | undefined = message.octets
    let note = ''
    if (message.octets.length < message.lengthOctets) {
      note = `only the first ${message.octets.length} octets are kept`
    }
    if (message.compressed) {
      const restored = note === '' ? this.#decompress(encoding, message.octets) : note
      if (typeof restored === 'string') {
        plain = undefined
        note = restored
      } else plain = restored
    }
    const whole = plain !== undefined && note === ''
    return {
      offset: message.offset,
      index: ++side.messages,
      compressed: message.compressed,
      encoding,
      lengthOctets: message.lengthOctets,
      octets: message.octets,
      plain,
      typeName: type?.name,
      scan: whole ? this.#scan(plain!, type) : undefined,
      note,
    }
  }

  /** The message without compression, or why there is none. */
  #decompress(name: string, octets: Uint8Array): Uint8Array | string {
    const encoding = messageEncoding(name)
    if (encoding === undefined) return `can't decompress ${JSON.stringify(name)}`
    try {
      return encoding.decompress(octets, this.#limits.keptMessageOctets)
    } catch (error) {
      return `can't decompress: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  #scan(octets: Uint8Array, message: MessageDescriptor | undefined): Scan {
    return scan(octets, { message, maxRecords: this.#limits.maxRecords, partial: true })
  }
}

function newSide(limits: MessageLimits): Side {
  return {
    sections: 0,
    cutter: new MessageCutter(limits.keptMessageOctets),
    messages: 0,
    isGrpc: false,
    isBroken: false,
    encoding: 'identity',
  }
}

/** The value of the first field of that name. */
function fieldValue(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1]
  return undefined
}
