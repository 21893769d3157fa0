/** A service whose messages are JSON: the rpc floor is tested without protobuf. */
import {
  MESSAGE_PREFIX_OCTETS,
  type MessageCodec,
  type Method,
  type Service,
} from '../../../src/rpc/method.ts'

/** Encodes any JSON value; `{ "unencodable": true }` can't be encoded, and text that is no JSON can't be decoded. */
export function jsonCodec<T>(typeName: string): MessageCodec<T> {
  return {
    typeName,
    encode(message) {
      if (typeof message === 'object' && message !== null && 'unencodable' in message) {
        throw new Error(`${typeName}.unencodable: it can't be encoded`)
      }
      const body = Buffer.from(JSON.stringify(message))
      const octets = Buffer.alloc(MESSAGE_PREFIX_OCTETS + body.length)
      octets.set(body, MESSAGE_PREFIX_OCTETS)
      return octets
    },
    decode: (chunk, start, end) => JSON.parse(Buffer.from(chunk.subarray(start, end)).toString()) as T,
  }
}

export interface Ask {
  text?: string
  count?: number
  sizeOctets?: number
  unencodable?: true
}
export interface Answer {
  text: string
  index?: number
}

function method<QS extends boolean, SS extends boolean>(
  name: string,
  requestStream: QS,
  responseStream: SS,
): Method<Ask, Answer, QS, SS> {
  return {
    name,
    path: `/test.Text/${name}`,
    requestStream,
    responseStream,
    request: jsonCodec<Ask>('test.Ask'),
    response: jsonCodec<Answer>('test.Answer'),
  }
}

export const methods = {
  one: method('One', false, false),
  many: method('Many', false, true),
  gather: method('Gather', true, false),
  chat: method('Chat', true, true),
}

export const Text: Service<typeof methods> = { name: 'test.Text', methods }
