/** A client that faces a hostile or failing server (RELIABILITY 2.5), on both engines, by a raw peer. */
import type net from 'node:net'
import t, { type Test } from 'tap'
import type { EngineName } from '../../src/http2/transport.ts'
import { type Channel, connect, StatusError } from '../../src/rpc/index.ts'
import { collect, ENGINES, rejection } from '../rpc/support/pair.ts'
import { Text } from '../rpc/support/text-service.ts'
import { openSockets } from '../support/descriptors.ts'
import {
  dataFrame,
  END_HEADERS,
  fieldBlock,
  frame,
  goawayFrame,
  greetAsServer,
  headersFrame,
  type RawPeer,
  RawServer,
  rstFrame,
  settingsFrame,
  Type,
  u32,
} from '../support/raw-http2.ts'
import { heapOctets, settled } from './attack.ts'

const HEADERS = [':status', '200', 'content-type', 'application/grpc']

function message(text: string): Buffer {
  const body = Buffer.from(JSON.stringify({ text }))
  const octets = Buffer.alloc(5 + body.length)
  octets.writeUInt32BE(body.length, 1)
  body.copy(octets, 5)
  return octets
}

/** Metadata beyond the limit of a channel. */
const MANY = Array.from({ length: 129 }, (_, i) => [`x-${i}`, '']).flat()
const trailers = (streamId: number, ...more: string[]): Buffer =>
  headersFrame(streamId, true, 'grpc-status', '0', ...more)
const OK_TRAILERS = trailers(1)

/** A whole OK answer on a stream. */
function ok(streamId: number, text = 'x'): Buffer {
  return Buffer.concat([
    headersFrame(streamId, false, ...HEADERS),
    dataFrame(streamId, false, message(text)),
    headersFrame(streamId, true, 'grpc-status', '0'),
  ])
}

/** Tells each request (stream identifier) that comes, in order. */
async function requests(peer: RawPeer, onRequest: (streamId: number) => void): Promise<void> {
  let seen = 0
  for (;;) {
    const next = await Promise.race([
      peer.until(() => peer.frames.slice(seen).find(({ type }) => type === Type.HEADERS)),
      peer.gone().then(() => undefined),
    ])
    if (next === undefined) return
    seen = peer.frames.indexOf(next) + 1
    onRequest(next.streamId)
  }
}

/** Runs `play` with a channel to a raw server, then checks that nothing is left behind. */
async function against(
  t: Test,
  engine: EngineName,
  onPeer: (peer: RawPeer, count: number, socket: net.Socket) => void,
  play: (channel: Channel, client: ReturnType<typeof clientOf>, server: RawServer) => Promise<void>,
): Promise<void> {
  const sockets = openSockets()
  const heap = heapOctets()
  let count = 0
  const server = await RawServer.start((peer, socket) => onPeer(peer, ++count, socket))
  const { host, port } = server.address
  const channel = connect(`${host}:${port}`, {
    engine,
    initialBackoffMs: 20,
    watchdogIntervalMs: 100,
    connectTimeoutMs: 1000,
  } as never)
  await play(channel, clientOf(channel), server)
  await channel.close({ graceMs: 0 })
  await server.close()
  if (sockets !== undefined) t.ok(await settled(() => openSockets()! <= sockets), 'descriptors are back')
  for (const peer of server.peers.splice(0)) peer.frames.length = 0
  let growth = 0
  await settled(() => {
    growth = heapOctets() - heap
    return growth < 20 * 1024 * 1024
  })
  t.ok(growth < 20 * 1024 * 1024, `memory is back: ${(growth / 1048576).toFixed(1)} MiB more`)
}

function clientOf(channel: Channel) {
  return channel.client(Text)
}

async function failure(call: PromiseLike<unknown>): Promise<StatusError> {
  const error = await rejection(call)
  if (!(error instanceof StatusError)) throw error
  return error
}

