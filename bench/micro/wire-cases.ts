/** The hot functions of the wire floor, one call each, for `run.ts`. */
import { decodeBinaryValue, encodeBinaryValue } from '../../src/wire/grpc/binary-metadata.ts'
import { decodeGrpcMessage, encodeGrpcMessage } from '../../src/wire/grpc/percent-encoding.ts'
import { parseGrpcStatus } from '../../src/wire/grpc/status-codes.ts'
import { formatTimeout, parseTimeout } from '../../src/wire/grpc/timeout.ts'
import {
  decodeHuffman,
  encodeHuffman,
  huffmanLength,
  maxDecodedLength,
} from '../../src/wire/hpack/huffman.ts'
import { readInteger, writeInteger } from '../../src/wire/hpack/integer.ts'
import {
  beginHeaders,
  DEFAULT_MAX_FRAME_SIZE,
  endFieldBlock,
  FrameDecoder,
  FrameSinkBase,
  HpackDecoder,
  HpackEncoder,
  MessageDecoder,
  OctetWriter,
  writeData,
  writeMessagePrefix,
  writeWindowUpdate,
} from '../../src/wire/index.ts'
import { REQUEST } from './fields.ts'

const SMALL = new Uint8Array(16)
const FRAMES = 100
/** Values that no table has, in turn, as trace identifiers are. */
const TRACES = Array.from(
  { length: 256 },
  (_, i) => `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203${i.toString(16).padStart(3, '0')}-01`,
)
const TEXT = 'helloworld.Greeter/SayHello'

/** Field blocks as the second and later ones of a connection have them: what repeats is in the dynamic table. */
function blocksOf(sections: readonly (readonly string[])[]): { decoder: HpackDecoder; blocks: Uint8Array[] } {
  const encoder = new HpackEncoder()
  const decoder = new HpackDecoder()
  const blocks: Uint8Array[] = []
  for (const section of [sections[0]!, ...sections]) {
    const octets = new OctetWriter()
    encoder.encode([...section], octets)
    blocks.push(octets.take())
    decoder.decode(blocks.at(-1)!)
  }
  return { decoder, blocks: blocks.slice(1) }
}

/** So many frames in a row. */
function framesOf(write: (out: OctetWriter) => void): Uint8Array {
  const octets = new OctetWriter()
  for (let i = 0; i < FRAMES; i++) write(octets)
  return octets.take()
}

const out = new OctetWriter(65_536)
const encoder = new HpackEncoder()
const tracing = new HpackEncoder()
const repeated = blocksOf([REQUEST, REQUEST])
const traced = TRACES.map((trace) => [...REQUEST, 'grpc-timeout', '4999m', 'traceparent', trace])
// such values are never put into the table, so that blocks can be decoded in any order
const various = blocksOf(traced)
let turn = 0

const frameDecoder = new FrameDecoder(new FrameSinkBase())
const dataFrames = framesOf((octets) => writeData(octets, 1, false, SMALL))
const updateFrames = framesOf((octets) => writeWindowUpdate(octets, 1, 1000))
const headerFrames = framesOf((octets) => {
  const start = beginHeaders(octets, 1, false)
  octets.octets(repeated.blocks[0]!)
  endFieldBlock(octets, start, DEFAULT_MAX_FRAME_SIZE)
})

const message = new Uint8Array(21)
writeMessagePrefix(message, 0, false, 16)
const messageDecoder = new MessageDecoder()
const messageSink = { onMessage: () => true }

const coded = new OctetWriter()
encodeHuffman(TEXT, coded, TEXT.length)
const huffman = coded.take()
const decoded = new Uint8Array(maxDecodedLength(huffman.length))
const integer = new OctetWriter()
writeInteger(integer, 0, 5, 1337)
const integerOctets = integer.take()
const cursor = { octets: integerOctets, start: 0, end: integerOctets.length, position: 0 }

/** By name. */
export const wireCases: Readonly<Record<string, () => unknown>> = {
  'FrameDecoder.push, 100 DATA frames': () => frameDecoder.push(dataFrames, 0, dataFrames.length),
  'FrameDecoder.push, 100 HEADERS frames': () => frameDecoder.push(headerFrames, 0, headerFrames.length),
  'FrameDecoder.push, 100 WINDOW_UPDATE frames': () =>
    frameDecoder.push(updateFrames, 0, updateFrames.length),
  'writeData, 16 octets': () => {
    out.length = 0
    writeData(out, 1, false, SMALL)
  },
  'beginHeaders and endFieldBlock': () => {
    out.length = 0
    endFieldBlock(out, beginHeaders(out, 1, true), DEFAULT_MAX_FRAME_SIZE)
  },
  writeWindowUpdate: () => {
    out.length = 0
    writeWindowUpdate(out, 1, 1000)
  },
  'HpackEncoder.encode, request that repeats': () => {
    out.length = 0
    encoder.encode(REQUEST, out)
  },
  'HpackEncoder.encode, request with a trace of its own': () => {
    out.length = 0
    tracing.encode(traced[turn++ & 255]!, out)
  },
  'HpackDecoder.decode, request that repeats': () => repeated.decoder.decode(repeated.blocks[0]!),
  'HpackDecoder.decode, request with a trace of its own': () =>
    various.decoder.decode(various.blocks[turn++ & 255]!),
  'encodeHuffman, 27 characters': () => {
    out.length = 0
    encodeHuffman(TEXT, out, TEXT.length)
  },
  'huffmanLength, 27 characters': () => huffmanLength(TEXT),
  'decodeHuffman, 27 characters': () => decodeHuffman(huffman, 0, huffman.length, decoded, 0),
  'writeInteger, 3 octets': () => {
    out.length = 0
    writeInteger(out, 0, 5, 1337)
  },
  'readInteger, 3 octets': () => {
    cursor.position = 0
    return readInteger(cursor, 5)
  },
  'MessageDecoder.push, 16 octets': () => messageDecoder.push(message, 0, message.length, messageSink),
  'MessageDecoder.push, 16 octets in two chunks': () => {
    messageDecoder.push(message, 0, 9, messageSink)
    messageDecoder.push(message, 9, message.length, messageSink)
  },
  writeMessagePrefix: () => writeMessagePrefix(message, 0, false, 16),
  formatTimeout: () => formatTimeout(4999),
  parseTimeout: () => parseTimeout('4999m'),
  parseGrpcStatus: () => parseGrpcStatus('0'),
  'encodeGrpcMessage, ASCII': () => encodeGrpcMessage('no such thing'),
  'encodeGrpcMessage, escaped': () => encodeGrpcMessage('no such café'),
  'decodeGrpcMessage, escaped': () => decodeGrpcMessage('caf%C3%A9'),
  'encodeBinaryValue, 16 octets': () => encodeBinaryValue(SMALL),
  'decodeBinaryValue, 16 octets': () => decodeBinaryValue('AAAAAAAAAAAAAAAAAAAAAA'),
}
