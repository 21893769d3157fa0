/**
 * Adapter of connectconformance for our client: reads a ClientCompatRequest for each call to make, and writes what
 * came of it as ClientCompatResponse. Calls run at the same time. Argument: the engine.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeStatusDetails } from '../../../interop/node/status-details.ts'
import type { EngineName } from '../../../src/http2/transport.ts'
import {
  type BidirectionalCall,
  type Call,
  type CallOptions,
  type Channel,
  type ClientStreamingCall,
  connect,
  type IterableCall,
  type Method,
  Status,
  type StatusError,
  type WritableCall,
} from '../../../src/index.ts'
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

interface Cancel {
  beforeCloseSend?: object
  afterCloseSendMs?: number
  afterNumResponses?: number
}
interface Request {
  testName: string
  host: string
  port: number
  serverTlsCert: Uint8Array
  clientTlsCreds?: { cert: Uint8Array; key: Uint8Array }
  compression: number
  messageReceiveLimit: number
  method?: string
  streamType: number
  requestHeaders: Header[]
  requestMessages: { typeUrl: string; value: Uint8Array }[]
  timeoutMs?: number
  requestDelayMs: number
  cancel?: Cancel
}
interface Reply {
  payload?: unknown
}
interface Result {
  payloads: unknown[]
  responseHeaders: Header[]
  responseTrailers: Header[]
  error?: ErrorMessage
  numUnsentRequests: number
}

/** A call in an object: an awaited call would be its response. */
interface Started {
  call: Call
}

const maxCallsAtOnce = 16
const COMPRESSION_GZIP = 2
const STREAM_TYPE_FULL_DUPLEX = 5
const engine = (process.argv[2] ?? 'node') as EngineName
const requestType = messageType('ClientCompatRequest')
const responseType = messageType('ClientCompatResponse')
const channels = new Map<string, Channel>()

/** One channel for all calls to a server with the same certificates. */
function channelTo({ host, port, serverTlsCert, clientTlsCreds }: Request): Channel {
  const ca = Buffer.from(serverTlsCert)
  const key = [
    host,
    port,
    ca.toString('base64'),
    clientTlsCreds && Buffer.from(clientTlsCreds.cert).toString('base64'),
  ].join(' ')
  let channel = channels.get(key)
  if (channel === undefined) {
    const credentials = clientTlsCreds && {
      cert: Buffer.from(clientTlsCreds.cert),
      key: Buffer.from(clientTlsCreds.key),
    }
    channel = connect(`${host}:${port}`, {
      engine,
      minCompressOctets: 0,
      ...(ca.length > 0 && { tls: { ca, ...credentials } }),
    })
    channels.set(key, channel)
  }
  return channel
}

function optionsOf(request: Request): CallOptions {
  return {
    metadata: toMetadata(request.requestHeaders),
    deadline: request.timeoutMs,
    compression: request.compression === COMPRESSION_GZIP ? 'gzip' : 'identity',
    maxReceiveMessageOctets: request.messageReceiveLimit === 0 ? undefined : request.messageReceiveLimit,
  }
}

/** The request messages, decoded from their Any. */
function messagesOf(request: Request): unknown[] {
  return request.requestMessages.map(({ typeUrl, value }) =>
    messageType(typeUrl.slice(typeUrl.lastIndexOf('.') + 1)).decode(value),
  )
}

function methodOf(request: Request): Method {
  const name = request.method ?? ''
  const method = Object.values(service.methods).find((each) => each.name === name)
  if (method === undefined) throw new Error(`the service has no method ${name}`)
  return method
}

/** Cancels after the requests, or some time after them; without a timing, at once after them. */
async function cancelAfterSend(call: Call, cancel: Cancel | undefined): Promise<void> {
  if (cancel === undefined || cancel.afterNumResponses !== undefined) return
  await sleep(cancel.afterCloseSendMs ?? 0)
  call.cancel()
}

/** Ends the requests as the cancellation wants it. */
function endRequests(call: Call & WritableCall<unknown>, cancel: Cancel | undefined): void {
  if (cancel?.beforeCloseSend !== undefined) call.cancel()
  else {
    call.end()
    void cancelAfterSend(call, cancel)
  }
}

/** Sends one request; false once the call takes no more. */
async function send(call: WritableCall<unknown>, message: unknown, delayMs: number): Promise<boolean> {
  if (delayMs > 0) await sleep(delayMs)
  return call.write(message).catch(() => false)
}

