/** Attacks on a real socket (RFC 9113 §10.5): the connection ends with its reason, and nothing is left behind. */
import { readdirSync } from 'node:fs'
import net from 'node:net'
import t from 'tap'
import { pureEngine } from '../../../src/http2/index.ts'
import type { PureListenOptions } from '../../../src/http2/pure/options.ts'
import {
  ACK,
  dataFrame,
  END_STREAM,
  frame,
  headersFrame,
  PREFACE,
  type RawPeer,
  REQUEST_FIELDS,
  rawClient,
  rstFrame,
  settingsFrame,
  Type,
  u32,
} from '../../support/raw-http2.ts'
import {
  addressOf,
  Pair,
  pause,
  request,
  response,
  ServerRecorder,
  settle,
  startClient,
} from '../contract/harness.ts'

const ENHANCE_YOUR_CALM = 11

interface Attack {
  name: string
  /** Octets of round `n`. */
  round: (n: number) => Uint8Array
  rounds: number
  code: number
  says: RegExp
}

const windowUpdate = (streamId: number, increment: number) =>
  frame(Type.WINDOW_UPDATE, 0, streamId, u32(increment))
const open = (n: number) => headersFrame(2 * n + 1, true, ...REQUEST_FIELDS)
const first = (n: number, octets: Uint8Array) => (n === 0 ? octets : new Uint8Array(0))

const ATTACKS: Attack[] = [
  {
    name: 'rapid reset (CVE-2023-44487)',
    round: (n) => Buffer.concat([open(n), rstFrame(2 * n + 1, 8)]),
    rounds: 20_000,
    code: ENHANCE_YOUR_CALM,
    says: /reset right after they were opened/,
  },
  {
    name: 'made you reset (CVE-2025-8671)',
    round: (n) => Buffer.concat([open(n), windowUpdate(2 * n + 1, 0)]),
    rounds: 20_000,
    code: ENHANCE_YOUR_CALM,
    says: /had to be reset/,
  },
  {
    name: 'CONTINUATION flood (CVE-2024-27983)',
    round: (n) =>
      n === 0
        ? frame(Type.HEADERS, 0, 1, Buffer.from([0x82]))
        : frame(Type.CONTINUATION, 0, 1, Buffer.alloc(1000, 0x84)),
    rounds: 5000,
    code: ENHANCE_YOUR_CALM,
    says: /CONTINUATION frames/,
  },
  {
    name: 'empty CONTINUATION flood (CVE-2019-9518)',
    round: (n) => (n === 0 ? frame(Type.HEADERS, 0, 1) : frame(Type.CONTINUATION, 0, 1)),
    rounds: 5000,
    code: ENHANCE_YOUR_CALM,
    says: /CONTINUATION frames/,
  },
  {
    name: 'PING flood (CVE-2019-9512)',
    round: () => frame(Type.PING, 0, 0, Buffer.alloc(8)),
    rounds: 50_000,
    code: ENHANCE_YOUR_CALM,
    says: /PING frames/,
  },
  {
    name: 'SETTINGS flood (CVE-2019-9515)',
    round: () => settingsFrame(),
    rounds: 20_000,
    code: ENHANCE_YOUR_CALM,
    says: /SETTINGS frames/,
  },
  {
    name: 'empty DATA flood (CVE-2019-9518)',
    round: (n) =>
      Buffer.concat([first(n, headersFrame(1, false, ...REQUEST_FIELDS)), dataFrame(1, false, '')]),
    rounds: 20_000,
    code: ENHANCE_YOUR_CALM,
    says: /empty frames/,
  },
  {
    name: 'DATA dribble',
    round: (n) =>
      Buffer.concat([first(n, headersFrame(1, false, ...REQUEST_FIELDS)), dataFrame(1, false, 'x')]),
    rounds: 60_000,
    code: ENHANCE_YOUR_CALM,
    says: /DATA frames of at most/,
  },
  {
    name: 'WINDOW_UPDATE flood (CVE-2019-9511)',
    round: () => windowUpdate(0, 1),
    rounds: 60_000,
    code: ENHANCE_YOUR_CALM,
    says: /WINDOW_UPDATE frames/,
  },
  {
    name: 'PRIORITY flood (CVE-2019-9513)',
    round: () => frame(Type.PRIORITY, 0, 3, Buffer.alloc(5)),
    rounds: 20_000,
    code: ENHANCE_YOUR_CALM,
    says: /PRIORITY frames/,
  },
  {
    name: 'unknown frames',
    round: () => frame(0xbb, 0, 0),
    rounds: 60_000,
    code: ENHANCE_YOUR_CALM,
    says: /unknown type/,
  },
  {
    name: 'HPACK table size churn',
    round: (n) =>
      frame(Type.HEADERS, 0x5, 2 * n + 1, Buffer.from([0x20, 0x3f, 0xe1, 0x1f, 0x82, 0x86, 0x84])),
    rounds: 5000,
    code: ENHANCE_YOUR_CALM,
    says: /table size updates/,
  },
  {
    name: 'window overflow',
    round: () => windowUpdate(0, 0x7fffffff),
    rounds: 2,
    code: 3,
    says: /connection's window above/,
  },
  {
    name: 'HPACK index that does not exist',
    round: () => frame(Type.HEADERS, 0x5, 1, Buffer.from([0xff, 0x50])),
    rounds: 1,
    code: 9,
    says: /index/,
  },
  {
    name: 'an illegal frame',
    round: () => frame(Type.WINDOW_UPDATE, 0, 0),
    rounds: 1,
    code: 6,
    says: /allowed are 4/,
  },
  {
    name: 'PUSH_PROMISE from a client',
    round: (n) => Buffer.concat([first(n, open(0)), frame(Type.PUSH_PROMISE, 0x4, 1, u32(2))]),
    rounds: 1,
    code: 1,
    says: /from a client/,
  },
]

