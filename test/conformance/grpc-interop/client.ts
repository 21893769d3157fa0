/**
 * Our client of gRPC's official interoperability cases, as their descriptions say. Prints TAP, one point a case.
 *
 * Flags: --address, --engine, --tls-ca, --case (repeatable; default all), --soak-iterations.
 */
import { deepStrictEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { nodeEngine, pureEngine } from '../../../src/http2/index.ts'
import { type Channel, connect, loadProto, Status, StatusError } from '../../../src/index.ts'
import { noteCompressedFlags } from './compressed-flags.ts'

const { values: given } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1:10000' },
    engine: { type: 'string', default: 'node' },
    'tls-ca': { type: 'string' },
    case: { type: 'string', multiple: true },
    'soak-iterations': { type: 'string', default: '1000' },
  },
})
const deadline = 20_000
const largeRequestOctets = 271828
const largeResponseOctets = 314159
const soakIterations = Number(given['soak-iterations'])
/** What the cases allow one call of a soak to take, in milliseconds. */
const soakLatencyMs = 1000

const { grpc } = await loadProto(`${import.meta.dirname}/../../../proto/interop.proto`)
const { TestService, UnimplementedService } = grpc.testing
const { engine, flags } = noteCompressedFlags(given.engine === 'pure' ? pureEngine : nodeEngine)

function newChannel(): Channel {
  const tls = given['tls-ca'] === undefined ? {} : { tls: { ca: readFileSync(given['tls-ca']) } }
  return connect(given.address, { engine, minCompressOctets: 0, ...tls })
}
const channel = newChannel()
const client = channel.client<typeof TestService.methods>(TestService)

interface Reply {
  payload?: { body: Uint8Array }
}

function payload(sizeOctets: number): { body: Uint8Array } {
  return { body: new Uint8Array(sizeOctets) }
}

function outputRequest(sizes: readonly number[]): object {
  return { responseParameters: sizes.map((size) => ({ size })) }
}

async function bodySizes(replies: AsyncIterable<Reply>): Promise<number[]> {
  const sizes: number[] = []
  for await (const reply of replies) sizes.push(reply.payload?.body.length ?? 0)
  return sizes
}

/** Checks that a call, or reading it, fails with a status. */
async function fails(result: PromiseLike<unknown>, code: number, details?: string): Promise<void> {
  try {
    await result
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    equal(error.code, code, error.message)
    if (details !== undefined) equal(error.details, details)
    return
  }
  throw new Error(`got a result, want status ${code}`)
}

async function largeUnary(on = client): Promise<void> {
  const request = { responseSize: largeResponseOctets, payload: payload(largeRequestOctets) }
  const reply: Reply = await on.unaryCall(request, { deadline })
  equal(reply.payload?.body.length, largeResponseOctets)
}

/** Large unary calls one after the other; each has a time that it must not exceed. */
async function soak(call: () => Promise<void>): Promise<void> {
  const slow: number[] = []
  for (let iteration = 0; iteration < soakIterations; iteration++) {
    const start = performance.now()
    await call()
    const tookMs = performance.now() - start
    if (tookMs > soakLatencyMs) slow.push(Math.round(tookMs))
  }
  deepStrictEqual(slow, [], `calls that took longer than ${soakLatencyMs} ms`)
}

const initialKey = 'x-grpc-test-echo-initial'
const trailingKey = 'x-grpc-test-echo-trailing-bin'
const initialValue = 'test_initial_metadata_value'
const trailingValue = Uint8Array.of(0xab, 0xab, 0xab)
const echoed = { [initialKey]: initialValue, [trailingKey]: trailingValue }