async function unary(channel: Channel, request: Request, result: Result): Promise<Started> {
  const [message] = messagesOf(request)
  await sleep(request.requestDelayMs)
  const call = channel.unary<unknown, Reply>(
    methodOf(request) as Method<unknown, Reply>,
    message,
    optionsOf(request),
  )
  void cancelAfterSend(call, request.cancel)
  await call.then(
    ({ payload }) => result.payloads.push(payload ?? {}),
    () => undefined,
  )
  return { call }
}

async function clientStream(channel: Channel, request: Request, result: Result): Promise<Started> {
  const call: ClientStreamingCall<unknown, Reply> = channel.clientStreaming(
    methodOf(request) as Method<unknown, Reply>,
    undefined,
    optionsOf(request),
  )
  const messages = messagesOf(request)
  result.numUnsentRequests = messages.length
  for (const message of messages) {
    if (!(await send(call, message, request.requestDelayMs))) break
    result.numUnsentRequests--
  }
  endRequests(call, request.cancel)
  await call.then(
    ({ payload }) => result.payloads.push(payload ?? {}),
    () => undefined,
  )
  return { call }
}

/** Reads responses until the end, or one; cancels after the number asked for. True if there may be more. */
async function receive(
  call: Call,
  replies: AsyncIterator<Reply>,
  request: Request,
  result: Result,
  limit: number,
): Promise<boolean> {
  for (let received = 0; received < limit; received++) {
    const next = await replies.next().catch(() => undefined)
    if (next === undefined || next.done) return false
    result.payloads.push(next.value.payload ?? {})
    if (result.payloads.length === request.cancel?.afterNumResponses) call.cancel()
  }
  return true
}

async function serverStream(channel: Channel, request: Request, result: Result): Promise<Started> {
  const [message] = messagesOf(request)
  await sleep(request.requestDelayMs)
  const call: IterableCall<Reply> = channel.serverStreaming(
    methodOf(request) as Method<unknown, Reply>,
    message,
    optionsOf(request),
  )
  void cancelAfterSend(call, request.cancel)
  await receive(call, call[Symbol.asyncIterator](), request, result, Number.POSITIVE_INFINITY)
  return { call }
}

async function bidiStream(channel: Channel, request: Request, result: Result): Promise<Started> {
  const call: BidirectionalCall<unknown, Reply> = channel.bidirectional(
    methodOf(request) as Method<unknown, Reply>,
    undefined,
    optionsOf(request),
  )
  const replies = call[Symbol.asyncIterator]()
  const messages = messagesOf(request)
  result.numUnsentRequests = messages.length
  for (const message of messages) {
    if (!(await send(call, message, request.requestDelayMs))) break
    result.numUnsentRequests--
    if (request.streamType !== STREAM_TYPE_FULL_DUPLEX) continue
    if (!(await receive(call, replies, request, result, 1))) break
  }
  endRequests(call, request.cancel)
  await receive(call, replies, request, result, Number.POSITIVE_INFINITY)
  return { call }
}

function detailsOf(error: StatusError | { metadata: StatusError['metadata'] }): ErrorMessage['details'] {
  const octets = error.metadata.get('grpc-status-details-bin')
  return octets === undefined ? [] : decodeStatusDetails(octets)
}

async function perform(request: Request): Promise<Result> {
  const result: Result = { payloads: [], responseHeaders: [], responseTrailers: [], numUnsentRequests: 0 }
  const method = methodOf(request)
  const kind = method.requestStream
    ? method.responseStream
      ? bidiStream
      : clientStream
    : method.responseStream
      ? serverStream
      : unary
  const { call } = await kind(channelTo(request), request, result)
  const status = await call.status
  result.responseHeaders = await call.headers.then(toHeaders, () => [])
  result.responseTrailers = toHeaders(status.metadata)
  if (status.code !== Status.OK) {
    result.error = { code: status.code, message: status.details, details: detailsOf(status) }
  }
  return result
}

async function answer(octets: Uint8Array): Promise<void> {
  const request: Request = requestType.decode(octets)
  const { testName } = request
  let outcome: { response: Result } | { error: { message: string } }
  try {
    outcome = { response: await perform(request) }
  } catch (error) {
    outcome = { error: { message: error instanceof Error ? (error.stack ?? error.message) : String(error) } }
  }
  writeMessage(responseType.toBinary({ testName, ...outcome }))
}

process.once('SIGTERM', () => process.exit(0))
// Deadlines begin with the call: many calls at once would spend theirs waiting for each other.
const running = new Set<Promise<unknown>>()
for await (const octets of readMessages()) {
  const answering: Promise<unknown> = answer(octets).finally(() => running.delete(answering))
  running.add(answering)
  if (running.size >= maxCallsAtOnce) await Promise.race(running)
}
await Promise.all(running)
await Promise.all([...channels.values()].map((channel) => channel.close({ graceMs: 0 })))
