/** Attacks on the core, without a socket (RFC 9113 §10.5): each ends the connection, with its reason. */
import t from 'tap'
import { SettingId } from '../../../src/wire/frame/settings.ts'
import {
  CoreDialogue,
  data,
  GET,
  OK,
  POST,
  ping,
  reset,
  settings,
  windowUpdate,
} from './support/core-dialogue.ts'

interface Attack {
  name: string
  /** One round; `n` counts from 0. */
  round(server: CoreDialogue, n: number): void
  /** How many rounds the connection must take, and within how many it must end. */
  atLeast: number
  within: number
  says: RegExp
  options?: Parameters<typeof CoreDialogue.server>[0]
}

const id = (n: number) => 2 * n + 1

const ATTACKS: Attack[] = [
  {
    name: 'rapid reset (CVE-2023-44487)',
    round: (s, n) => s.hear(s.headers(id(n), GET, true), reset(id(n))),
    atLeast: 1000,
    within: 1001,
    says: /ENHANCE_YOUR_CALM.*reset right after they were opened.*rapidResets/,
  },
  {
    name: 'slower resets, with a thousand handlers started each second',
    round: (s, n) => {
      s.hear(s.headers(id(n), GET, true))
      s.nowMs += 1
      s.hear(reset(id(n)))
    },
    atLeast: 10_000,
    within: 10_001,
    says: /ENHANCE_YOUR_CALM.*before they were answered.*resets/,
    options: { budgets: { resets: { burst: 10_000, perSecond: 0 } } },
  },
  {
    name: 'made you reset (CVE-2025-8671): WINDOW_UPDATE 0',
    round: (s, n) => s.hear(s.headers(id(n), GET, true), windowUpdate(id(n), 0)),
    atLeast: 1000,
    within: 1001,
    says: /ENHANCE_YOUR_CALM.*had to be reset or refused.*increment 0/,
  },
  {
    name: 'made you reset: DATA after END_STREAM',
    round: (s, n) => s.hear(s.headers(id(n), GET, true), data(id(n), 1)),
    atLeast: 1000,
    within: 1001,
    says: /ENHANCE_YOUR_CALM.*had to be reset.*halfClosedRemote/,
  },
  {
    name: 'made you reset: window overflow',
    round: (s, n) => s.hear(s.headers(id(n), GET, true), windowUpdate(id(n), 0x7fffffff)),
    atLeast: 1000,
    within: 1001,
    says: /ENHANCE_YOUR_CALM.*had to be reset/,
  },
  {
    name: 'malformed requests without end',
    round: (s, n) => s.hear(s.headers(id(n), [':method', 'GET'], true)),
    atLeast: 1000,
    within: 1001,
    says: /ENHANCE_YOUR_CALM.*had to be reset or refused.*malformed request/,
  },
  {
    name: 'streams above the limit without end',
    round: (s, n) => s.hear(s.headers(id(n), POST)),
    atLeast: 1256,
    within: 1257,
    says: /ENHANCE_YOUR_CALM.*SETTINGS_MAX_CONCURRENT_STREAMS/,
  },
  {
    name: 'CONTINUATION flood (CVE-2024-27983): frames',
    round: (s, n) =>
      n === 0
        ? s.hear({
            kind: 'HEADERS',
            streamId: 1,
            endStream: false,
            endHeaders: false,
            fragment: Buffer.from([0x82]),
          })
        : s.hear({ kind: 'CONTINUATION', streamId: 1, endHeaders: false, fragment: Buffer.from([0x84]) }),
    atLeast: 33,
    within: 34,
    says: /ENHANCE_YOUR_CALM.*more than 32 CONTINUATION frames/,
  },
  {
    name: 'CONTINUATION flood: octets',
    round: (s, n) =>
      n === 0
        ? s.hear({
            kind: 'HEADERS',
            streamId: 1,
            endStream: false,
            endHeaders: false,
            fragment: Buffer.alloc(16_000),
          })
        : s.hear({ kind: 'CONTINUATION', streamId: 1, endHeaders: false, fragment: Buffer.alloc(16_000) }),
    atLeast: 16,
    within: 17,
    says: /ENHANCE_YOUR_CALM.*field block of more than 262144 octets/,
  },
  {
    name: 'empty CONTINUATION flood (CVE-2019-9518)',
    round: (s, n) =>
      n === 0
        ? s.hear({
            kind: 'HEADERS',
            streamId: 1,
            endStream: false,
            endHeaders: false,
            fragment: Buffer.alloc(0),
          })
        : s.hear({ kind: 'CONTINUATION', streamId: 1, endHeaders: false, fragment: Buffer.alloc(0) }),
    atLeast: 500,
    within: 501,
    says: /ENHANCE_YOUR_CALM.*empty frames/,
    options: {
      maxContinuations: Number.POSITIVE_INFINITY,
      budgets: { emptyFrames: { burst: 500, perSecond: 0 } },
    },
  },
  {
    name: 'PING flood (CVE-2019-9512)',
    round: (s) => s.hear(ping()),
    atLeast: 1000,
    within: 1001,
    says: /ENHANCE_YOUR_CALM.*PING frames/,
  },
  {
    name: 'SETTINGS flood (CVE-2019-9515)',
    round: (s) => s.hear(settings()),
    atLeast: 99,
    within: 100,
    says: /ENHANCE_YOUR_CALM.*SETTINGS frames/,
  },
  {
    name: 'a SETTINGS frame of many entries',
    round: (s) => s.hear(settings(Array.from({ length: 33 }, () => [0xff, 1] as [number, number]))),
    atLeast: 0,
    within: 1,
    says: /ENHANCE_YOUR_CALM.*more than 32 entries/,
  },
  {
    name: 'HPACK table size churn by SETTINGS',
    round: (s, n) => s.hear(settings([[SettingId.HEADER_TABLE_SIZE, n % 2 === 0 ? 0 : 4096]])),
    atLeast: 99,
    within: 100,
    says: /ENHANCE_YOUR_CALM.*SETTINGS frames/,
  },
  {
    name: 'HPACK table size churn by field blocks (RFC 7541 §4.2)',
    round: (s, n) => {
      s.onRequest = ({ stream }) => stream.sendHeaders(OK, true)
      // size 0, size 4096, GET http /
      const fragment = Buffer.from([0x20, 0x3f, 0xe1, 0x1f, 0x82, 0x86, 0x84])
      s.hear({ kind: 'HEADERS', streamId: id(n), endStream: true, endHeaders: true, fragment })
    },
    atLeast: 100,
    within: 101,
    says: /ENHANCE_YOUR_CALM.*HPACK table size updates/,
  },
  {
    name: 'empty DATA flood (CVE-2019-9518)',
    round: (s, n) => s.hear(...(n === 0 ? [s.headers(1, POST)] : []), data(1, 0)),
    atLeast: 1000,
    within: 1001,
    says: /ENHANCE_YOUR_CALM.*empty frames/,
  },
  {
    name: '1-octet DATA dribble',
    round: (s, n) => s.hear(...(n === 0 ? [s.headers(1, POST)] : []), data(1, 1)),
    atLeast: 10_000,
    within: 10_001,
    says: /ENHANCE_YOUR_CALM.*DATA frames of at most 4 octets/,
  },
  {
    name: 'WINDOW_UPDATE flood (CVE-2019-9511)',
    round: (s) => s.hear(windowUpdate(0, 1)),
    atLeast: 10_000,
    within: 10_001,
    says: /ENHANCE_YOUR_CALM.*WINDOW_UPDATE frames/,
  },
  {
    name: 'PRIORITY flood (CVE-2019-9513)',
    round: (s) => s.hear({ kind: 'PRIORITY', streamId: 3, dependency: 1, weight: 5, exclusive: true }),
    atLeast: 1000,
    within: 1001,
    says: /ENHANCE_YOUR_CALM.*PRIORITY frames/,
  },
  {
    name: 'PRIORITY_UPDATE flood (RFC 9218)',
    round: (s, n) => s.hear({ kind: 'PRIORITY_UPDATE', prioritizedStreamId: id(n), value: 'u=1' }),
    atLeast: 1000,
    within: 1001,
    says: /ENHANCE_YOUR_CALM.*PRIORITY frames/,
  },
  {
    name: 'frames of unknown type without end',
    round: (s) => s.hear({ kind: 'IGNORED', type: 0xbb, flags: 0, streamId: 0, payload: new Uint8Array(3) }),
    atLeast: 10_000,
    within: 10_001,
    says: /ENHANCE_YOUR_CALM.*frames of unknown type/,
  },
]

