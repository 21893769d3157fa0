/**
 * Records what node:http2 (nghttp2) encodes, client and server, through a socket, to standard output.
 *
 * Each side changes its SETTINGS_HEADER_TABLE_SIZE now and then; the other's encoder follows from its
 * acknowledgement on. The fields of a block are those that node:http2 itself tells on the other side.
 */
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'

type FieldPair = [name: string, value: string]
interface Block {
  fields: FieldPair[]
  tableSizes?: number[]
  never?: number[]
  wire: string
}

const CALLS = 40
const sizesOfServer = new Map([
  [4, 0],
  [8, 4096],
  [15, 100],
  [22, 1000],
  [30, 4096],
])
const sizesOfClient = new Map([
  [6, 64],
  [12, 2000],
  [20, 0],
  [28, 4096],
])

/** Frames of one direction: field blocks, SETTINGS and acknowledgements in order. */
function framesOf(octets: Buffer, prefaceOctets: number) {
  const frames: { type: number; ack: boolean; payload: Buffer }[] = []
  for (let at = prefaceOctets; at < octets.length; ) {
    const length = octets.readUIntBE(at, 3)
    const flags = octets[at + 4]!
    frames.push({
      type: octets[at + 3]!,
      ack: (flags & 1) !== 0,
      payload: octets.subarray(at + 9, at + 9 + length),
    })
    at += 9 + length
  }
  return frames
}

/** The values of SETTINGS_HEADER_TABLE_SIZE in the order sent, undefined for SETTINGS without it. */
function tableSizes(frames: ReturnType<typeof framesOf>): (number | undefined)[] {
  return frames
    .filter((frame) => frame.type === 4 && !frame.ack)
    .map(({ payload }) => {
      for (let at = 0; at < payload.length; at += 6) {
        if (payload.readUInt16BE(at) === 1) return payload.readUInt32BE(at + 2)
      }
      return undefined
    })
}

function storyOf(
  frames: ReturnType<typeof framesOf>,
  sizes: (number | undefined)[],
  lists: FieldPair[][],
): Block[] {
  const blocks: Block[] = []
  let changed: number[] = []
  for (const { type, ack, payload } of frames) {
    if (type === 4 && ack) {
      const size = sizes.shift()
      if (size !== undefined) changed.push(size)
    }
    if (type !== 1) continue
    const fields = lists.shift()!
    const never = fields.flatMap(([name], at) =>
      name === 'authorization' || name === 'x-secret' ? [at] : [],
    )
    blocks.push({
      fields,
      ...(changed.length > 0 ? { tableSizes: changed } : {}),
      ...(never.length > 0 ? { never } : {}),
      wire: payload.toString('hex'),
    })
    changed = []
  }
  return blocks
}

function pairs(raw: string[]): FieldPair[] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i]!, raw[2 * i + 1]!])
}

const requests: FieldPair[][] = []
const responses: FieldPair[][] = []
const recorded = { client: [] as Buffer[], server: [] as Buffer[] }

const server = http2.createServer()
let call = 0
server.on('stream', (stream: http2.ServerHttp2Stream, _headers: unknown, _flags: number, raw: string[]) => {
  requests.push(pairs(raw))
  const number = call++
  stream.respond(
    {
      ':status': number % 9 === 4 ? 404 : 200,
      'content-type': 'application/grpc',
      'x-secret': `token ${number % 3}`,
      'x-number': String(number),
      [http2.sensitiveHeaders]: ['x-secret'],
    },
    { waitForTrailers: true },
  )
  stream.on('wantTrailers', () =>
    stream.sendTrailers({ 'grpc-status': String(number % 4), 'grpc-message': '' }),
  )
  stream.end('reply')
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')

const recorder = net.createServer((downstream) => {
  const upstream = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
  downstream.on('data', (chunk) => recorded.client.push(chunk))
  upstream.on('data', (chunk) => recorded.server.push(chunk))
  downstream.pipe(upstream).pipe(downstream)
})
recorder.listen(0, '127.0.0.1')
await once(recorder, 'listening')

let serverSession: http2.ServerHttp2Session | undefined
server.on('session', (session) => {
  serverSession = session
})
const client = http2.connect(`http://127.0.0.1:${(recorder.address() as net.AddressInfo).port}`)
for (let number = 0; number < CALLS; number++) {
  if (sizesOfClient.has(number)) {
    client.settings({ headerTableSize: sizesOfClient.get(number)! })
    await once(client, 'localSettings')
  }
  if (sizesOfServer.has(number)) {
    serverSession!.settings({ headerTableSize: sizesOfServer.get(number)! })
    await once(serverSession!, 'localSettings')
  }
  const stream = client.request(
    {
      ':method': 'POST',
      ':path': ['/helloworld.Greeter/SayHello', '/routeguide.RouteGuide/GetFeature'][number % 2]!,
      te: 'trailers',
      'content-type': 'application/grpc',
      'user-agent': 'grpc-example/1.2.3',
      'grpc-timeout': `${500 + number}m`,
      'x-octets': String.fromCharCode(0x80 + number, 0xff - number),
      cookie: [`session=${number}`, 'theme=dark'],
      authorization: 'Bearer 4ZkM0bQ8wN1rT6yUe3XpLs7VhJ2cGd5F',
      [http2.sensitiveHeaders]: ['authorization'],
    },
    { endStream: false },
  )
  const told = (_headers: unknown, _flags: number, raw: string[]) => responses.push(pairs(raw))
  stream.on('response', told)
  stream.on('trailers', told)
  stream.resume()
  stream.end('request')
  await once(stream, 'close')
}
client.close()
await once(client, 'close')
recorder.close()
server.close()

const fromClient = framesOf(Buffer.concat(recorded.client), 24)
const fromServer = framesOf(Buffer.concat(recorded.server), 0)
console.log(
  JSON.stringify({
    encoder: `nghttp2 ${process.versions.nghttp2} in Node.js ${process.versions.node}, recorded through a socket`,
    stories: [
      { name: 'requests', blocks: storyOf(fromClient, tableSizes(fromServer), requests) },
      { name: 'responses and trailers', blocks: storyOf(fromServer, tableSizes(fromClient), responses) },
    ],
  }),
)
