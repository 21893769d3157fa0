/**
 * The engines alone, without gRPC: unary-like exchanges (HEADERS, DATA, trailers) between a client and a server of
 * this process, on TCP and in memory, in CPU time a call of both ends together.
 *
 * Run: `node --import=tsx bench/micro/pure-engine.ts [calls] [outstanding]`
 */
import { createInProcessPair, nodeEngine, pureEngine } from '../../src/http2/index.ts'
import type {
  ConnectionListener,
  Fields,
  Http2Connection,
  Http2Engine,
  ServerListener,
  StreamListener,
} from '../../src/http2/transport.ts'

const CALLS = Number(process.argv[2] ?? 50_000)
const OUTSTANDING = Number(process.argv[3] ?? 64)
const ROUNDS = 5

const MESSAGE = Buffer.alloc(35, 0x41)
const REQUEST: Fields = [
  ...[
    ':method',
    'POST',
    ':scheme',
    'http',
    ':path',
    '/helloworld.Greeter/SayHello',
    ':authority',
    '127.0.0.1:50051',
  ],
  ...['te', 'trailers', 'content-type', 'application/grpc', 'user-agent', 'grpc-glass/0.1.0'],
]
const RESPONSE: Fields = [':status', '200', 'content-type', 'application/grpc', 'grpc-encoding', 'identity']
const TRAILERS: Fields = ['grpc-status', '0']

const serverListener: ServerListener = {
  onConnection: () => ({
    onOpen() {},
    onGoaway() {},
    onClose() {},
    onStream(stream): StreamListener {
      return {
        onHeaders() {},
        onData(_chunk, start, end) {
          stream.consume(end - start)
        },
        onTrailers() {},
        onEnd() {
          stream.sendHeaders(RESPONSE, false)
          stream.sendData(MESSAGE, false)
          stream.sendTrailers(TRAILERS)
        },
        onDrain() {},
        onClose() {},
      }
    },
  }),
}

function run(client: Http2Connection, calls: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let started = 0
    let done = 0
    const next = () => {
      if (started++ >= calls) return
      const stream = client.open({
        onHeaders() {},
        onData(_chunk, start, end) {
          stream.consume(end - start)
        },
        onTrailers() {},
        onEnd() {},
        onDrain() {},
        onClose(error) {
          if (error !== undefined) reject(error)
          if (++done === calls) resolve()
          else next()
        },
      })
      stream.sendHeaders(REQUEST, false)
      stream.sendData(MESSAGE, true)
    }
    for (let n = 0; n < OUTSTANDING; n++) next()
  })
}

async function measure(
  name: string,
  connect: (listener: ConnectionListener) => Promise<Http2Connection>,
  calls: number,
) {
  let opened = () => {}
  const open = new Promise<void>((resolve) => {
    opened = resolve
  })
  const client = await connect({ onOpen: () => opened(), onGoaway() {}, onClose() {} })
  await open
  const costs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const started = process.cpuUsage()
    await run(client, calls)
    const used = process.cpuUsage(started)
    costs.push((used.user + used.system) / calls)
  }
  client.destroy()
  const [median] = costs.sort((a, b) => a - b).slice(ROUNDS >> 1)
  process.stdout.write(`${name}: ${median!.toFixed(2)} us of CPU a call\n`)
}

const onTcp = (engine: Http2Engine) => async (listener: ConnectionListener) => {
  const server = await engine.listen({ host: '127.0.0.1', port: 0 }, {}, serverListener)
  const port = Number(server.address.slice(server.address.lastIndexOf(':') + 1))
  const onOpen = () => {
    listener.onOpen()
    void server.close()
  }
  return engine.connect({ host: '127.0.0.1', port }, {}, { ...listener, onOpen })
}

await measure('pure, TCP', onTcp(pureEngine), CALLS)
await measure(
  'pure, in memory',
  async (listener) => createInProcessPair(listener, serverListener).client,
  CALLS,
)
await measure('node, TCP', onTcp(nodeEngine), Math.ceil(CALLS / 10))
