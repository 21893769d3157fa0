/** The hot functions of the rpc floor, one call each, and whole calls on each engine, for `run.ts`. */
import { fileURLToPath } from 'node:url'
import { connect, loadProto, Server, type Service } from '../../src/index.ts'
import { deadlineMoment } from '../../src/rpc/deadline.ts'
import { frameMessage } from '../../src/rpc/message-framing.ts'
import { findMessageType } from '../../src/rpc/messages/find-declaration.ts'
import { Metadata } from '../../src/rpc/metadata.ts'
import { MESSAGE_PREFIX_OCTETS } from '../../src/rpc/method.ts'
import { readRequestHead, writeRequestHeaders } from '../../src/rpc/request-headers.ts'
import { readResponseHead, readStatus } from '../../src/rpc/response-headers.ts'
import { statusOfErrorCode } from '../../src/rpc/status-mapping.ts'
import { REQUEST, RESPONSE, TRAILERS, template } from './fields.ts'

const CALLS = 64
const schema = await loadProto(
  ['proto/helloworld.proto', 'proto/countries.proto'].map((name) =>
    fileURLToPath(new URL(`../../${name}`, import.meta.url)),
  ),
)
const { helloworld } = schema as unknown as { helloworld: { Greeter: Service } }
const { Greeter } = helloworld
const hello = findMessageType(schema, 'helloworld.HelloRequest')!
const helloMessage = { name: 'world' }
const helloOctets = Buffer.from(hello.encode(helloMessage))
const metadata = new Metadata({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
const rules = {
  maxSendMessageOctets: 4 << 20,
  encoding: undefined,
  minCompressOctets: 1024,
  tooLarge: () => 'too large',
}

/** By name. */
export const rpcCases: Readonly<Record<string, () => unknown>> = {
  'MessageType.encode, HelloRequest': () => hello.encode(helloMessage),
  'MessageType.decode, HelloRequest': () =>
    hello.decode(helloOctets, MESSAGE_PREFIX_OCTETS, helloOctets.length),
  'frameMessage, HelloRequest': () => frameMessage(hello, helloMessage, rules, true),
  'writeRequestHeaders, as prepared': () =>
    writeRequestHeaders(template, Number.POSITIVE_INFINITY, undefined),
  'writeRequestHeaders, deadline and metadata': () => writeRequestHeaders(template, 5000, metadata),
  readRequestHead: () => readRequestHead(REQUEST),
  readResponseHead: () => readResponseHead(RESPONSE),
  readStatus: () => readStatus(TRAILERS, 200),
  'Metadata, one value': () => new Metadata({ authorization: 'Bearer 0123456789' }),
  'deadlineMoment, a duration': () => deadlineMoment(1000, 1_700_000_000_000),
  statusOfErrorCode: () => statusOfErrorCode(8),
}

/** Unary calls, client and server in this process, so many at the same time; the figures are for all of them. */
export async function callCases(): Promise<Record<string, () => Promise<unknown>>> {
  const cases: Record<string, () => Promise<unknown>> = {}
  const server = () =>
    new Server().add(Greeter, { sayHello: ({ name }: { name: string }) => ({ message: `Hello ${name}` }) })
  const targets = {
    'pure, in memory': { engine: 'pure', target: server().inProcess() },
    'pure, loopback': { engine: 'pure', target: await server().listen('127.0.0.1:0') },
    'node, loopback': { engine: 'node', target: await server().listen('127.0.0.1:0') },
  } as const
  for (const [name, { engine, target }] of Object.entries(targets)) {
    const greeter = connect(target, { engine }).client(Greeter) as unknown as {
      sayHello(message: object): Promise<unknown>
    }
    cases[`${CALLS} unary calls, ${name}`] = () =>
      Promise.all(Array.from({ length: CALLS }, () => greeter.sayHello(helloMessage)))
  }
  return cases
}
