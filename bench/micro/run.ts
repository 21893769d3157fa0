/**
 * `npm run bench:micro -- [TEXT]`: one benchmark for each hot function, time and heap of one call, so that a
 * regression of a scenario is found where it is. TEXT picks those whose name has it. Messages are in
 * `messages.ts`, whole engines in `node-engine.ts` and `pure-*.ts`, comparisons of the wire floor in `bench/wire`.
 */
import { bench, do_not_optimize, run } from 'mitata'
import { Metadata } from '../../src/rpc/metadata.ts'
import { readRequestHead, requestTemplate, writeRequestHeaders } from '../../src/rpc/request-headers.ts'
import { readResponseHead, readStatus } from '../../src/rpc/response-headers.ts'
import { decodeBinaryValue, encodeBinaryValue } from '../../src/wire/grpc/binary-metadata.ts'
import { decodeGrpcMessage, encodeGrpcMessage } from '../../src/wire/grpc/percent-encoding.ts'
import { parseGrpcStatus } from '../../src/wire/grpc/status-codes.ts'
import { formatTimeout, parseTimeout } from '../../src/wire/grpc/timeout.ts'
import {
  FrameDecoder,
  FrameSinkBase,
  HpackDecoder,
  HpackEncoder,
  MessageDecoder,
  OctetWriter,
  writeData,
  writeMessagePrefix,
} from '../../src/wire/index.ts'

const SMALL = new Uint8Array(16)
const FRAMES = 100
const template = requestTemplate({
  scheme: 'http',
  path: '/helloworld.Greeter/SayHello',
  authority: '127.0.0.1:50051',
  userAgent: 'grpc-glass',
  acceptEncoding: 'identity,deflate,gzip',
  encoding: undefined,
})
const request = template.whole
const response = [
  ':status',
  '200',
  'content-type',
  'application/grpc',
  'grpc-accept-encoding',
  'identity,deflate,gzip',
]
const trailers = ['grpc-status', '0']
const metadata = new Metadata({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
const out = new OctetWriter(65_536)

/** A field block, as the second one of a connection has it: everything is in the dynamic table. */
function repeatedBlock(): { decoder: HpackDecoder; block: Uint8Array } {
  const encoder = new HpackEncoder()
  const decoder = new HpackDecoder()
  let block: Uint8Array = SMALL
  for (let i = 0; i < 2; i++) {
    const octets = new OctetWriter()
    encoder.encode(request, octets)
    block = octets.take()
    decoder.decode(block)
  }
  return { decoder, block }
}

const sink = new FrameSinkBase()
const frameDecoder = new FrameDecoder(sink)
const frames = new OctetWriter()
for (let i = 0; i < FRAMES; i++) writeData(frames, 1, false, SMALL)
const manyFrames = frames.take()
const message = new Uint8Array(21)
writeMessagePrefix(message, 0, false, 16)
const messageDecoder = new MessageDecoder()
const messageSink = { onMessage: () => true }
const { decoder, block } = repeatedBlock()
const encoder = new HpackEncoder()

const cases: Record<string, () => unknown> = {
  'HpackEncoder.encode, request that repeats': () => {
    out.length = 0
    encoder.encode(request, out)
  },
  'HpackDecoder.decode, request that repeats': () => decoder.decode(block),
  [`FrameDecoder.push, ${FRAMES} DATA frames`]: () => frameDecoder.push(manyFrames, 0, manyFrames.length),
  'writeData, 16 octets': () => {
    out.length = 0
    writeData(out, 1, false, SMALL)
  },
  'MessageDecoder.push, 16 octets': () => messageDecoder.push(message, 0, message.length, messageSink),
  writeMessagePrefix: () => writeMessagePrefix(message, 0, false, 16),
  'writeRequestHeaders, as prepared': () =>
    writeRequestHeaders(template, Number.POSITIVE_INFINITY, undefined),
  'writeRequestHeaders, deadline and metadata': () => writeRequestHeaders(template, 5000, metadata),
  readRequestHead: () => readRequestHead(request),
  readResponseHead: () => readResponseHead(response),
  readStatus: () => readStatus(trailers, 200),
  'Metadata, one value': () => new Metadata({ authorization: 'Bearer 0123456789' }),
  formatTimeout: () => formatTimeout(4999),
  parseTimeout: () => parseTimeout('4999m'),
  parseGrpcStatus: () => parseGrpcStatus('0'),
  'encodeGrpcMessage, ASCII': () => encodeGrpcMessage('no such thing'),
  'decodeGrpcMessage, escaped': () => decodeGrpcMessage('caf%C3%A9'),
  'encodeBinaryValue, 16 octets': () => encodeBinaryValue(SMALL),
  'decodeBinaryValue, 16 octets': () => decodeBinaryValue('AAAAAAAAAAAAAAAAAAAAAA'),
}

const wanted = process.argv[2] ?? ''
for (const [name, call] of Object.entries(cases)) {
  if (name.includes(wanted)) bench(name, () => do_not_optimize(call())).gc('inner')
}
await run()
