/**
 * Adapter of connectconformance for our server: reads one ServerCompatRequest, serves ConformanceService as its
 * .proto file describes it, says where, and runs until SIGTERM. Argument: the engine.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeStatusDetails } from '../../../interop/node/status-details.ts'
import type { EngineName, ServerTls } from '../../../src/http2/transport.ts'
import { type HandlerCall, Server, StatusError } from '../../../src/index.ts'
import {
  type ErrorMessage,
  type Header,
  messageType,
  readMessages,
  service,
  toHeaders,
  toMetadata,
  writeMessage,
} from './messages.ts'

interface ServerRequest {
  useTls: boolean
  clientTlsCert: Uint8Array
  messageReceiveLimit: number
  serverCreds?: { cert: Uint8Array; key: Uint8Array }
}
interface Definition {
  responseHeaders: Header[]
  responseTrailers: Header[]
  responseDelayMs: number
  error?: ErrorMessage
}
interface UnaryDefinition extends Definition {
  responseData?: Uint8Array
}
interface StreamDefinition extends Definition {
  responseData: Uint8Array[]
}
interface UnaryRequest {
  responseDefinition?: UnaryDefinition
}
interface StreamRequest {
  responseDefinition?: StreamDefinition
  fullDuplex?: boolean
}
interface Payload {
  payload: { data?: Uint8Array; requestInfo?: object }
}

const typeUrlPrefix = 'type.googleapis.com/connectrpc.conformance.v1.'
const requestInfoType = messageType('ConformancePayload')['RequestInfo' as never] as ReturnType<
  typeof messageType
>

/** Packs received messages again, to be echoed. */
function packed(call: HandlerCall, requests: readonly unknown[]): { typeUrl: string; value: Uint8Array }[] {
  const { typeName } = call.method.request
  const type = messageType(typeName.slice(typeName.lastIndexOf('.') + 1))
  return requests.map((request) => ({
    typeUrl: `type.googleapis.com/${typeName}`,
    value: type.toBinary(request),
  }))
}

/** All that the server saw of a call. */
function requestInfo(call: HandlerCall, requests: readonly unknown[]): object {
  const { deadline } = call
  return {
    requestHeaders: toHeaders(call.metadata),
    requests: packed(call, requests),
    ...(deadline !== undefined && { timeoutMs: BigInt(Math.max(0, deadline.getTime() - Date.now())) }),
  }
}

/** The error to end with; `info` becomes a further detail. */
function failure({ code, message = '', details }: ErrorMessage, info?: object): StatusError {
  const all = [...details]
  if (info !== undefined) {
    all.push({
      typeUrl: `${typeUrlPrefix}ConformancePayload.RequestInfo`,
      value: requestInfoType.toBinary(info),
    })
  }
  const octets = encodeStatusDetails(Number(code), message, all)
  return new StatusError(Number(code), message, { metadata: { 'grpc-status-details-bin': octets } })
}

/** Sends the headers at once, as the service asks for, and keeps the trailers for the end. */
function begin(call: HandlerCall, definition: Definition | undefined): void {
  if (definition === undefined) return
  call.sendHeaders(toMetadata(definition.responseHeaders))
  call.setTrailers(toMetadata(definition.responseTrailers))
}

async function respondOnce(call: HandlerCall, requests: readonly UnaryRequest[]): Promise<Payload> {
  const definition = requests[0]?.responseDefinition
  begin(call, definition)
  await sleep(definition?.responseDelayMs ?? 0)
  const info = requestInfo(call, requests)
  if (definition?.error !== undefined) throw failure(definition.error, info)
  return {
    payload: { requestInfo: info, ...(definition?.responseData && { data: definition.responseData }) },
  }
}

async function respondToAll(requests: AsyncIterable<UnaryRequest>, call: HandlerCall): Promise<Payload> {
  const received: UnaryRequest[] = []
  for await (const request of requests) received.push(request)
  return respondOnce(call, received)
}

/** Sends the responses from number `from` on, then ends as defined; the first one carries what was seen. */
async function* respondWithRest(
  call: HandlerCall,
  definition: StreamDefinition,
  requests: readonly unknown[],
  from: number,
): AsyncGenerator<Payload> {
  for (const [index, data] of definition.responseData.entries()) {
    if (index < from) continue
    await sleep(definition.responseDelayMs)
    yield { payload: index === 0 ? { data, requestInfo: requestInfo(call, requests) } : { data } }
  }
  if (definition.error === undefined) return
  throw failure(
    definition.error,
    definition.responseData.length === 0 ? requestInfo(call, requests) : undefined,
  )
}

async function* serverStream(request: StreamRequest, call: HandlerCall): AsyncGenerator<Payload> {
  const { responseDefinition } = request
  begin(call, responseDefinition)
  if (responseDefinition !== undefined) yield* respondWithRest(call, responseDefinition, [request], 0)
}

async function* bidiStream(
  requests: AsyncIterable<StreamRequest>,
  call: HandlerCall,
): AsyncGenerator<Payload> {
  let first: StreamRequest | undefined
  let unanswered: StreamRequest[] = []
  let sent = 0
  for await (const request of requests) {
    unanswered.push(request)
    if (first === undefined) {
      first = request
      begin(call, first.responseDefinition)
    }
    if (first.fullDuplex !== true) continue
    const { responseData, responseDelayMs } = first.responseDefinition ?? {
      responseData: [],
      responseDelayMs: 0,
    }
    const data = responseData[sent]
    if (data === undefined) break
    await sleep(responseDelayMs)
    const info = sent === 0 ? requestInfo(call, unanswered) : { requests: packed(call, unanswered) }
    yield { payload: { data, requestInfo: info } }
    sent++
    unanswered = []
  }
  if (first?.responseDefinition !== undefined)
    yield* respondWithRest(call, first.responseDefinition, unanswered, sent)
}

function tlsOf({ useTls, serverCreds, clientTlsCert }: ServerRequest): ServerTls | undefined {
  if (!useTls) return undefined
  if (serverCreds === undefined) throw new Error('TLS is asked for without credentials')
  return {
    cert: Buffer.from(serverCreds.cert),
    key: Buffer.from(serverCreds.key),
    ...(clientTlsCert.length > 0 && {
      ca: Buffer.from(clientTlsCert),
      clientCertificate: 'require' as const,
    }),
  }
}

const { value: octets } = await readMessages().next()
const request: ServerRequest = messageType('ServerCompatRequest').decode(octets!)
const server = new Server({
  engine: (process.argv[2] ?? 'node') as EngineName,
  compression: 'gzip',
  minCompressOctets: 0,
  ...(request.messageReceiveLimit > 0 && { maxReceiveMessageOctets: request.messageReceiveLimit }),
  onHandlerError: (error) => console.error(error),
})
const answerOne = (message: UnaryRequest, call: HandlerCall): Promise<Payload> => respondOnce(call, [message])
server.add(service, {
  unary: answerOne,
  idempotentUnary: answerOne,
  clientStream: respondToAll,
  serverStream,
  bidiStream,
})
const tls = tlsOf(request)
const address = await server.listen('127.0.0.1:0', tls === undefined ? {} : { tls })
const port = Number(address.slice(address.lastIndexOf(':') + 1))
process.once('SIGTERM', () => process.exit(0))
writeMessage(
  messageType('ServerCompatResponse').toBinary({
    host: '127.0.0.1',
    port,
    ...(tls !== undefined && { pemCert: tls.cert }),
  }),
)
