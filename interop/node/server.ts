/** Our server of the peers: see interop/README.md for what it does. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  addHealth,
  addReflection,
  type EngineName,
  errorInfo,
  type HandlerCall,
  loadProto,
  Server,
  Status,
  StatusError,
} from '../../src/index.ts'

const root = `${import.meta.dirname}/../..`

interface HelloRequest {
  name: string
}
interface HelloReply {
  message: string
}
interface Country {
  name: string
}

const { values: flags } = parseArgs({
  options: {
    listen: { type: 'string', default: '127.0.0.1:0' },
    countries: { type: 'string', default: `${root}/interop/countries.json` },
    engine: { type: 'string', default: 'node' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
  },
})
const known: Country[] = JSON.parse(readFileSync(flags.countries, 'utf8'))
let callsOver = 0

/** Sends metadata back, and counts the end of a call that will hang: it may come at any moment. */
function begin(call: HandlerCall): void {
  if (call.metadata.get('glass-behavior') === 'hang') call.signal.addEventListener('abort', () => callsOver++)
  call.sendHeaders({ 'glass-initial': call.metadata.getAll('glass-initial') })
  call.setTrailers({ 'glass-trailing-bin': call.metadata.getAll('glass-trailing-bin') })
}

/** Fails or hangs where the metadata asks for it. */
async function misbehave(call: HandlerCall, name: string): Promise<void> {
  const behavior = call.metadata.get('glass-behavior')
  if (behavior === 'fail') {
    throw new StatusError(Status.NOT_FOUND, 'no such name: Zoë', {
      statusDetails: [errorInfo({ reason: 'UNKNOWN_NAME', domain: 'grpc-glass.test', metadata: { name } })],
    })
  }
  if (behavior === 'hang') {
    if (!call.cancelled) await new Promise((settle) => call.signal.addEventListener('abort', settle))
  }
}

const greeter = {
  async sayHello({ name }: HelloRequest, call: HandlerCall): Promise<HelloReply> {
    begin(call)
    if (call.metadata.get('glass-behavior') === 'count') return { message: String(callsOver) }
    await misbehave(call, name)
    return { message: `Hello ${name}` }
  },
  async *sayHellos({ name }: HelloRequest, call: HandlerCall): AsyncGenerator<HelloReply> {
    begin(call)
    yield { message: `Hello ${name}` }
    await misbehave(call, name)
    yield { message: `Hello again, ${name}` }
    yield { message: `Goodbye ${name}` }
  },
  async greetAll(requests: AsyncIterable<HelloRequest>, call: HandlerCall): Promise<HelloReply> {
    begin(call)
    const names: string[] = []
    for await (const { name } of requests) names.push(name)
    await misbehave(call, names.join(', '))
    return { message: `Hello ${names.join(', ')}` }
  },
  async *chat(requests: AsyncIterable<HelloRequest>, call: HandlerCall): AsyncGenerator<HelloReply> {
    begin(call)
    for await (const { name } of requests) {
      yield { message: `Hello ${name}` }
      await misbehave(call, name)
    }
  },
}

const { helloworld } = await loadProto(`${root}/proto/helloworld.proto`)
const { countries } = await loadProto(`${root}/proto/countries.proto`)
const server = new Server({
  engine: flags.engine as EngineName,
  maxReceiveMessageOctets: 16 << 20,
  compression: 'gzip',
  onHandlerError: (error) => console.error(error),
})
server.add(helloworld.Greeter, greeter)
server.add(countries.Country, {
  search({ name }: { name: string }) {
    const found = known.find((country) => country.name.toLowerCase() === name.toLowerCase())
    if (found === undefined) throw new StatusError(Status.NOT_FOUND, `no country is called ${name}`)
    return found
  },
})
addHealth(server)
addReflection(server)
const tls =
  flags['tls-cert'] === undefined
    ? {}
    : { tls: { cert: readFileSync(flags['tls-cert']), key: readFileSync(flags['tls-key']!) } }
console.log(`listening ${await server.listen(flags.listen, tls)}`)
process.once('SIGTERM', () => void server.close({ graceMs: 0 }))
