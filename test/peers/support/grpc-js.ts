/** The Greeter of `greeter.ts`, and its client, in the API of grpc-js. */
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import type { Test } from 'tap'
import { Ends, FAILURE, type HelloReply, type HelloRequest, LARGE_LIMIT_OCTETS, PROTO } from './greeter.ts'

type Loaded = { helloworld: { Greeter: grpc.ServiceClientConstructor } }

/** The client class that grpc-js makes of the .proto file. */
export const { Greeter } = (grpc.loadPackageDefinition(loadSync(PROTO)) as unknown as Loaded).helloworld

/** The client's methods; grpc-js knows their types only from generated code. */
export interface GreeterClient extends grpc.Client {
  sayHello(
    request: HelloRequest,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    callback: grpc.requestCallback<HelloReply>,
  ): grpc.ClientUnaryCall
  sayHellos(
    request: HelloRequest,
    metadata?: grpc.Metadata,
    options?: grpc.CallOptions,
  ): grpc.ClientReadableStream<HelloReply>
  greetAll(
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    callback: grpc.requestCallback<HelloReply>,
  ): grpc.ClientWritableStream<HelloRequest>
  chat(
    metadata?: grpc.Metadata,
    options?: grpc.CallOptions,
  ): grpc.ClientDuplexStream<HelloRequest, HelloReply>
}

const LIMITS: grpc.ChannelOptions = {
  'grpc.max_receive_message_length': LARGE_LIMIT_OCTETS,
  'grpc.max_send_message_length': LARGE_LIMIT_OCTETS,
}

/** Connects a client of grpc-js; it is closed with the test. */
export function connectTheirs(
  t: Test,
  address: string,
  options: grpc.ChannelOptions & { credentials?: grpc.ChannelCredentials } = {},
): GreeterClient {
  const { credentials = grpc.credentials.createInsecure(), ...rest } = options
  const client = new Greeter(address, credentials, { ...LIMITS, ...rest }) as unknown as GreeterClient
  t.teardown(() => client.close())
  return client
}

/** A unary call of grpc-js as a promise of everything that came. */
export interface TheirAnswer {
  reply: HelloReply | undefined
  error: grpc.ServiceError | null
  headers: grpc.Metadata
  trailers: grpc.Metadata
}

/** Makes a call with one answer, and waits for its end. */
export function theirAnswer(
  start: (
    callback: grpc.requestCallback<HelloReply>,
  ) => grpc.ClientUnaryCall | grpc.ClientWritableStream<HelloRequest>,
): Promise<TheirAnswer> {
  return new Promise((resolve) => {
    const answer: TheirAnswer = {
      reply: undefined,
      error: null,
      headers: new grpc.Metadata(),
      trailers: new grpc.Metadata(),
    }
    const call = start((error, reply) => {
      answer.error = error
      answer.reply = reply
    })
    call.on('metadata', (metadata) => {
      answer.headers = metadata
    })
    // the status comes after the callback
    call.on('status', ({ metadata }) => {
      answer.trailers = metadata
      setImmediate(() => resolve(answer))
    })
  })
}

/** Everything that a stream of answers brings, and how it ends. */
export async function theirAnswers(
  call: grpc.ClientReadableStream<HelloReply> | grpc.ClientDuplexStream<HelloRequest, HelloReply>,
): Promise<{ messages: string[]; error: grpc.ServiceError | undefined }> {
  const messages: string[] = []
  let error: grpc.ServiceError | undefined
  try {
    for await (const { message } of call as AsyncIterable<HelloReply>) messages.push(message)
  } catch (thrown) {
    error = thrown as grpc.ServiceError
  }
  return { messages, error }
}

type AnyCall = grpc.ServerUnaryCall<HelloRequest, HelloReply> &
  grpc.ServerWritableStream<HelloRequest, HelloReply> &
  grpc.ServerReadableStream<HelloRequest, HelloReply> &
  grpc.ServerDuplexStream<HelloRequest, HelloReply>
type Done = (error: Partial<grpc.ServiceError> | null, reply?: HelloReply, trailers?: grpc.Metadata) => void

function failure(): Partial<grpc.ServiceError> {
  const metadata = new grpc.Metadata()
  metadata.set('grpc-status-details-bin', Buffer.from(FAILURE.detailsBin))
  return { code: FAILURE.code, details: FAILURE.details, metadata }
}

/** Sends headers back; returns the trailers to send. */
function echoMetadata(call: AnyCall): grpc.Metadata {
  const headers = new grpc.Metadata()
  for (const value of call.metadata.get('echo')) headers.add('echo', value)
  call.sendMetadata(headers)
  const trailers = new grpc.Metadata()
  for (const value of call.metadata.get('echo-bin')) trailers.add('echo-bin', value)
  return trailers
}

function behaviorOf(call: AnyCall): string {
  return String(call.metadata.get('behavior')[0] ?? '')
}

function implementation(ends: Ends): grpc.UntypedServiceImplementation {
  const hang = (call: AnyCall): void => void call.once('cancelled', () => ends.add())
  return {
    sayHello(call: AnyCall, done: Done) {
      const trailers = echoMetadata(call)
      if (behaviorOf(call) === 'hang') return hang(call)
      if (behaviorOf(call) === 'fail') return done(failure())
      done(null, { message: `Hello ${call.request.name}` }, trailers)
    },
    sayHellos(call: AnyCall) {
      const trailers = echoMetadata(call)
      call.write({ message: `Hello ${call.request.name}` })
      if (behaviorOf(call) === 'hang') return hang(call)
      if (behaviorOf(call) === 'fail') return call.emit('error', failure())
      call.write({ message: `Goodbye ${call.request.name}` })
      call.end(trailers)
    },
    greetAll(call: AnyCall, done: Done) {
      const trailers = echoMetadata(call)
      const names: string[] = []
      call.on('data', ({ name }: HelloRequest) => names.push(name))
      if (behaviorOf(call) === 'hang') return hang(call)
      call.on('end', () => {
        if (behaviorOf(call) === 'fail') done(failure())
        else done(null, { message: `Hello ${names.join(', ')}` }, trailers)
      })
    },
    chat(call: AnyCall) {
      const trailers = echoMetadata(call)
      if (behaviorOf(call) === 'hang') hang(call)
      call.on('data', ({ name }: HelloRequest) => {
        call.write({ message: `Hello ${name}` })
        if (behaviorOf(call) === 'fail') call.emit('error', failure())
      })
      call.on('end', () => {
        if (behaviorOf(call) === '') call.end(trailers)
      })
    },
  } as unknown as grpc.UntypedServiceImplementation
}

/** Starts a server of grpc-js; it is closed with the test. */
export async function startTheirs(
  t: Test,
  options: { credentials?: grpc.ServerCredentials; limits?: grpc.ServerOptions } = {},
): Promise<{ address: string; server: grpc.Server; ends: Ends }> {
  const { credentials = grpc.ServerCredentials.createInsecure(), limits = LIMITS } = options
  const ends = new Ends()
  const server = new grpc.Server(limits)
  server.addService(Greeter.service, implementation(ends))
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)))
  })
  t.teardown(() => server.forceShutdown())
  return { address: `127.0.0.1:${port}`, server, ends }
}
