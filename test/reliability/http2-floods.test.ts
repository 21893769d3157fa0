/** Floods and resource attacks on the server (RELIABILITY 2.1), on both engines, by a raw peer. */
import net from 'node:net'
import t from 'tap'
import { ENGINES } from '../rpc/support/pair.ts'
import {
  dataFrame,
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frame,
  headersFrame,
  type RawPeer,
  rstFrame,
  settingsFrame,
  Type,
  u32,
} from '../support/raw-http2.ts'
import { attack, settled, type Target } from './attack.ts'

const POST = [
  ':method',
  'POST',
  ':scheme',
  'http',
  ':authority',
  'a',
  'content-type',
  'application/grpc',
  'te',
  'trailers',
]
const request = (method = 'One'): string[] => [
  ...POST.slice(0, 4),
  ':path',
  `/test.Text/${method}`,
  ...POST.slice(4),
]
const message = (text: string): Buffer => {
  const body = Buffer.from(JSON.stringify({ text }))
  const octets = Buffer.alloc(5 + body.length)
  octets.writeUInt32BE(body.length, 1)
  body.copy(octets, 5)
  return octets
}

/** The code of the GOAWAY that ended the connection, or undefined if it just closed. */
async function ending(peer: RawPeer): Promise<number | undefined> {
  await peer.gone()
  return peer.frames.findLast((each) => each.type === Type.GOAWAY)?.payload.readUInt32BE(4)
}

