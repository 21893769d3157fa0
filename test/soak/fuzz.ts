/** Random frames and mutated sessions against a server, from a seed: it lives, serves others, and keeps nothing. */
import { connect, Server } from '../../src/rpc/index.ts'
import { openSockets } from '../support/descriptors.ts'
import {
  dataFrame,
  frame,
  headersFrame,
  PREFACE,
  rawClient,
  settingsAck,
  settingsFrame,
} from '../support/raw-http2.ts'
import { becomes, liveOctets, type Measure, MIB, mib, Octets } from './measure.ts'

const FIELDS = [':method', 'POST', ':scheme', 'http', ':path', '/soak.Octets/Unary', ':authority', 'a']

/** A valid session of one call. */
const SESSION = Buffer.concat([
  PREFACE,
  settingsFrame([3, 100], [4, 65_535]),
  settingsAck(),
  headersFrame(1, false, ...FIELDS, 'content-type', 'application/grpc', 'te', 'trailers'),
  dataFrame(1, true, Buffer.from([0, 0, 0, 0, 5, 1, 2, 3, 4, 5])),
  frame(6, 0, 0, Buffer.alloc(8)),
  frame(8, 0, 0, Buffer.from([0, 0, 255, 255])),
])

export const fuzz: Measure = async (engine, { short, seed }) => {
  const seconds = short ? 6 : 60
  let state = seed
  const below = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % limit
  }
  let escaped = 0
  process.on('unhandledRejection', () => escaped++)
  process.on('uncaughtException', () => escaped++)
  const server = new Server({ engine, watchdogIntervalMs: 200, handshakeTimeoutMs: 2000 }).add(Octets, {
    unary: (request) => request,
  })
  const address = await server.listen('127.0.0.1:0')
  const port = Number(address.split(':').at(-1))
  const randomFrames = () => {
    const frames = [PREFACE, settingsFrame(), settingsAck()]
    for (let i = 0; i < 20; i++) {
      const payload = Buffer.from(Array.from({ length: below(64) }, () => below(256)))
      frames.push(frame(below(12), below(256), below(8), payload))
    }
    return Buffer.concat(frames)
  }
  const mutated = () => {
    const octets = Buffer.from(SESSION)
    for (let i = 1 + below(4); i > 0; i--)
      octets[PREFACE.length + below(octets.length - PREFACE.length)] = below(256)
    return octets.subarray(0, octets.length - (below(3) === 0 ? below(60) : 0))
  }
  const connectOnce = async (octets: Buffer) => {
    const peer = await rawClient({ host: '127.0.0.1', port }, false)
    peer.write(octets)
    await Promise.race([peer.gone(), new Promise((resolve) => setTimeout(resolve, 15))])
    peer.socket.destroy()
  }
  const channel = connect(address, { engine })
  const client = channel.client(Octets)
  await client.unary(Buffer.of(1))
  for (let i = 0; i < 200; i++) await connectOnce(i % 2 === 0 ? randomFrames() : mutated())
  await becomes(() => server.runningCalls === 0)
  const socketsBefore = openSockets() ?? 0
  const heapBefore = await liveOctets()
  let sessions = 0
  let unserved = 0
  for (const make of [randomFrames, mutated]) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; sessions += 10) {
      await Promise.all(Array.from({ length: 10 }, () => connectOnce(make())))
      if (sessions % 100 === 0) await client.unary(Buffer.of(1), { deadline: 10_000 }).catch(() => unserved++)
    }
  }
  const callsGone = await becomes(() => server.runningCalls === 0)
  const socketsBack = await becomes(() => (openSockets() ?? 0) <= socketsBefore)
  const growth = (await liveOctets()) - heapBefore
  await channel.close({ graceMs: 0 })
  await server.close({ graceMs: 0 })
  return [
    {
      promise: `fuzz, ${seconds} s random frames and ${seconds} s mutated sessions: alive, served on, sockets back`,
      figure: `${sessions} sessions, ${escaped + unserved === 0 ? 'yes' : `${escaped} escaped, ${unserved} unserved`}, ${socketsBack ? 'yes' : `no: ${openSockets()} after ${socketsBefore}`}`,
      kept: escaped === 0 && unserved === 0 && callsGone && socketsBack,
    },
    { promise: '  live memory (< +2 MiB)', figure: mib(growth), kept: growth < 2 * MIB },
  ]
}
