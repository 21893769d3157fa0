/**
 * What a unary exchange costs on the `node` engine, without any gRPC layer, beside bare node:http2 (the floor)
 * and grpc-js with messages that are plain octets. Server and client are processes of their own.
 *
 * `node --import=tsx bench/micro/node-engine.ts [calls] [rounds] [outstanding]`
 *
 * Read the ratios, not the figures: they drift with the machine and with what else it does.
 */
import { type ChildProcess, fork } from 'node:child_process'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import * as grpc from '@grpc/grpc-js'
import { nodeEngine } from '../../src/http2/node/engine.ts'
import type { StreamListener } from '../../src/http2/transport.ts'

const MESSAGE = Buffer.from('00000000180a17776f726c64206f6620676c617373202d20626e636820', 'hex')
const PATH = '/bench.Echo/Unary'
const HOST = '127.0.0.1'

type Caller = (done: () => void) => void
interface Contender {
  listen(): Promise<number>
  connect(port: number): Promise<Caller>
}

const REQUEST = [
  ':method',
  'POST',
  ':scheme',
  'http',
  ':authority',
  HOST,
  ':path',
  PATH,
  'content-type',
  'application/grpc',
  'te',
  'trailers',
  'user-agent',
  'bench',
]
const RESPONSE = [':status', '200', 'content-type', 'application/grpc']
const TRAILERS = ['grpc-status', '0']

const ignore = () => {}

const engine: Contender = {
  async listen() {
    const server = await nodeEngine.listen(
      { host: HOST, port: 0 },
      {},
      {
        onConnection: () => ({
          onOpen: ignore,
          onGoaway: ignore,
          onClose: ignore,
          onStream(stream): StreamListener {
            let message: Uint8Array = MESSAGE
            return {
              onHeaders: ignore,
              onData(chunk, start, end) {
                message = chunk.subarray(start, end)
                stream.consume(end - start)
              },
              onTrailers: ignore,
              onEnd() {
                stream.sendHeaders(RESPONSE, false)
                stream.sendData(message, false)
                stream.sendTrailers(TRAILERS)
              },
              onDrain: ignore,
              onClose: ignore,
            }
          },
        }),
      },
    )
    return Number(server.address.split(':')[1])
  },
  connect(port) {
    return new Promise((resolve) => {
      const connection = nodeEngine.connect(
        { host: HOST, port },
        {},
        { onOpen: () => resolve(call), onGoaway: ignore, onClose: ignore },
      )
      const call: Caller = (done) => {
        const stream = connection.open({
          onHeaders: ignore,
          onData(_chunk, start, end) {
            stream.consume(end - start)
          },
          onTrailers: ignore,
          onEnd: ignore,
          onDrain: ignore,
          onClose: done,
        })
        stream.sendHeaders(REQUEST, false)
        stream.sendData(MESSAGE, true)
      }
    })
  },
}

const bare: Contender = {
  listen() {
    const server = http2.createServer()
    server.on('stream', (stream) => {
      let message: Buffer = MESSAGE
      stream.on('data', (chunk: Buffer) => {
        message = chunk
      })
      stream.on('end', () => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
        stream.end(message)
      })
    })
    return new Promise((resolve) => {
      server.listen(0, HOST, () => resolve((server.address() as AddressInfo).port))
    })
  },
  connect(port) {
    const session = http2.connect(`http://${HOST}:${port}`)
    const headers = Object.fromEntries(
      Array.from({ length: REQUEST.length / 2 }, (_, i) => [REQUEST[2 * i] as string, REQUEST[2 * i + 1]]),
    )
    return Promise.resolve((done) => {
      const stream = session.request(headers)
      stream.on('data', ignore)
      stream.on('trailers', ignore)
      stream.on('close', done)
      stream.end(MESSAGE)
    })
  },
}