for (const { name, round, atLeast, within, says, options } of ATTACKS) {
  t.test(name, async (t) => {
    const server = CoreDialogue.server(options)
    let rounds = 0
    let sent = 0
    let end = 'no GOAWAY'
    while (rounds <= within && !server.core.finished) {
      round(server, rounds)
      if (server.core.finished) end = server.goaway()
      else sent += server.takeOctets().length
      rounds++
    }
    t.ok(rounds > atLeast && rounds <= Math.max(within, atLeast + 1), `ended in round ${rounds}`)
    t.match(end, says)
    t.equal(server.core.context.streams.size, 0, 'no stream is left')
    t.ok(sent < 1_000_000, 'answers stay small')
    server.gone()
    t.match(server.closeError, { name: 'ConnectionError' })
    for (const { log } of server.requests) if (!log.closed) t.fail('a stream was not told its end')
  })
}

t.test(
  'a header list above the limit is refused, and the connection goes on (RFC 9113 §10.5.1)',
  async (t) => {
    const server = CoreDialogue.server({ maxHeaderListSizeOctets: 1000 })
    server.hear(server.headers(1, [...GET, 'x', 'y'.repeat(900)], true))
    t.strictSame(server.said(), ['RST_STREAM stream 1 ENHANCE_YOUR_CALM'])
    t.equal(server.requests.length, 0)
    server.hear(server.headers(3, GET, true))
    t.equal(server.requests.length, 1, 'HPACK is in step')
    server.hear(server.headers(5, POST), server.headers(5, ['x', 'z'.repeat(1000)], true))
    t.strictSame(server.said(), ['RST_STREAM stream 5 ENHANCE_YOUR_CALM'])
    t.match(server.requests[1]!.log.error?.message, /header list of \d+ octets, allowed are 1000/)
  },
)

