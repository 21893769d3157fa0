/**
 * Random dialogues, legal and illegal, with their seed: the core never throws, never hangs, leaves nothing behind,
 * and can always say what state it is in.
 */
import t, { type Test } from 'tap'
import { ConnectionCore } from '../../../src/http2/pure/connection-core.ts'
import { resolveOptions } from '../../../src/http2/pure/options.ts'
import { isClosed } from '../../../src/http2/pure/stream-state.ts'
import type { Http2Connection } from '../../../src/http2/transport.ts'
import type { FrameContent } from '../../../src/wire/frame/frame.ts'
import { randomOf } from '../../support/fault-transport.ts'
import { CoreDialogue, frameOctets, GET, OK, POST, type Request, StreamLog } from './support/core-dialogue.ts'

const SEEDS = 150
const STEPS = 120

/** What must hold at any time. */
function invariants(dialogue: CoreDialogue): string | undefined {
  const { context, life } = dialogue.core
  let local = 0
  let peer = 0
  for (const stream of context.streams.all()) {
    const { id } = stream
    if (context.streams.get(id) !== stream) return `stream ${id} is not found`
    if (isClosed(stream.state)) return `stream ${id} is closed and still there`
    if (context.isLocal(id)) local++
    else peer++
    const queued = (stream.queue ?? []).reduce((sum, chunk) => sum + chunk.length, 0)
    if (queued - (stream.queue === undefined ? 0 : stream.queueOffset) !== stream.queuedOctets)
      return `stream ${id}: queue`
    if (stream.queuedOctets > 0 && stream.sendWindow.sizeOctets > 0 && !stream.queued)
      return `stream ${id} is forgotten`
    if (stream.receiveWindow.availableOctets < 0) return `stream ${id}: window overrun`
  }
  if (local !== context.localOpen || peer !== context.peerOpen) return 'counts of open streams'
  if (context.receiveWindow.availableOctets < 0 && !context.ended) return 'connection window overrun'
  if (context.ended !== (life.state === 'closed')) return `state ${life.state}, ended ${context.ended}`
  if (context.ended && context.streams.size > 0) return 'streams outlive the connection'
  return undefined
}

/** A frame that may or may not be legal now. */
function randomFrame(dialogue: CoreDialogue, random: (below: number) => number): FrameContent {
  const streamId = random(8) === 0 ? random(40) : 1 + 2 * random(12)
  switch (random(12)) {
    case 0:
    case 1:
    case 2: {
      const requests = [
        GET,
        POST,
        [...POST, 'content-length', String(random(50))],
        [':method', 'x'],
        OK,
        ['grpc-status', '0'],
      ]
      return dialogue.headers(streamId, requests[random(requests.length)]!, random(2) === 0)
    }
    case 3:
    case 4:
    case 5: {
      const frame = {
        kind: 'DATA' as const,
        streamId,
        endStream: random(3) === 0,
        data: Buffer.alloc(random(200)),
      }
      return random(4) === 0 ? { ...frame, padLength: random(256) } : frame
    }
    case 6:
      return { kind: 'RST_STREAM', streamId, code: random(16) }
    case 7:
      return {
        kind: 'WINDOW_UPDATE',
        streamId: random(3) === 0 ? 0 : streamId,
        increment: random(20) === 0 ? 0x7fffffff : random(5000),
      }
    case 8:
      return {
        kind: 'SETTINGS',
        ack: false,
        settings: [{ identifier: 1 + random(6), value: [0, 1, 100, 16_384, 65_535, 70_000][random(6)]! }],
      }
    case 9:
      return { kind: 'PING', ack: random(2) === 0, data: Buffer.alloc(8, random(256)) }
    case 10:
      return {
        kind: 'PRIORITY_UPDATE',
        prioritizedStreamId: streamId,
        value: `u=${random(9)}${random(2) === 0 ? ', i' : ''}`,
      }
    default:
      return random(10) === 0
        ? { kind: 'GOAWAY', lastStreamId: random(20), code: random(14), debugData: Buffer.alloc(random(5)) }
        : {
            kind: 'IGNORED',
            type: 0x20 + random(50),
            flags: random(256),
            streamId,
            payload: Buffer.alloc(random(20)),
          }
  }
}