/** Writes in pieces until done or the other side is gone, with its back-pressure. */
async function pour(peer: RawPeer, count: number, piece: (i: number) => Buffer): Promise<void> {
  const batch: Buffer[] = []
  for (let i = 0; i < count && !peer.closed && !peer.ended; i++) {
    batch.push(piece(i))
    if (batch.length === 100 || i === count - 1) {
      const room = peer.socket.write(Buffer.concat(batch.splice(0)))
      if (!room)
        await Promise.race([new Promise((resolve) => peer.socket.once('drain', resolve)), peer.gone()])
      else await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

const ENHANCE_YOUR_CALM = 0xb

/** Floods that end their connection; each engine has its own budget, and node:http2 its own codes. */
const ENDED: readonly {
  name: string
  play: (peer: RawPeer) => Promise<void>
  codes: readonly (number | undefined)[]
}[] = [
  {
    name: '1 rapid reset, CVE-2023-44487',
    play: (peer) =>
      pour(peer, 20_000, (i) =>
        Buffer.concat([headersFrame(1 + i * 2, false, ...request()), rstFrame(1 + i * 2, 8)]),
      ),
    codes: [ENHANCE_YOUR_CALM, 2, 1],
  },
  {
    name: '2 resets that we are made to send, CVE-2025-8671',
    play: (peer) =>
      pour(peer, 5000, (i) =>
        Buffer.concat([
          headersFrame(1 + i * 2, false, ...request()),
          frame(Type.WINDOW_UPDATE, 0, 1 + i * 2, u32(0)),
        ]),
      ),
    codes: [ENHANCE_YOUR_CALM, 1, 2, undefined],
  },
  {
    name: '3 CONTINUATION flood, CVE-2024-27983',
    play: async (peer) => {
      peer.write(frame(Type.HEADERS, 0, 1, fieldBlock(...request())))
      await pour(peer, 2000, (i) => frame(Type.CONTINUATION, 0, 1, fieldBlock(`x-${i}`, 'v'.repeat(1000))))
    },
    codes: [ENHANCE_YOUR_CALM, 2, 1],
  },
  {
    name: '4 empty CONTINUATION flood',
    play: async (peer) => {
      peer.write(frame(Type.HEADERS, 0, 1, fieldBlock(...request())))
      await pour(peer, 50_000, () => frame(Type.CONTINUATION, 0, 1))
    },
    codes: [ENHANCE_YOUR_CALM, 2, 1],
  },
  {
    name: '6 ping flood without reading, CVE-2019-9512',
    play: async (peer) => {
      peer.socket.pause()
      await pour(peer, 200_000, () => frame(Type.PING, 0, 0, Buffer.alloc(8)))
      peer.socket.resume()
    },
    codes: [ENHANCE_YOUR_CALM, 2, undefined],
  },
  {
    name: '8 reset flood without reading, CVE-2019-9514',
    play: async (peer) => {
      peer.socket.pause()
      // each is malformed: no :path
      await pour(peer, 50_000, (i) => headersFrame(1 + i * 2, false, ':method', 'POST', ':scheme', 'http'))
      peer.socket.resume()
    },
    codes: [ENHANCE_YOUR_CALM, 1, 2, undefined],
  },
  {
    name: '9 SETTINGS flood, CVE-2019-9515',
    play: async (peer) => {
      peer.socket.pause()
      await pour(peer, 200_000, () => settingsFrame())
      peer.socket.resume()
    },
    codes: [ENHANCE_YOUR_CALM, 2, undefined],
  },
  {
    name: '12 empty DATA flood, CVE-2019-9518',
    play: async (peer) => {
      peer.write(headersFrame(1, false, ...request('Gather')))
      await pour(peer, 100_000, () => dataFrame(1, false, ''))
    },
    codes: [ENHANCE_YOUR_CALM, 2, undefined],
  },
  {
    name: '16 HPACK: index out of range',
    play: async (peer) =>
      peer.write(frame(Type.HEADERS, END_HEADERS | END_STREAM, 1, Buffer.from([0xff, 0xff, 0xff, 0x03]))),
    codes: [9],
  },
  {
    name: '16 HPACK: over-long integer, CVE-2023-33953',
    play: async (peer) =>
      peer.write(
        frame(
          Type.HEADERS,
          END_HEADERS | END_STREAM,
          1,
          Buffer.concat([Buffer.from([0xff]), Buffer.alloc(40, 0x80)]),
        ),
      ),
    codes: [9],
  },
  {
    name: '16 HPACK: Huffman padding that is no part of EOS (RFC 7541 §5.2)',
    play: async (peer) =>
      peer.write(
        frame(Type.HEADERS, END_HEADERS | END_STREAM, 1, Buffer.from([0x00, 0x81, 0x00, 0x81, 0x00])),
      ),
    codes: [9],
  },
  {
    name: '16 HPACK: table size update above the limit',
    play: async (peer) =>
      peer.write(frame(Type.HEADERS, END_HEADERS | END_STREAM, 1, Buffer.from([0x3f, 0xe1, 0xff, 0x03]))),
    codes: [9],
  },
  {
    name: '18 window overflow of the connection',
    play: async (peer) =>
      peer.write(
        frame(Type.WINDOW_UPDATE, 0, 0, u32(0x7fffffff)),
        frame(Type.WINDOW_UPDATE, 0, 0, u32(0x7fffffff)),
      ),
    codes: [3, 2],
  },
  {
    name: '20 WINDOW_UPDATE of length 0',
    play: async (peer) => peer.write(frame(Type.WINDOW_UPDATE, 0, 0)),
    codes: [6, undefined],
  },
  {
    name: '20 DATA on an idle stream',
    play: async (peer) => peer.write(dataFrame(5, true, 'x')),
    codes: [1, undefined],
  },
  {
    name: '20 a frame above SETTINGS_MAX_FRAME_SIZE',
    play: async (peer) => peer.write(frame(Type.DATA, 0, 1, Buffer.alloc(16_385))),
    codes: [6, 1, 2, undefined],
  },
  {
    name: '36 PUSH_PROMISE from a client',
    play: async (peer) => {
      peer.write(
        headersFrame(1, false, ...request()),
        frame(Type.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([u32(2), fieldBlock(...request())])),
      )
    },
    codes: [1, 2],
  },
]

for (const engine of ENGINES) {
  for (const { name, play, codes } of ENDED) {
    t.test(`${engine}: ${name}`, (t) =>
      attack(t, engine, async ({ raw, running }) => {
        const peer = await raw()
        await play(peer)
        const code = await ending(peer)
        t.ok(codes.includes(code), `the connection ended with ${code}, expected ${codes}`)
        t.ok(await settled(() => running() === 0), 'handlers were told')
      }),
    )
  }

  t.test(`${engine}: 5 data dribble, CVE-2019-9511: credit of one octet at a time`, (t) =>
    attack(t, engine, async ({ raw }) => {
      const peer = await raw()
      peer.write(
        settingsFrame([4, 0]),
        headersFrame(1, false, ...request()),
        dataFrame(1, true, message('x'.repeat(5000))),
      )
      await pour(peer, 5100, () => frame(Type.WINDOW_UPDATE, 0, 1, u32(1)))
      const whole = peer.until(() => {
        const octets = peer.frames
          .filter(({ type }) => type === Type.DATA)
          .reduce((sum, { payload }) => sum + payload.length, 0)
        return octets >= 5000 ? octets : undefined
      })
      await Promise.race([whole, peer.gone()])
      t.pass('answered, or refused as abuse')
    }),
  )

  t.test(`${engine}: 7 PRIORITY flood, CVE-2019-9513, is ignored or ended`, (t) =>
    attack(t, engine, async ({ raw }) => {
      const peer = await raw()
      await pour(peer, 100_000, (i) =>
        frame(Type.PRIORITY, 0, 1 + (i % 1000) * 2, Buffer.concat([u32(0), Buffer.from([15])])),
      )
    }),
  )

  t.test(`${engine}: 10 empty header names, CVE-2019-9516`, (t) =>
    attack(t, engine, async ({ raw }) => {
      const peer = await raw()
      const block = Buffer.concat([fieldBlock(...request()), Buffer.alloc(16_000 - 160)])
      peer.write(frame(Type.HEADERS, END_HEADERS | END_STREAM, 1, block))
      await Promise.race([
        peer.frame(Type.RST_STREAM),
        peer.frame(Type.HEADERS),
        peer.gone(),
        new Promise((resolve) => setTimeout(resolve, 500)),
      ])
    }),
  )

  t.test(`${engine}: 11, 13 replies that nobody reads are bounded`, (t) => {
    let made = 0
    return attack(
      t,
      engine,
      async ({ raw }) => {
        const peer = await raw()
        peer.write(settingsFrame([4, 0x7fffffff]), frame(Type.WINDOW_UPDATE, 0, 0, u32(0x7fff0000 - 65_535)))
        peer.socket.pause()
        for (let i = 0; i < 50; i++) {
          peer.write(
            headersFrame(1 + i * 2, false, ...request('Many')),
            dataFrame(1 + i * 2, true, message('x')),
          )
        }
        await new Promise((resolve) => setTimeout(resolve, 400))
        t.ok(made < 50 * 40, `a polite handler made ${made} messages of 64 KiB for 50 stalled streams`)
      },
      {
        handlers: {
          many: async function* () {
            const text = 'x'.repeat(65_536)
            for (;;) {
              made++
              yield { text }
            }
          },
        },
      },
    )
  })

  t.test(`${engine}: 15 HPACK bomb: one large entry, again and again`, (t) =>
    attack(t, engine, async ({ raw }) => {
      const peer = await raw()
      // Literal with incremental indexing of a 4000-octet value, then a block of nothing but references to it.
      const large = Buffer.concat([
        Buffer.from([0x40, 1]),
        Buffer.from('a'),
        Buffer.from([0x7f, 0xa1, 0x1e]),
        Buffer.alloc(127 + 0x21 + (0x1e << 7), 0x62),
      ])
      peer.write(
        frame(Type.HEADERS, END_HEADERS | END_STREAM, 1, Buffer.concat([fieldBlock(...request()), large])),
      )
      for (let i = 1; i < 50 && !peer.closed; i++) {
        peer.write(
          frame(
            Type.HEADERS,
            END_HEADERS | END_STREAM,
            1 + i * 2,
            Buffer.concat([fieldBlock(...request()), Buffer.alloc(12_000, 0xbe)]),
          ),
        )
      }
      await Promise.race([
        peer.until(() =>
          peer.frames.filter(({ type }) => type === Type.RST_STREAM || type === Type.HEADERS).length >= 49
            ? true
            : undefined,
        ),
        peer.gone(),
      ])
      t.equal(
        peer.frames.some(
          (each) => each.type === Type.HEADERS && each.streamId > 1 && each.payload.includes(0x88),
        ),
        false,
        'no bomb is answered with 200',
      )
    }),
  )

  t.test(`${engine}: 17 a header list above what is advertised`, (t) =>
    attack(t, engine, async ({ raw }) => {
      const peer = await raw()
      const settings = await peer.frame(Type.SETTINGS)
      const entries = new Map<number, number>()
      for (let i = 0; i < settings.payload.length; i += 6)
        entries.set(settings.payload.readUInt16BE(i), settings.payload.readUInt32BE(i + 2))
      t.equal(entries.get(6), 16_384, 'SETTINGS_MAX_HEADER_LIST_SIZE is advertised')
      t.equal(entries.get(3), 256, 'SETTINGS_MAX_CONCURRENT_STREAMS is advertised')
      const fields = Array.from({ length: 40 }, (_, i) => [`x-${i}`, 'v'.repeat(500)]).flat()
      const block = fieldBlock(...request(), ...fields)
      peer.write(
        frame(Type.HEADERS, END_STREAM, 1, block.subarray(0, 16_000)),
        frame(Type.CONTINUATION, END_HEADERS, 1, block.subarray(16_000)),
      )
      await Promise.race([peer.frame(Type.RST_STREAM, 1), peer.frame(Type.HEADERS, 1), peer.gone()])
      const answer = peer.frames.find((each) => each.streamId === 1)
      t.notOk(answer?.type === Type.HEADERS && answer.payload[0] === 0x88, 'it is not served')
    }),
  )

  t.test(`${engine}: 18, 19 stream errors of flow control leave the connection (RFC 9113 §6.9)`, (t) =>
    attack(t, engine, async ({ raw }) => {
      for (const increment of [0, 0x7fffffff]) {
        const peer = await raw()
        peer.write(headersFrame(1, false, ...request()), frame(Type.WINDOW_UPDATE, 0, 1, u32(increment)))
        await Promise.race([peer.frame(Type.RST_STREAM, 1), peer.gone()])
        if (engine === 'pure') {
          t.equal((await peer.frame(Type.RST_STREAM, 1)).payload.readUInt32BE(), increment === 0 ? 1 : 3)
          peer.write(headersFrame(3, false, ...request()), dataFrame(3, true, message('x')))
          t.ok(await peer.frame(Type.HEADERS, 3), 'the connection goes on')
        }
      }
    }),
  )

  t.test(`${engine}: 21, 22 slow preface and slow headers are given up`, (t) =>
    attack(
      t,
      engine,
      async ({ raw, address }) => {
        const silent = await raw(false)
        const half = await raw(false)
        half.socket.write('PRI * HT')
        const tls = net.connect(address)
        await Promise.all([silent.gone(), half.gone()])
        t.pass('both are closed after the handshake time')
        tls.destroy()
        if (engine === 'pure') {
          const headers = await raw()
          headers.write(frame(Type.HEADERS, 0, 1, fieldBlock(...request())))
          await headers.gone()
          t.pass('an open header block too')
        }
      },
      {
        server: { handshakeTimeoutMs: 300, ...(engine === 'pure' && { fieldBlockTimeoutMs: 300 }) } as never,
      },
    ),
  )

  t.test(`${engine}: 23 a slow body waits without cost`, (t) =>
    attack(t, engine, async ({ raw, running }) => {
      const peer = await raw()
      peer.write(headersFrame(1, false, ...request('Gather')))
      for (const octet of message('slow')) {
        peer.write(dataFrame(1, false, Buffer.from([octet])))
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      t.ok(await settled(() => running() === 1), 'its call runs')
      peer.write(dataFrame(1, true, ''))
      t.ok(await peer.frame(Type.HEADERS, 1))
    }),
  )

  t.test(`${engine}: 24 more streams than allowed are refused`, (t) =>
    attack(t, engine, async ({ raw }) => {
      const peer = await raw()
      await pour(peer, 1000, (i) => headersFrame(1 + i * 2, false, ...request('Gather')))
      await Promise.race([
        peer.until(() =>
          peer.frames.filter(({ type }) => type === Type.RST_STREAM).length >= 700 ? true : undefined,
        ),
        peer.gone(),
      ])
      const refused = peer.frames.filter(({ type }) => type === Type.RST_STREAM)
      const codes = refused.map(({ payload }) => payload.readUInt32BE())
      // nghttp2 takes streams beyond the limit for a fault of the connection, and Node ends that with INTERNAL_ERROR.
      const ended = engine === 'node' && peer.frames.some(({ type }) => type === Type.GOAWAY)
      t.ok(
        ended || codes.every((code) => code === 7 || (engine === 'node' && (code === 1 || code === 11))),
        `RFC 9113 §5.1.2: each is refused, or node:http2 ends the connection: ${[...new Set(codes)]}`,
      )
      t.ok(refused.length > 0)
    }),
  )

  t.test(`${engine}: 25 idle connections cost little and are freed`, (t) =>
    attack(t, engine, async ({ raw }) => {
      const peers = await Promise.all(Array.from({ length: 300 }, () => raw()))
      for (const peer of peers) peer.socket.destroy()
    }),
  )

  t.test(`${engine}: 27 HTTP/1.1, garbage and TLS on the cleartext port`, (t) =>
    attack(t, engine, async ({ raw }) => {
      for (const text of [
        'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
        'garbage\r\n'.repeat(20),
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(500, 'x'),
      ]) {
        const peer = await raw(false)
        peer.socket.write(Buffer.from(text, 'latin1'))
        await peer.gone()
        t.pass(JSON.stringify(text.slice(0, 10)))
      }
    }),
  )

  t.test(`${engine}: 26 random frames`, (t) =>
    attack(t, engine, async ({ raw }: Target) => {
      const seed = Date.now() & 0xffffff
      t.comment(`seed ${seed}`)
      let state = seed
      const random = (max: number): number => {
        state = (state * 1103515245 + 12345) & 0x7fffffff
        return state % max
      }
      for (let i = 0; i < 100; i++) {
        const peer = await raw()
        for (let j = 0; j < 10 && !peer.closed; j++) {
          const payload = Buffer.from(Array.from({ length: random(40) }, () => random(256)))
          peer.write(frame(random(12), random(256), random(6), payload))
        }
        peer.socket.end()
        await new Promise((resolve) => setImmediate(resolve))
        if (i % 10 === 9) peer.socket.destroy()
      }
    }),
  )
}
