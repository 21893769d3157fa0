/**
 * An independent check on live connections: node:http2 (nghttp2) understands our field blocks, we understand
 * its, with the dynamic table of both directions in use and its size changing. See `stories.test.ts` for
 * blocks that were recorded. Nothing waits for time: each step waits for an event.
 */
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import t from 'tap'
import { HpackDecoder, HpackEncoder, OctetWriter } from '../../../src/wire/index.ts'
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  frame,
  PREFACE,
  RawPeer,
  settingsAck,
  settingsFrame,
  Type,
} from '../../support/raw-http2.ts'
import { Random } from '../protobuf/random.ts'

const HEADER_TABLE_SIZE = 1
const ROUNDS = 60

/** Tells the raw fields that node:http2 gives to a listener of headers. */
const rawFields =
  (listener: (fields: string[]) => void) => (_headers: unknown, _flags: unknown, raw: string[]) =>
    listener(raw)

async function listen(server: net.Server | http2.Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as net.AddressInfo).port
}

/** Fields as they come in calls: some the same each time, some not. */
function someFields(random: Random): string[] {
  const fields: string[] = []
  for (let count = random.below(6); count > 0; count--) {
    const value = random.pick([
      '',
      '1',
      'a value',
      `${random.below(50)}`,
      'v'.repeat(random.below(300)),
      '\xe4\xf6\xfc!',
    ])
    fields.push(
      random.pick(['x-a', 'x-b', 'x-c', 'user-agent', 'grpc-timeout', 'authorization', 'x-long-name']),
      value,
    )
  }
  return fields
}

/** Our side of a connection: what we write is encoded and what comes is decoded, in wire order. */
class Side {
  readonly encoder = new HpackEncoder()
  readonly decoder = new HpackDecoder()
  private readonly out = new OctetWriter()
  private seen = 0

  headers(streamId: number, endStream: boolean, fields: string[]): Buffer {
    this.encoder.encode(fields, this.out)
    return frame(Type.HEADERS, END_HEADERS | (endStream ? END_STREAM : 0), streamId, this.out.take())
  }

  /** Handles the frames that came since: acknowledges SETTINGS, decodes HEADERS. */
  take(peer: RawPeer): string[][] {
    const lists: string[][] = []
    for (; this.seen < peer.frames.length; this.seen++) {
      const { type, flags, payload } = peer.frames[this.seen]!
      if (type === Type.HEADERS) lists.push([...this.decoder.decode(payload)])
      if (type !== Type.SETTINGS || (flags & ACK) !== 0) continue
      for (let at = 0; at < payload.length; at += 6) {
        if (payload.readUInt16BE(at) === HEADER_TABLE_SIZE)
          this.encoder.setMaxTableSize(payload.readUInt32BE(at + 2))
      }
      peer.write(settingsAck())
    }
    return lists
  }
}

for (const headerTableSize of [0, 60, 200, 4096, 65536]) {
  t.test(
    `requests of ours to node:http2 with a table of ${headerTableSize}, its responses to us`,
    async (t) => {
      const random = new Random(headerTableSize + 1)
      const server = http2.createServer({ settings: { headerTableSize } })
      const got: string[][] = []
      const told: string[][] = []
      server.on('stream', (stream: http2.ServerHttp2Stream, ...rest: unknown[]) => {
        rawFields((fields) => got.push(fields))(rest[0], rest[1], rest[2] as string[])
        const response = ['x-number', `${got.length}`, 'x-constant', 'the same value each time']
        told.push([':status', '200', ...response])
        stream.respond({ ':status': 200, 'x-number': response[1], 'x-constant': response[3] }, {
          sendDate: false,
        } as object)
        stream.end()
      })
      const peer = new RawPeer(net.connect(await listen(server), '127.0.0.1'), 0)
      const side = new Side()
      peer.write(PREFACE, settingsFrame())
      await peer.frame(Type.SETTINGS)
      const sent: string[][] = []
      const decoded: string[][] = []
      const shapes = Array.from({ length: 6 }, () => someFields(random))
      for (let round = 0; round < ROUNDS; round++) {
        decoded.push(...side.take(peer))
        const fields = [
          ':method',
          'GET',
          ':scheme',
          'http',
          ':path',
          `/${random.below(3)}`,
          ':authority',
          'test',
        ]
        fields.push(...(random.below(3) > 0 ? random.pick(shapes) : someFields(random)))
        sent.push(fields)
        peer.write(side.headers(2 * round + 1, true, fields))
        await peer.frame(Type.HEADERS, 2 * round + 1)
      }
      decoded.push(...side.take(peer))
      t.same(got, sent)
      t.same(
        decoded.map((fields) => fields.filter((_, i) => fields[i & ~1] !== 'date')),
        told,
      )
      t.notOk(peer.frames.some(({ type }) => type === Type.GOAWAY || type === Type.RST_STREAM))
      peer.socket.destroy()
      server.close()
    },
  )

  t.test(
    `responses of ours to node:http2 with a table of ${headerTableSize}, its requests to us`,
    async (t) => {
      const random = new Random(headerTableSize + 2)
      const accepted = net.createServer()
      const port = await listen(accepted)
      const client = http2.connect(`http://127.0.0.1:${port}`, { settings: { headerTableSize } })
      const [socket] = (await once(accepted, 'connection')) as [net.Socket]
      const peer = new RawPeer(socket, PREFACE.length)
      const side = new Side()
      peer.write(settingsFrame())
      const sent: string[][] = []
      const got: string[][] = []
      const asked: string[][] = []
      const decoded: string[][] = []
      for (let round = 0; round < ROUNDS; round++) {
        // The table's size changes on a connection that is in use.
        if (round === ROUNDS / 2) client.settings({ headerTableSize: 100 })
        const path = `/${random.below(4)}`
        const stream = client.request({ ':path': path, 'x-number': String(round), authorization: 'secret' })
        asked.push([':path', path, ':method', 'GET', 'x-number', String(round), 'authorization', 'secret'])
        stream.on(
          'response',
          rawFields((fields) => got.push(fields)),
        )
        stream.on(
          'trailers',
          rawFields((fields) => got.push(fields)),
        )
        stream.resume()
        const streamId = 2 * round + 1
        await peer.frame(Type.HEADERS, streamId)
        decoded.push(...side.take(peer))
        const response = [':status', random.pick(['200', '404', '299']), ...someFields(random)]
        const trailers = ['grpc-status', random.pick(['0', '5']), ...someFields(random)]
        sent.push(response, trailers)
        peer.write(side.headers(streamId, false, response), side.headers(streamId, true, trailers))
        await once(stream, 'close')
      }
      t.same(got, sent)
      const withoutConnection = (fields: string[]) =>
        fields.filter((_, i) => ![':authority', ':scheme'].includes(fields[i & ~1]!))
      t.same(decoded.map(withoutConnection).map(pathFirst), asked)
      t.same(side.decoder.neverIndexed.length, 1)
      client.destroy()
      await peer.gone()
      accepted.close()
    },
  )
}

/** The order in which node:http2 sends :method and :path is its own. */
function pathFirst(fields: string[]): string[] {
  const at = fields.indexOf(':path')
  return [...fields.slice(at, at + 2), ...fields.slice(0, at), ...fields.slice(at + 2)]
}
