/** Two connections joined in memory. */
import t from 'tap'
import { createInProcessPair } from '../../../src/http2/index.ts'
import {
  ConnectionRecorder,
  request,
  response,
  ServerRecorder,
  StreamRecorder,
  settle,
} from '../contract/harness.ts'

function start(options: Parameters<typeof createInProcessPair>[2] = {}) {
  const clientHeard = new ConnectionRecorder()
  const serverHeard = new ServerRecorder()
  const { client, server } = createInProcessPair(clientHeard, serverHeard, options)
  const open = () => {
    const heard = new StreamRecorder()
    const stream = client.open(heard)
    heard.stream = stream
    return { stream, heard }
  }
  return { client, server, clientHeard, serverHeard, open }
}

t.test('a call, and the end in order', async (t) => {
  const { client, server, clientHeard, serverHeard, open } = start()
  serverHeard.onRequest = ({ stream, heard }) => {
    stream.sendHeaders(response(), false)
    void heard.called('end').then(() => {
      stream.sendData(Buffer.from(heard.text.toUpperCase()), false)
      stream.sendTrailers(['grpc-status', '0'])
    })
  }
  const { stream, heard } = open()
  stream.sendHeaders(request(), false)
  stream.sendData(Buffer.from('hello'), true)
  await heard.closing()
  t.strictSame(heard.calls, ['headers', 'data', 'trailers', 'end', 'close'])
  t.equal(heard.text, 'HELLO')
  t.match(client, {
    engine: 'pure',
    role: 'client',
    state: 'open',
    peer: { address: 'in-process', encrypted: false },
  })
  t.equal(server.role, 'server')
  client.ref()
  client.unref()
  client.close()
  await clientHeard.closing()
  await serverHeard.connections[0]!.closing()
  t.equal(clientHeard.error, undefined)
  t.equal(serverHeard.connections[0]!.error, undefined)
  t.equal(client.state, 'closed')
})

t.test('large messages, byte for byte, with back-pressure', async (t) => {
  const { client, clientHeard, serverHeard, open } = start()
  serverHeard.onRequest = ({ stream, heard }) => {
    stream.sendHeaders(response(), false)
    void heard.called('end').then(() => stream.sendData(heard.body, true))
  }
  const body = Buffer.alloc(5_000_000)
  for (let at = 0; at < body.length; at += 4) body.writeUInt32LE((at * 2654435761) >>> 0, at)
  const { stream, heard } = open()
  stream.sendHeaders(request(), false)
  stream.sendData(body, true)
  await heard.closing()
  t.ok(heard.body.equals(body))
  client.destroy()
  await clientHeard.closing()
})

t.test('destroy: the other end hears it, later calls end at once', async (t) => {
  const { client, server, clientHeard, serverHeard, open } = start()
  const { stream, heard } = open()
  stream.sendHeaders(request(), false)
  await clientHeard.until(() => clientHeard.opened)
  await settle(4)
  server.destroy(2, 'enough')
  await heard.closing()
  t.match(heard.error, { code: 2, debugData: 'enough' })
  await clientHeard.closing()
  await serverHeard.connections[0]!.closing()
  const late = open()
  late.stream.sendHeaders(request(), true)
  await late.heard.closing()
  t.match(late.heard.error, { unprocessed: true })
  const error = await new Promise((resolve) => client.ping(resolve))
  t.match(error, { name: 'ConnectionError' })
})

t.test('pings, and time limits', async (t) => {
  const { client, clientHeard, serverHeard } = start({
    server: { maxConnectionIdleMs: 50 },
    client: { keepaliveTimeMs: 20, keepaliveWithoutCalls: true },
  })
  const ms = await new Promise<number>((resolve) =>
    client.ping((_error, roundTripMs) => resolve(roundTripMs)),
  )
  t.ok(ms >= 0)
  await clientHeard.closing()
  t.equal(clientHeard.error, undefined)
  t.ok(clientHeard.calls.includes('goaway'))
  await serverHeard.connections[0]!.closing()
})

t.test('a server that refuses the connection', async (t) => {
  const clientHeard = new ConnectionRecorder()
  createInProcessPair(clientHeard, {
    onConnection() {
      throw new Error('no')
    },
  })
  await clientHeard.closing()
  t.match(clientHeard.error, { name: 'ConnectionError' })
})

t.test('many calls at once', async (t) => {
  const { client, clientHeard, serverHeard, open } = start()
  serverHeard.onRequest = ({ stream }) => stream.sendHeaders(response(), true)
  const calls = Array.from({ length: 2000 }, open)
  for (const { stream } of calls) stream.sendHeaders(request(), true)
  for (const { heard } of calls) await heard.closing()
  t.equal(calls.filter(({ heard }) => heard.error !== undefined).length, 0)
  client.close()
  await clientHeard.closing()
})