/** Greets, then answers each request with `answer`. */
const each =
  (answer: (peer: RawPeer, streamId: number) => void, ...settings: [number, number][]) =>
  (peer: RawPeer): void => {
    void greetAsServer(peer, ...settings)
    void requests(peer, (streamId) => answer(peer, streamId))
  }

const DEADLINE = { deadline: 4000 }

for (const engine of ENGINES) {
  t.test(`${engine}: 61 RST_STREAM codes (gRPC PROTOCOL-HTTP2 Errors)`, (t) => {
    let code = 0
    return against(
      t,
      engine,
      each((peer, streamId) => peer.write(rstFrame(streamId, code))),
      async (_, client) => {
        for (const [rst, status] of Object.entries({
          0: 13,
          1: 13,
          2: 13,
          3: 13,
          8: 1,
          11: 8,
          12: 7,
          13: 13,
        })) {
          code = Number(rst)
          t.equal((await failure(client.one({}, DEADLINE))).code, status, `RST_STREAM ${rst}`)
        }
      },
    )
  })

  t.test(`${engine}: 61 a refused stream is tried once more`, (t) => {
    let refusals = 1
    return against(
      t,
      engine,
      each((peer, id) => peer.write(refusals-- > 0 ? rstFrame(id, 7) : ok(id))),
      async (_, client) => {
        t.same(await client.one({}, DEADLINE), { text: 'x' })
        refusals = 2
        t.match(await failure(client.one({}, DEADLINE)), { code: 14, details: 'Stream refused by server' })
      },
    )
  })

  t.test(`${engine}: 62 GOAWAY: what was not processed moves on, what was is finished`, (t) =>
    against(
      t,
      engine,
      (peer, count) => {
        void greetAsServer(peer)
        let first = 0
        void requests(peer, (id) => {
          if (count > 1) return peer.write(ok(id, 'second'))
          if (first === 0) first = id
          else peer.write(goawayFrame(first, 0), ok(first, 'first'))
        })
      },
      async (_, client) => {
        const both = [client.one({}, DEADLINE), client.one({}, DEADLINE)]
        t.same(await Promise.all(both), [{ text: 'first' }, { text: 'second' }])
      },
    ),
  )

  t.test(`${engine}: 63 GOAWAY with too_many_pings is UNAVAILABLE`, (t) =>
    against(
      t,
      engine,
      each((peer, id) => {
        peer.write(headersFrame(id, false, ...HEADERS), goawayFrame(id, 11, 'too_many_pings'))
        peer.socket.end()
      }),
      async (_, client) => {
        const error = await failure(client.one({}, DEADLINE))
        t.match(error, { code: 14, details: /too_many_pings|ENHANCE_YOUR_CALM/ })
      },
    ),
  )

  t.test(
    `${engine}: 64 GOAWAY on every connection ends in UNAVAILABLE or the deadline, without a tight loop`,
    (t) => {
      let connections = 0
      return against(
        t,
        engine,
        (peer, count) => {
          connections = count
          void greetAsServer(peer)
          void requests(peer, () => {
            peer.write(goawayFrame(0, 0))
            peer.socket.end()
          })
        },
        async (_, client) => {
          const error = await failure(client.one({}, { deadline: 500 }))
          t.ok([4, 14].includes(error.code), error.message)
          t.ok(connections < 30, `${connections} connections in half a second`)
        },
      )
    },
  )

  t.test(`${engine}: 65 the connection is cut in the middle of a message`, (t) =>
    against(
      t,
      engine,
      each((peer, id) => {
        peer.write(headersFrame(id, false, ...HEADERS), dataFrame(id, false, message('x').subarray(0, 7)))
        setTimeout(() => peer.socket.destroy(), 20)
      }),
      async (_, client) => {
        t.match(await failure(client.one({}, DEADLINE)), {
          code: 14,
          details: /^Connection dropped/,
          phase: 'messages',
        })
        t.match(await failure(collect(client.many({}, DEADLINE))), { code: 14 })
      },
    ),
  )

  t.test(`${engine}: 66 a server that never speaks`, (t) =>
    against(
      t,
      engine,
      () => {},
      async (channel, client) => {
        t.match(await failure(client.one({}, { deadline: 100 })), {
          code: 4,
          details: /waiting for a connection/,
        })
        const error = await failure(client.one({}))
        t.match(error, { code: 14, phase: 'settings', details: /No connection established.*127\.0\.0\.1/ })
        t.equal(channel.state, 'TRANSIENT_FAILURE')
      },
    ),
  )

  t.test(`${engine}: 67 SETTINGS_MAX_CONCURRENT_STREAMS of 1 and 0: calls wait for their turn`, (t) => {
    let open = 0
    let most = 0
    return against(
      t,
      engine,
      (peer) => {
        void greetAsServer(peer, [3, 0])
        setTimeout(() => peer.write(settingsFrame([3, 1])), 50)
        void requests(peer, (id) => {
          most = Math.max(most, ++open)
          setTimeout(() => {
            open--
            peer.write(ok(id))
          }, 5)
        })
      },
      async (_, client) => {
        const calls = Array.from({ length: 10 }, () => client.one({}, DEADLINE))
        t.equal((await Promise.all(calls)).length, 10)
        t.equal(most, 1)
      },
    )
  })

  for (const [name, octets] of [
    ['WINDOW_UPDATE of length 0', () => frame(Type.WINDOW_UPDATE, 0, 0)],
    ['DATA on an idle stream', () => dataFrame(101, true, 'x')],
    ['DATA before HEADERS', (id: number) => dataFrame(id, false, 'x')],
    [
      'an invalid HPACK index',
      (id: number) => frame(Type.HEADERS, END_HEADERS, id, Buffer.from([0xff, 0xff, 0x03])),
    ],
    ['SETTINGS with a length of 5', () => frame(Type.SETTINGS, 0, 0, Buffer.alloc(5))],
    ['72 SETTINGS_INITIAL_WINDOW_SIZE of 2^31', () => settingsFrame([4, 0x80000000])],
    ['72 SETTINGS_MAX_FRAME_SIZE of 1', () => settingsFrame([5, 1])],
    [
      '70 PUSH_PROMISE although push is disabled',
      (id: number) =>
        frame(Type.PUSH_PROMISE, END_HEADERS, id, Buffer.concat([u32(2), fieldBlock(':method', 'GET')])),
    ],
    [
      '74 more DATA than the window',
      (id: number) =>
        Buffer.concat([
          headersFrame(id, false, ...HEADERS),
          ...Array.from({ length: 600 }, () => dataFrame(id, false, Buffer.alloc(16_384))),
        ]),
    ],
    [
      'headers of 1 MiB',
      (id: number) =>
        Buffer.concat([
          frame(Type.HEADERS, 0, id, fieldBlock(...HEADERS)),
          ...Array.from({ length: 70 }, (_, i) =>
            frame(
              Type.CONTINUATION,
              i === 69 ? END_HEADERS : 0,
              id,
              fieldBlock(`x-${i}`, 'v'.repeat(15_000)),
            ),
          ),
        ]),
    ],
    [
      '69 CONTINUATION flood',
      (id: number) =>
        Buffer.concat([
          frame(Type.HEADERS, 0, id, fieldBlock(...HEADERS)),
          ...Array.from({ length: 3000 }, () => frame(Type.CONTINUATION, 0, id)),
        ]),
    ],
  ] as const) {
    t.test(`${engine}: 68 ${name} ends the call at once, and the next one connects anew`, (t) => {
      let illegal = true
      return against(
        t,
        engine,
        each((peer, id) => {
          peer.write(illegal ? octets(id) : ok(id))
          illegal = false
        }),
        async (_, client) => {
          const start = Date.now()
          const error = await failure(client.one({}, DEADLINE))
          t.ok([13, 14, 8].includes(error.code), error.message)
          t.ok(Date.now() - start < 3000, 'long before the deadline')
          t.same(await client.one({}, { ...DEADLINE, waitForReady: true }), { text: 'x' })
        },
      )
    })
  }

  for (const [name, octets] of [
    ['headers', (id: number) => headersFrame(id, false, ...HEADERS, ...MANY)],
    [
      'trailers',
      (id: number) => Buffer.concat([ok(id).subarray(0, -OK_TRAILERS.length), trailers(id, ...MANY)]),
    ],
    ['Trailers-Only', (id: number) => headersFrame(id, true, ...HEADERS, 'grpc-status', '0', ...MANY)],
  ] as const) {
    t.test(`${engine}: 17 129 metadata entries in ${name} end the call alone`, (t) => {
      let greedy = true
      const resets: number[] = []
      return against(
        t,
        engine,
        each((peer, id) => {
          peer.write(greedy ? octets(id) : ok(id))
          resets.push(
            ...peer.frames.filter(({ type }) => type === Type.RST_STREAM).map(({ streamId }) => streamId),
          )
        }),
        async (_, client, server) => {
          const details = new RegExp(`^Received 129 metadata entries in .*${name}.* from 127`, 'i')
          t.match(await failure(client.one({}, DEADLINE)), { code: 8, details })
          t.match(await failure(collect(client.many({}, DEADLINE))), { code: 8, details })
          const chat = client.chat(DEADLINE)
          t.match(await failure(collect(chat)), { code: 8, details })
          greedy = false
          t.same(await client.one({}, DEADLINE), { text: 'x' })
          t.equal(server.peers.length, 1, 'on the same connection')
          t.ok(resets.includes(5), 'the stream that both could still write on was reset')
        },
      )
    })
  }

  for (const [name, octets, count] of [
    ['PING', frame(Type.PING, 0, 0, Buffer.alloc(8)), 100_000],
    ['SETTINGS', settingsFrame(), 100_000],
    ['empty DATA', dataFrame(1, false, ''), 100_000],
  ] as const) {
    t.test(`${engine}: 69 ${name} flood from the server`, (t) =>
      against(
        t,
        engine,
        each((peer, id) => {
          peer.write(headersFrame(id, false, ...HEADERS))
          const batch = Buffer.concat(Array.from({ length: 1000 }, () => octets))
          let left = count / 1000
          const pour = (): void => {
            while (left-- > 0 && !peer.closed)
              if (!peer.socket.write(batch)) return void peer.socket.once('drain', pour)
            peer.socket.end()
          }
          pour()
        }),
        async (_, client) => {
          t.ok([13, 14, 8].includes((await failure(client.one({}, { deadline: 20_000 }))).code))
        },
      ),
    )
  }

  t.test(`${engine}: 71 informational headers are passed over, a flood of them is ended`, (t) => {
    let informational = 3
    return against(
      t,
      engine,
      each((peer, id) => {
        peer.write(
          Buffer.concat(
            Array.from({ length: informational }, () => headersFrame(id, false, ':status', '103')),
          ),
          ok(id),
        )
      }),
      async (_, client) => {
        t.same(await client.one({}, DEADLINE), { text: 'x' })
        informational = 10_000
        const { code } = await client.one({}, DEADLINE).status
        t.ok(engine === 'node' || code === 13 || code === 14 || code === 8, `10 000 of them: ${code}`)
      },
    )
  })

  t.test(`${engine}: 73 padded DATA counts with its padding, and works`, (t) =>
    against(
      t,
      engine,
      each((peer, id) => {
        const body = message('p'.repeat(5000))
        const pieces = [headersFrame(id, false, ...HEADERS)]
        for (let at = 0; at < body.length; at += 5) {
          const piece = body.subarray(at, at + 5)
          pieces.push(
            frame(Type.DATA, 0x8, id, Buffer.concat([Buffer.from([255]), piece, Buffer.alloc(255)])),
          )
        }
        pieces.push(headersFrame(id, true, 'grpc-status', '0'))
        peer.write(...pieces)
      }),
      async (_, client) => {
        for (let i = 0; i < 5; i++) t.equal((await client.one({}, DEADLINE)).text.length, 5000)
      },
    ),
  )
}