/** Something the application does. */
function randomAct(request: { stream: Request['stream'] }, random: (below: number) => number): void {
  const { stream } = request
  try {
    switch (random(6)) {
      case 0:
        stream.sendHeaders(stream.connection.role === 'client' ? GET : OK, random(4) === 0)
        return
      case 1:
        stream.sendData(Buffer.alloc(random(30_000)), random(4) === 0)
        return
      case 2:
        stream.sendTrailers(['grpc-status', '0'])
        return
      case 3:
        if (random(4) === 0) stream.reset(random(14))
        return
      case 4:
        stream.consume(random(500))
        return
      default:
        stream.prioritize({ urgency: random(8), incremental: random(2) === 0 })
    }
  } catch (error) {
    // misuse is told to whoever misuses, and changes nothing
    if (!(error instanceof Error) || !/called|sent once/.test(error.message)) throw error
  }
}

function play(t: Test, role: 'client' | 'server', seed: number): void {
  const random = randomOf(seed)
  const where = `${role}, seed ${seed}`
  const dialogue = role === 'server' ? CoreDialogue.server() : CoreDialogue.client()
  const calls: { stream: Request['stream']; log: StreamLog }[] = []
  try {
    for (let step = 0; step < STEPS; step++) {
      if (role === 'client' && random(6) === 0) calls.push(dialogue.open())
      const acting = role === 'server' ? dialogue.requests : calls
      if (acting.length > 0 && random(2) === 0) randomAct(acting[random(acting.length)]!, random)
      else if (random(15) === 0)
        dialogue.hearOctets(Buffer.from(Array.from({ length: random(12) }, () => random(256))))
      else dialogue.hear(randomFrame(dialogue, random))
      if (random(10) === 0) dialogue.pass(random(20_000))
      if (random(3) === 0) dialogue.takeOctets()
      const wrong = invariants(dialogue)
      if (wrong !== undefined) {
        t.fail(`${where}, step ${step}: ${wrong}`)
        return
      }
    }
    dialogue.gone()
    for (const { log, stream } of role === 'server' ? dialogue.requests : calls) {
      if (!log.closed) t.fail(`${where}: stream ${stream.id} was not told its end`)
      const end = log.lines.findIndex((line) => line.startsWith('close'))
      if (end !== log.lines.length - 1) t.fail(`${where}: ${log.lines.join(' | ')}`)
    }
    if (!dialogue.events.at(-1)?.startsWith('close')) t.fail(`${where}: ${dialogue.events.join(' | ')}`)
    if (dialogue.core.nextTimeoutMs() !== Number.POSITIVE_INFINITY) t.fail(`${where}: a deadline is left`)
  } catch (error) {
    t.fail(`${where}: ${(error as Error).stack}`)
  }
}

t.test('illegal and legal, as a server', async (t) => {
  for (let seed = 1; seed <= SEEDS; seed++) play(t, 'server', seed)
  t.pass(`${SEEDS} dialogues`)
})

t.test('illegal and legal, as a client', async (t) => {
  for (let seed = 1; seed <= SEEDS; seed++) play(t, 'client', seed)
  t.pass(`${SEEDS} dialogues`)
})

t.test('random octets after the start', async (t) => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomOf(seed)
    for (const role of ['server', 'client'] as const) {
      const dialogue = role === 'server' ? CoreDialogue.server() : CoreDialogue.client()
      for (let n = 0; n < 20; n++)
        dialogue.hearOctets(Buffer.from(Array.from({ length: random(60) }, () => random(256))))
      dialogue.gone()
      if (dialogue.events.at(-1)?.startsWith('close') !== true) t.fail(`${role}, seed ${seed}`)
    }
  }
  t.pass('300 seeds')
})

