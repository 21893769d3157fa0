/** From a message to the octets of a Length-Prefixed-Message: encoded, checked for size, compressed, prefixed. */
import { Status } from '../wire/grpc/status-codes.ts'
import { writeMessagePrefix } from '../wire/length-prefixed-message.ts'
import type { MessageEncoding } from './compression.ts'
import { MESSAGE_PREFIX_OCTETS, type MessageCodec } from './method.ts'
import { StatusError } from './status-error.ts'

/** Messages smaller than this are not worth compressing: their header alone takes some 20 octets. */
export const DEFAULT_MIN_COMPRESS_OCTETS = 1024

/** What one side does with each message that it sends. */
export interface SendRules {
  /** Largest message in octets, before compression. */
  readonly maxSendMessageOctets: number
  /** How to compress, if at all. */
  readonly encoding: MessageEncoding | undefined
  /** Smaller messages are sent as they are. */
  readonly minCompressOctets: number
  /** Words of the size limit's error, which differ by side as users of grpc-js know them. */
  readonly tooLarge: (sizeOctets: number, maxOctets: number) => string
}

/**
 * Encodes and frames one message.
 * @param compress false sends this message as it is although the call has an encoding
 * @throws StatusError RESOURCE_EXHAUSTED past the send limit
 * @throws Error of the codec if the message can't be encoded
 */
export function frameMessage<Message>(
  codec: MessageCodec<Message>,
  message: Message,
  rules: SendRules,
  compress: boolean,
): Uint8Array {
  const octets = codec.encode(message)
  const sizeOctets = octets.length - MESSAGE_PREFIX_OCTETS
  if (sizeOctets > rules.maxSendMessageOctets) {
    throw new StatusError(Status.RESOURCE_EXHAUSTED, rules.tooLarge(sizeOctets, rules.maxSendMessageOctets))
  }
  if (rules.encoding !== undefined && compress && sizeOctets >= rules.minCompressOctets) {
    const compressed = rules.encoding.compress(octets.subarray(MESSAGE_PREFIX_OCTETS))
    const framed = Buffer.allocUnsafe(MESSAGE_PREFIX_OCTETS + compressed.length)
    writeMessagePrefix(framed, 0, true, compressed.length)
    framed.set(compressed, MESSAGE_PREFIX_OCTETS)
    return framed
  }
  writeMessagePrefix(octets, 0, false, sizeOctets)
  return octets
}