const same = (octets: Buffer) => octets
const definition = {
  unary: {
    path: PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
} as const

const grpcJs: Contender = {
  listen() {
    const server = new grpc.Server()
    server.addService(definition, {
      unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) =>
        callback(null, call.request),
    })
    return new Promise((resolve, reject) => {
      server.bindAsync(`${HOST}:0`, grpc.ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      )
    })
  },
  connect(port) {
    const client = new grpc.Client(`${HOST}:${port}`, grpc.credentials.createInsecure())
    const payload = MESSAGE.subarray(5)
    return Promise.resolve((done) => {
      client.makeUnaryRequest(PATH, same, same, payload, done)
    })
  },
}

const contenders: Record<string, Contender> = {
  'node engine': engine,
  'bare node:http2': bare,
  'grpc-js': grpcJs,
}

interface Figures {
  perSecond: number
  clientMicroseconds: number
  serverMicroseconds: number
}

function microseconds({ user, system }: NodeJS.CpuUsage): number {
  return user + system
}

/** CPU time that a server has used so far. */
function serverCpu(server: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    server.once('message', (value) => resolve(Number(value)))
    server.send('cpu')
  })
}

async function measure(
  call: Caller,
  server: ChildProcess,
  calls: number,
  outstanding: number,
): Promise<Figures> {
  const serverBefore = await serverCpu(server)
  const clientBefore = microseconds(process.cpuUsage())
  const started = performance.now()
  await new Promise<void>((resolve) => {
    let begun = 0
    let ended = 0
    const next = () => {
      if (++ended >= calls) resolve()
      else if (begun < calls) begin()
    }
    const begin = () => {
      begun++
      call(next)
    }
    while (begun < Math.min(outstanding, calls)) begin()
  })
  return {
    perSecond: calls / ((performance.now() - started) / 1000),
    clientMicroseconds: (microseconds(process.cpuUsage()) - clientBefore) / calls,
    serverMicroseconds: ((await serverCpu(server)) - serverBefore) / calls,
  }
}

const [, , first = '20000', second = '4', third = '64'] = process.argv
if (first === 'serve') {
  const port = await (contenders[second] as Contender).listen()
  process.on('message', () => process.send?.(microseconds(process.cpuUsage())))
  process.send?.(port)
} else {
  const calls = Number(first)
  const rounds = Number(second)
  const outstanding = Number(third)
  const entrants: { name: string; call: Caller; server: ChildProcess; best: Figures }[] = []
  for (const [name, contender] of Object.entries(contenders)) {
    const server = fork(import.meta.filename, ['serve', name])
    const port = await new Promise<number>((resolve) =>
      server.once('message', (port) => resolve(Number(port))),
    )
    const best = { perSecond: 0, clientMicroseconds: Infinity, serverMicroseconds: Infinity }
    entrants.push({ name, call: await contender.connect(port), server, best })
  }
  for (const { call, server } of entrants) await measure(call, server, calls / 4, outstanding)
  for (let round = 0; round < rounds; round++) {
    for (const { call, server, best } of entrants) {
      const figures = await measure(call, server, calls, outstanding)
      best.perSecond = Math.max(best.perSecond, figures.perSecond)
      best.clientMicroseconds = Math.min(best.clientMicroseconds, figures.clientMicroseconds)
      best.serverMicroseconds = Math.min(best.serverMicroseconds, figures.serverMicroseconds)
    }
  }
  const base = entrants.find(({ name }) => name === 'grpc-js')?.best as Figures
  console.log(`${calls} unary exchanges, ${outstanding} outstanding, best of ${rounds}; CPU per exchange`)
  for (const { name, best } of entrants) {
    const columns = [
      name.padEnd(16),
      `${Math.round(best.perSecond)}/s`.padStart(9),
      `${(best.perSecond / base.perSecond).toFixed(2)} x grpc-js`.padStart(15),
      `client ${best.clientMicroseconds.toFixed(0)} us`.padStart(15),
      `server ${best.serverMicroseconds.toFixed(0)} us`.padStart(15),
    ]
    console.log(columns.join(''))
  }
  for (const { server } of entrants) server.kill()
  process.exit(0)
}
