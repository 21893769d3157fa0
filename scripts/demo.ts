/**
 * `npm run demo`: a server, a client, and a tap between them on real TCP ports; every call is shown layer by
 * layer as it went over the wire. `npm run demo -- --engine pure` shows the engine written from scratch.
 */
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect, type EngineName, loadProto, Server, Status, StatusError, servicesOf } from '../src/index.ts'
import { wrapColumns } from '../src/inspect/columns.ts'
import { type InspectEvent, paintFor, schemaOf, TapProxy, TreeRenderer } from '../src/inspect/index.ts'

/** Every line fits into this many columns. */
const COLUMNS = 80

/** A call is over when the tap has seen nothing for so long. */
const QUIET_MS = 50

interface Named {
  name: string
}

const engine = engineOf(process.argv.slice(2))
const paint = paintFor(process.stdout)

const proto = await loadProto(new URL('../proto/helloworld.proto', import.meta.url).pathname)
const { Greeter } = proto.helloworld

const server = new Server({ engine })
server.add(Greeter, {
  async sayHello({ name }: Named, call: { signal: AbortSignal }) {
    // The one who is slow answers only when nobody waits any more.
    if (name === 'slow') await once(call.signal, 'abort')
    return { message: `Hello ${name}` }
  },
  async *sayHellos({ name }: Named) {
    for (const greeting of ['Hello', '안녕하세요', 'Grüß Gott']) yield { message: `${greeting} ${name}` }
  },
  async greetAll(requests: AsyncIterable<Named>) {
    const names: string[] = []
    for await (const { name } of requests) names.push(name)
    return { message: `Hello ${names.join(' and ')}` }
  },
  async *chat(requests: AsyncIterable<Named>) {
    for await (const { name } of requests) yield { message: `Hello ${name}` }
  },
})
const serverAddress = await server.listen('127.0.0.1:0')

/** Shows the events of the current chapter; each chapter has its own time zero. */
let tree = new TreeRenderer()
/** Told of each event, for who waits for one. */
let onSeen: ((event: InspectEvent) => void) | undefined
let lastEventMs = performance.now()
const tap = new TapProxy({
  target: { host: '127.0.0.1', port: Number(serverAddress.split(':')[1]) },
  schema: schemaOf(servicesOf(proto)),
  onEvent: (event) => {
    for (const line of tree.lines(event)) console.log(line)
    lastEventMs = performance.now()
    onSeen?.(event)
  },
})
const tapAddress = await tap.listen()
const channel = connect(tapAddress, { engine })
const greeter = channel.client(Greeter)

/** Prints text in lines that fit. */
function say(text: string): void {
  for (const line of wrapColumns(text, COLUMNS)) console.log(line)
}

/** A heading, and what is to be seen below it. */
function chapter(title: string, text: string, frames: 'all' | 'calls' = 'calls'): void {
  tree = new TreeRenderer({ columns: COLUMNS, paint, frames })
  console.log(`\n${paint('heading', title)}\n${paint('dim', '-'.repeat(COLUMNS))}`)
  say(text)
  console.log()
}

/** What the program got of the call, once nothing of it is on the wire any more. */
async function result(value: unknown): Promise<void> {
  while (performance.now() - lastEventMs < QUIET_MS) await setTimeout(QUIET_MS)
  console.log()
  say(`The client got: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
}

/** Resolves when an event comes that `matches`. */
function seen(matches: (event: InspectEvent) => boolean): Promise<void> {
  return new Promise((resolve) => {
    onSeen = (event) => {
      if (!matches(event)) return
      onSeen = undefined
      resolve()
    }
  })
}

/** The engine that the command line asks for. */
function engineOf(args: string[]): EngineName {
  try {
    const { engine } = parseArgs({ args, options: { engine: { type: 'string', default: 'node' } } }).values
    if (engine === 'node' || engine === 'pure') return engine
    throw new TypeError(`--engine ${engine} is unknown, allowed are node and pure`)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    // Status INVALID_ARGUMENT, as `glass` reports a bad flag.
    return process.exit(64 + Status.INVALID_ARGUMENT)
  }
}

const isReset = (event: InspectEvent) => event.type === 'frame' && event.frame.kind === 'RST_STREAM'

console.log(paint('heading', 'grpc-glass: four kinds of call, a deadline and a cancel, seen on the wire'))
console.log()
say(
  `The server listens on ${serverAddress}. The client connects to ${tapAddress}, where a tap forwards every octet unchanged, ` +
    `and shows it here (${engine} engine).`,
)
console.log(`
  ${paint('client', '>')}  sent by the client
  ${paint('server', '<')}  sent by the server, times in milliseconds since the call began
`)
say(
  'A line with an arrow is an HTTP/2 frame. Below it stands what it carries: header fields, with how HPACK ' +
    'wrote each of them; messages, with their prefix of 5 octets and what follows it in hex; the protobuf ' +
    'records inside, with field number, wire type, name and value; the status. "30 octets for 445; table 6 entries, ' +
    '334 octets" says that HPACK needed 30 octets for fields of 445, and what its dynamic table holds.',
)

chapter(
  '1. Unary: SayHello, one request and one reply',
  'The first call also opens the connection: preface, SETTINGS, flow-control windows.',
  'all',
)
await result(await greeter.sayHello({ name: 'world' }, { metadata: { 'x-demo': 'yes' } }))

chapter(
  '2. Server streaming: SayHellos, one request and several replies',
  'The header fields that were sent before are in the dynamic tables now.',
)
const greetings: string[] = []
for await (const { message } of greeter.sayHellos({ name: 'world' })) greetings.push(message)
await result(greetings)

chapter(
  '3. Client streaming: GreetAll, several requests and one reply',
  'The client ends its side with END_STREAM, then the server answers.',
)
await result(await greeter.greetAll([{ name: 'Ada' }, { name: 'Bob' }]))

chapter(
  '4. Bidirectional: Chat, both sides speak when they like',
  'Each name is sent when the answer to the one before has come.',
)
const chat = greeter.chat()
const answers: string[] = []
const names = ['Ada', 'Bob']
await chat.write({ name: names.shift() })
for await (const { message } of chat) {
  answers.push(message)
  const name = names.shift()
  if (name === undefined) chat.end()
  else await chat.write({ name })
}
await result(answers)

chapter(
  '5. A deadline that expires: SayHello to one who is slow, after 100 ms',
  'The request says how long the client waits (grpc-timeout). Then the client resets the stream, and the ' +
    'server, which has its own clock, may end it at the same moment.',
)
const expired = seen((event) => isReset(event) || event.type === 'status')
try {
  await greeter.sayHello({ name: 'slow' }, { deadline: 100 })
} catch (error) {
  if (!(error instanceof StatusError)) throw error
  await expired
  await result(error.message)
}

chapter(
  '6. A cancel: the client leaves the loop of a Chat after the first reply',
  'RST_STREAM with CANCEL tells the server that nobody listens any more.',
)
const cancelled = seen(isReset)
const conversation = greeter.chat()
await conversation.write({ name: 'Ada' })
let first: unknown
for await (const reply of conversation) {
  first = reply
  break
}
await cancelled
await result(first)

chapter('The end', 'GOAWAY says that no calls will follow.', 'all')
await channel.close()
await server.close()
await tap.close()