const cases: Record<string, () => Promise<void>> = {
  async empty_unary() {
    deepStrictEqual({ ...(await client.emptyCall({}, { deadline })) }, {})
  },
  large_unary: () => largeUnary(),
  async client_compressed_unary() {
    const request = { responseSize: largeResponseOctets, payload: payload(largeRequestOctets) }
    const probe = { ...request, expectCompressed: { value: true } }
    await fails(client.unaryCall(probe, { deadline }), Status.INVALID_ARGUMENT)
    for (const compressed of [true, false]) {
      const options = { deadline, ...(compressed && { compression: 'gzip' }) }
      const reply: Reply = await client.unaryCall(
        { ...request, expectCompressed: { value: compressed } },
        options,
      )
      equal(reply.payload?.body.length, largeResponseOctets)
    }
  },
  async server_compressed_unary() {
    for (const compressed of [true, false]) {
      const request = { responseSize: largeResponseOctets, responseCompressed: { value: compressed } }
      const reply: Reply = await client.unaryCall(
        { ...request, payload: payload(largeRequestOctets) },
        { deadline },
      )
      equal(reply.payload?.body.length, largeResponseOctets)
      equal(flags.at(-1), compressed, 'Compressed-Flag of the response')
    }
  },
  async client_streaming() {
    const requests = [27182, 8, 1828, 45904].map((size) => ({ payload: payload(size) }))
    const reply: { aggregatedPayloadSize: number } = await client.streamingInputCall(requests, { deadline })
    equal(reply.aggregatedPayloadSize, 74922)
  },
  async client_compressed_streaming() {
    const probe = client.streamingInputCall({ deadline, compression: 'gzip' })
    await probe.write({ expectCompressed: { value: true }, payload: payload(27182) }, { compress: false })
    probe.end()
    await fails(probe, Status.INVALID_ARGUMENT)
    const call = client.streamingInputCall({ deadline, compression: 'gzip' })
    await call.write({ expectCompressed: { value: true }, payload: payload(27182) })
    await call.write({ expectCompressed: { value: false }, payload: payload(45904) }, { compress: false })
    call.end()
    equal((await call).aggregatedPayloadSize, 73086)
  },
  async server_streaming() {
    const sizes = [31415, 9, 2653, 58979]
    deepStrictEqual(await bodySizes(client.streamingOutputCall(outputRequest(sizes), { deadline })), sizes)
  },
  async server_compressed_streaming() {
    const responseParameters = [
      { size: 31415, compressed: { value: true } },
      { size: 92653, compressed: { value: false } },
    ]
    const sizes = await bodySizes(client.streamingOutputCall({ responseParameters }, { deadline }))
    deepStrictEqual(sizes, [31415, 92653])
    deepStrictEqual(flags.slice(-2), [true, false], 'Compressed-Flags of the responses')
  },
  async ping_pong() {
    const call = client.fullDuplexCall({ deadline })
    const replies: AsyncIterator<Reply> = call[Symbol.asyncIterator]()
    for (const [size, requestSize] of [
      [31415, 27182],
      [9, 8],
      [2653, 1828],
      [58979, 45904],
    ] as const) {
      await call.write({ ...outputRequest([size]), payload: payload(requestSize) })
      const { value } = await replies.next()
      equal(value?.payload?.body.length, size)
    }
    call.end()
    equal((await replies.next()).done, true)
  },
  async empty_stream() {
    deepStrictEqual(await bodySizes(client.fullDuplexCall([], { deadline })), [])
  },
  async custom_metadata() {
    const unary = client.unaryCall(
      { responseSize: largeResponseOctets, payload: payload(largeRequestOctets) },
      { deadline, metadata: echoed },
    )
    await unary
    const request = { ...outputRequest([largeResponseOctets]), payload: payload(largeRequestOctets) }
    const stream = client.fullDuplexCall([request], { deadline, metadata: echoed })
    deepStrictEqual(await bodySizes(stream), [largeResponseOctets])
    for (const call of [unary, stream]) {
      equal((await call.headers).get(initialKey), initialValue)
      deepStrictEqual([...((await call.trailers).get(trailingKey) ?? [])], [...trailingValue])
    }
  },
  async status_code_and_message() {
    const responseStatus = { code: 2, message: 'test status message' }
    await fails(client.unaryCall({ responseStatus }, { deadline }), 2, responseStatus.message)
    await fails(
      bodySizes(client.fullDuplexCall([{ responseStatus }], { deadline })),
      2,
      responseStatus.message,
    )
  },
  async special_status_message() {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n'
    await fails(client.unaryCall({ responseStatus: { code: 2, message } }, { deadline }), 2, message)
  },
  unimplemented_method: () => fails(client.unimplementedCall({}, { deadline }), Status.UNIMPLEMENTED),
  unimplemented_service: () =>
    fails(channel.client(UnimplementedService).unimplementedCall({}, { deadline }), Status.UNIMPLEMENTED),
  async cancel_after_begin() {
    const call = client.streamingInputCall({ deadline })
    call.cancel()
    await fails(call, Status.CANCELLED)
  },
  async cancel_after_first_response() {
    const call = client.fullDuplexCall({ deadline })
    const replies: AsyncIterator<Reply> = call[Symbol.asyncIterator]()
    await call.write({ ...outputRequest([31415]), payload: payload(27182) })
    const { value } = await replies.next()
    equal(value?.payload?.body.length, 31415)
    call.cancel()
    await fails(replies.next(), Status.CANCELLED)
  },
  async timeout_on_sleeping_server() {
    const call = client.fullDuplexCall({ deadline: 1 })
    // Whether the request still gets out is left to chance; the call must end with the deadline either way.
    await call.write({ payload: payload(27182) }).catch((error: unknown) => ok(error instanceof StatusError))
    await fails(bodySizes(call), Status.DEADLINE_EXCEEDED)
  },
  rpc_soak: () => soak(() => largeUnary()),
  channel_soak: () =>
    soak(async () => {
      await using another = newChannel()
      await largeUnary(another.client<typeof TestService.methods>(TestService))
    }),
}

const names = given.case ?? Object.keys(cases)
console.log(`TAP version 14\n1..${names.length}`)
for (const [index, name] of names.entries()) {
  try {
    const check = cases[name]
    if (check === undefined) throw new Error('there is no such case')
    await check()
    console.log(`ok ${index + 1} - ${name}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`not ok ${index + 1} - ${name}\n${String(error).replaceAll(/^/gm, '# ')}`)
  }
}
await channel.close({ graceMs: 0 })