/** Open descriptors of this process. */
const descriptors = () => readdirSync('/proc/self/fd').length

async function startServer(options: PureListenOptions = {}) {
  const heard = new ServerRecorder()
  heard.onRequest = ({ stream, endStream }) => {
    if (endStream) stream.sendHeaders(response(), true)
  }
  const server = await pureEngine.listen({ host: '127.0.0.1', port: 0 }, options, heard)
  return { server, heard, address: addressOf(server) as { host: string; port: number } }
}

/** What the GOAWAY says. */
async function goaway(peer: RawPeer): Promise<{ code: number; debug: string }> {
  const { payload } = await peer.frame(Type.GOAWAY)
  return { code: payload.readUInt32BE(4), debug: payload.subarray(8).toString() }
}

t.test("every attack ends its own connection, with code and reason, and nobody else's", async (t) => {
  const { server, heard, address } = await startServer()
  const probe = startClient(t, pureEngine, address)
  await probe.heard.until(() => probe.heard.opened)
  const before = descriptors()
  for (const { name, round, rounds, code, says } of ATTACKS) {
    // the server answers nothing here but what it must: requests without a body are answered with headers
    heard.onRequest =
      name.startsWith('HPACK table') || name.startsWith('made you') ? ({ stream }) => void stream : undefined
    const peer = await rawClient(address)
    for (let n = 0; n < rounds && !peer.closed; n += 500) {
      const octets = []
      for (let m = n; m < Math.min(n + 500, rounds); m++) octets.push(round(m))
      peer.write(...octets)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const end = await goaway(peer)
    t.equal(end.code, code, name)
    t.match(end.debug, says, name)
    await peer.gone()
    peer.socket.destroy()
    await heard.connections.at(-1)!.closing()
    heard.onRequest = ({ stream }) => stream.sendHeaders(response(), true)
    const roundTrip = await new Promise<number>((resolve) =>
      probe.connection.ping((_error, ms) => resolve(ms)),
    )
    t.ok(roundTrip >= 0, 'another connection is served')
  }
  await settle()
  t.equal(server.connections.size, 1)
  t.equal(descriptors(), before, 'no descriptor is left')
  await server.close()
})

t.test('slow preface, slow headers, unacknowledged SETTINGS: time limits on a real clock', async (t) => {
  const { server, heard, address } = await startServer({
    handshakeTimeoutMs: 100,
    fieldBlockTimeoutMs: 100,
    settingsTimeoutMs: 250,
  })
  const slowPreface = await rawClient(address, false)
  slowPreface.write(PREFACE.subarray(0, 5))
  t.match(await goaway(slowPreface), { code: 4, debug: /no connection preface within 100 ms/ })
  const slowHeaders = await rawClient(address)
  slowHeaders.write(frame(Type.HEADERS, END_STREAM, 1, Buffer.from([0x82])))
  t.match(await goaway(slowHeaders), {
    code: ENHANCE_YOUR_CALM,
    debug: /field block was not complete within 100 ms/,
  })
  const deaf = await rawClient(address, false)
  deaf.write(PREFACE, settingsFrame())
  t.match(await goaway(deaf), { code: 4, debug: /not acknowledged within 250 ms/ })
  for (const peer of [slowPreface, slowHeaders, deaf]) {
    await peer.gone()
    peer.socket.destroy()
  }
  for (const connection of heard.connections) await connection.closing()
  t.equal(server.connections.size, 0)
  await server.close()
})

t.test('idle connection: drained after its time', async (t) => {
  const { server, heard, address } = await startServer({ maxConnectionIdleMs: 100 })
  const peer = await rawClient(address)
  t.match(await goaway(peer), { code: 0 })
  peer.socket.destroy()
  await (await heard.connection()).closing()
  await server.close()
})

t.test('zero-window stall: the stream is reset, and the connection lives', async (t) => {
  const { server, heard, address } = await startServer({ stallTimeoutMs: 100 })
  heard.onRequest = ({ stream }) => {
    stream.sendHeaders(response(), false)
    stream.sendData(Buffer.alloc(1000), true)
  }
  const peer = await rawClient(address, false)
  peer.write(PREFACE, settingsFrame([4, 0]), frame(Type.SETTINGS, ACK, 0), open(0))
  const reset = await peer.frame(Type.RST_STREAM, 1)
  t.equal(reset.payload.readUInt32BE(), 8)
  t.equal(server.connections.size, 1)
  peer.socket.destroy()
  await (await heard.connection()).closing()
  await server.close()
})

t.test(
  'a peer that asks for answers and reads none: we stop reading, and hold a bounded amount',
  async (t) => {
    const unlimited = { burst: Number.POSITIVE_INFINITY, perSecond: 0 }
    const { server, heard, address } = await startServer({
      budgets: { pings: unlimited },
      maxUnsentOctets: 100_000,
    })
    const socket = net.connect(address)
    socket.on('error', () => {})
    socket.pause()
    socket.write(Buffer.concat([PREFACE, settingsFrame(), frame(Type.SETTINGS, ACK, 0)]))
    const pings = Buffer.concat(Array.from({ length: 4000 }, () => frame(Type.PING, 0, 0, Buffer.alloc(8))))
    const connection = (await heard.connection()).connection as unknown as {
      core: { context: { output: { sizeOctets: number } } }
    }
    // as long as the kernel takes octets, there is room; then the server stops reading, and the writes stop
    let stalled = 0
    let most = 0
    while (stalled < 20) {
      const drained = socket.writableLength === 0
      if (drained) socket.write(pings)
      stalled = drained ? 0 : stalled + 1
      most = Math.max(most, connection.core.context.output.sizeOctets)
      await pause(5)
    }
    t.ok(most < 400_000, `${most} octets held`)
    t.equal(server.connections.size, 1, 'it is not ended: a peer may be slow')
    socket.resume()
    await pause(50)
    t.equal(server.connections.size, 1, 'and goes on when it reads again')
    socket.destroy()
    await (await heard.connection()).closing()
    await server.close()
  },
)

t.test('a well-behaved heavy user on a socket: 20000 short calls, thousands of cancels', async (t) => {
  const pair = await Pair.start(
    t,
    { client: pureEngine, server: pureEngine },
    {
      onRequest: ({ stream }) => {
        if (stream.id % 8 === 3) return
        stream.sendHeaders(response(), false)
        stream.sendTrailers(['grpc-status', '0'])
      },
    },
  )
  let done = 0
  let cancelled = 0
  await new Promise<void>((resolve) => {
    let started = 0
    const next = () => {
      if (started === 20_000) return
      started++
      const stream = pair.client.open({
        onHeaders() {},
        onData() {},
        onTrailers() {},
        onEnd() {},
        onDrain() {},
        onClose(error) {
          if (error !== undefined) cancelled++
          if (++done === 20_000) resolve()
          else next()
        },
      })
      stream.sendHeaders(request(), true)
      if (stream.id % 8 === 3) setTimeout(() => stream.reset(8), 2)
    }
    for (let n = 0; n < 64; n++) next()
  })
  t.equal(cancelled, 5000)
  t.equal(pair.client.state, 'open')
})