t.test('valid octets with one octet changed', async (t) => {
  const source = CoreDialogue.server()
  const octets = frameOctets(
    source.headers(1, POST),
    { kind: 'DATA', streamId: 1, endStream: false, data: Buffer.alloc(20) },
    { kind: 'SETTINGS', ack: false, settings: [{ identifier: 4, value: 70_000 }] },
    source.headers(3, GET, true),
    { kind: 'WINDOW_UPDATE', streamId: 3, increment: 100 },
    source.headers(1, ['a', 'b'], true),
    { kind: 'PING', ack: false, data: Buffer.alloc(8) },
  )
  for (let at = 0; at < octets.length; at++) {
    for (const change of [1, 0x80, 0xff]) {
      const server = CoreDialogue.server()
      server.onRequest = ({ stream }) => stream.sendHeaders(OK, true)
      const mutated = Buffer.from(octets)
      mutated[at]! ^= change
      server.hearOctets(mutated)
      server.takeOctets()
      const wrong = invariants(server)
      if (wrong !== undefined) t.fail(`octet ${at} ^ ${change}: ${wrong}`)
      server.gone()
      for (const { log } of server.requests)
        if (!log.closed) t.fail(`octet ${at} ^ ${change}: a stream hangs`)
    }
  }
  t.pass(`${octets.length * 3} mutations`)
})

/** Two cores joined without anything between, driven by random commands of both applications. */
t.test('two cores: whatever both applications do, both end in the same state', async (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomOf(seed)
    const logs: StreamLog[] = []
    const received: { stream: Request['stream'] }[] = []
    const opened: { stream: Request['stream'] }[] = []
    const host = { wake() {} }
    const [client, server] = (['client', 'server'] as const).map((role) => {
      const core = new ConnectionCore(
        role,
        resolveOptions({ streamWindowOctets: 70_000 }, role),
        host,
        0,
        0.5,
      )
      core.context.connection = { role } as Http2Connection
      return core
    }) as [ConnectionCore, ConnectionCore]
    server.context.listener = {
      onOpen() {},
      onGoaway() {},
      onClose() {},
      onStream(stream) {
        const log = new StreamLog()
        log.stream = stream
        logs.push(log)
        received.push({ stream: stream as Request['stream'] })
        return log
      },
    }
    const move = (from: ConnectionCore, to: ConnectionCore) => {
      from.turn()
      const octets = Buffer.concat(from.takeOutput())
      from.outputTaken(true)
      for (let at = 0; at < octets.length; ) {
        const size = 1 + random(octets.length - at)
        to.receive(octets, 0, at, at + size)
        to.turn()
        at += size
      }
      return octets.length > 0
    }
    client.start(0)
    server.start(0)
    for (let step = 0; step < 150; step++) {
      if (random(8) === 0) {
        const log = new StreamLog()
        const stream = client.open(log)
        log.stream = stream
        logs.push(log)
        opened.push({ stream })
      }
      const acting = random(2) === 0 ? opened : received
      if (acting.length > 0) randomAct(acting[random(acting.length)]!, random)
      if (random(3) === 0) move(client, server)
      if (random(3) === 0) move(server, client)
    }
    while (move(client, server) || move(server, client)) {
      // until both are silent
    }
    if (client.life.failure !== undefined || server.life.failure !== undefined) {
      t.fail(`seed ${seed}: ${client.life.failure?.message ?? server.life.failure?.message}`)
    }
    for (const stream of client.context.streams.all()) {
      const { id } = stream
      const other = server.context.streams.get(id)
      if (other === undefined)
        t.fail(`seed ${seed}: stream ${id} is open on one side only (state ${stream.state})`)
    }
    if (server.context.streams.size !== client.context.streams.size)
      t.fail(`seed ${seed}: ${server.context.streams.size} and ${client.context.streams.size} streams`)
    const windows = [client.context.sendWindow.sizeOctets, server.context.receiveWindow.availableOctets]
    if (windows[0] !== windows[1]) t.fail(`seed ${seed}: windows ${windows.join()}`)
    const back = [server.context.sendWindow.sizeOctets, client.context.receiveWindow.availableOctets]
    if (back[0] !== back[1]) t.fail(`seed ${seed}: windows ${back.join()}`)
  }
  t.pass('60 dialogues')
})
