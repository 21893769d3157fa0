/**
 * `grpc.testing.TestService` of `proto/interop.proto`: the server's side of gRPC's official interoperability cases,
 * compression included. UnimplementedCall is left out on purpose.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { HandlerCall } from '../rpc/handlers.ts'
import { StatusError } from '../rpc/status-error.ts'
import { Status } from '../wire/grpc/status-codes.ts'

interface Payload {
  body: Uint8Array
}
interface BoolValue {
  value: boolean
}
interface EchoStatus {
  code: number
  message: string
}
interface SimpleRequest {
  responseSize: number
  responseCompressed?: BoolValue
  responseStatus?: EchoStatus
  expectCompressed?: BoolValue
}
interface StreamingOutputRequest {
  responseParameters: { size: number; intervalUs: number; compressed?: BoolValue }[]
  responseStatus?: EchoStatus
}
interface StreamingInputRequest {
  payload?: Payload
  expectCompressed?: BoolValue
}
interface PayloadReply {
  payload: Payload
}

const ECHO_INITIAL = 'x-grpc-test-echo-initial'
const ECHO_TRAILING = 'x-grpc-test-echo-trailing-bin'

/** Sends back the metadata that the cases want echoed. */
function echoMetadata(call: HandlerCall): void {
  const { metadata } = call
  const trailing = metadata.getAll(ECHO_TRAILING)
  if (trailing.length > 0) call.setTrailers({ [ECHO_TRAILING]: trailing })
  const initial = metadata.getAll(ECHO_INITIAL)
  if (initial.length > 0) call.sendHeaders({ [ECHO_INITIAL]: initial })
}

function failIfAsked(status: EchoStatus | undefined): void {
  if (status !== undefined && status.code !== Status.OK) throw new StatusError(status.code, status.message)
}

/** The cases send `expectCompressed` with the wrong value to see whether the server looks. */
function checkCompression(expected: BoolValue | undefined, call: HandlerCall): void {
  if (expected === undefined || expected.value === call.requestCompressed) return
  const [came, declared] = expected.value ? ['uncompressed', 'compressed'] : ['compressed', 'uncompressed']
  throw new StatusError(Status.INVALID_ARGUMENT, `the request came ${came}, but says it is ${declared}`)
}

function payloadOf(sizeOctets: number): PayloadReply {
  if (sizeOctets < 0) throw new StatusError(Status.INVALID_ARGUMENT, `a payload of ${sizeOctets} octets`)
  return { payload: { body: Buffer.alloc(sizeOctets) } }
}

async function* payloads(request: StreamingOutputRequest, call: HandlerCall): AsyncGenerator<PayloadReply> {
  for (const { size, intervalUs, compressed } of request.responseParameters) {
    if (intervalUs > 0) await sleep(intervalUs / 1000)
    call.compress = compressed?.value === true
    yield payloadOf(size)
  }
}

/** Handlers of the service, for `server.add`; compression needs a server with `compression: 'gzip'`. */
export const interopService = {
  emptyCall(): object {
    return {}
  },
  unaryCall(request: SimpleRequest, call: HandlerCall): PayloadReply {
    echoMetadata(call)
    checkCompression(request.expectCompressed, call)
    failIfAsked(request.responseStatus)
    call.compress = request.responseCompressed?.value === true
    return payloadOf(request.responseSize)
  },
  async *streamingOutputCall(
    request: StreamingOutputRequest,
    call: HandlerCall,
  ): AsyncGenerator<PayloadReply> {
    echoMetadata(call)
    yield* payloads(request, call)
    failIfAsked(request.responseStatus)
  },
  async streamingInputCall(
    requests: AsyncIterable<StreamingInputRequest>,
    call: HandlerCall,
  ): Promise<{ aggregatedPayloadSize: number }> {
    let aggregatedPayloadSize = 0
    for await (const { payload, expectCompressed } of requests) {
      checkCompression(expectCompressed, call)
      aggregatedPayloadSize += payload?.body.length ?? 0
    }
    return { aggregatedPayloadSize }
  },
  async *fullDuplexCall(
    requests: AsyncIterable<StreamingOutputRequest>,
    call: HandlerCall,
  ): AsyncGenerator<PayloadReply> {
    echoMetadata(call)
    for await (const request of requests) {
      failIfAsked(request.responseStatus)
      yield* payloads(request, call)
    }
  },
  async *halfDuplexCall(
    requests: AsyncIterable<StreamingOutputRequest>,
    call: HandlerCall,
  ): AsyncGenerator<PayloadReply> {
    echoMetadata(call)
    const all: StreamingOutputRequest[] = []
    for await (const request of requests) all.push(request)
    for (const request of all) yield* payloads(request, call)
  },
}