t.test('a HPACK bomb: an index of a large entry, many times, makes no large list', async (t) => {
  const server = CoreDialogue.server()
  const bomb = Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f, 0x9d, 0x1e]), Buffer.alloc(3996, 0x62)])
  const repeats = Buffer.alloc(10_000, 0xbe)
  server.hear({
    kind: 'HEADERS',
    streamId: 1,
    endStream: true,
    endHeaders: true,
    fragment: Buffer.concat([bomb, repeats]),
  })
  t.strictSame(server.said(), ['RST_STREAM stream 1 ENHANCE_YOUR_CALM'])
  t.equal(server.requests.length, 0)
})

t.test('1-octet credits do not cost a frame each (CVE-2019-9511)', async (t) => {
  const server = CoreDialogue.server({}, [[SettingId.INITIAL_WINDOW_SIZE, 0]])
  server.hear(server.headers(1, GET, true))
  const { stream } = server.requests[0]!
  stream.sendHeaders(OK, false)
  stream.sendData(Buffer.alloc(50_000), true)
  server.said()
  server.hear(...Array.from({ length: 5000 }, () => windowUpdate(1, 1)))
  t.strictSame(server.said(), ['DATA stream 1 5000 octets'])
})

t.test('a well-behaved heavy user is never cut: 10000 calls a second, every third cancelled', async (t) => {
  const server = CoreDialogue.server()
  server.onRequest = ({ stream }) => {
    if (stream.id % 3 === 0) return
    stream.sendHeaders(OK, false)
    stream.sendData(Buffer.alloc(30), false)
    stream.sendTrailers(['grpc-status', '0'])
  }
  for (let n = 0; n < 30_000; n++) {
    const streamId = id(n)
    server.hear(server.headers(streamId, POST), data(streamId, 20, true))
    if (streamId % 3 === 0) server.hear(reset(streamId))
    if (n % 10 === 0) server.hear(windowUpdate(0, 300), ping())
    server.nowMs += 0.1
    server.takeOctets()
  }
  t.equal(server.core.finished, false)
  t.equal(server.core.context.streams.size, 0)
  t.equal(server.requests.length, 30_000)
})

t.test('a client may cancel thousands of calls that lived a little', async (t) => {
  const server = CoreDialogue.server()
  for (let n = 0; n < 50; n++) {
    for (let m = 0; m < 200; m++) server.hear(server.headers(id(n * 200 + m), GET, true))
    server.nowMs += 5
    for (let m = 0; m < 200; m++) server.hear(reset(id(n * 200 + m)))
    server.takeOctets()
  }
  t.equal(server.core.finished, false)
})

t.test('a client is no less careful with its server', async (t) => {
  const floods: [string, (c: CoreDialogue) => void, RegExp][] = [
    ['PING', (c) => c.hear(ping()), /PING frames/],
    ['SETTINGS', (c) => c.hear(settings()), /SETTINGS frames/],
    ['empty DATA', (c) => c.hear(data(1, 0)), /empty frames/],
    ['WINDOW_UPDATE', (c) => c.hear(windowUpdate(1, 1)), /WINDOW_UPDATE frames/],
    [
      'unknown',
      (c) => c.hear({ kind: 'IGNORED', type: 99, flags: 0, streamId: 1, payload: new Uint8Array(0) }),
      /unknown type/,
    ],
  ]
  for (const [name, act, says] of floods) {
    const client = CoreDialogue.client()
    const { stream, log } = client.open()
    stream.sendHeaders(GET, true)
    client.hear(client.headers(1, OK))
    client.said()
    let end = ''
    for (let n = 0; n < 10_100 && !client.core.finished; n++) {
      act(client)
      if (client.core.finished) end = client.goaway()
      else client.takeOctets()
    }
    t.match(end, says, name)
    t.equal(log.closed, true)
  }
})
