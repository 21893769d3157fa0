/**
 * A floor: the same exchange of octets on node:http2 alone. Nothing is checked but what comes back, and a body is
 * taken as it is, without a message's prefix or protobuf.
 */
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Connection, ConnectOptions, Contender, ServeOptions } from './contender.ts'
import { MAX_STREAMS } from './contender.ts'

const HEADERS = {
  ':method': 'POST',
  ':path': '/bench.Bench/Echo',
  'content-type': 'application/grpc',
  te: 'trailers',
}
const settings = { maxConcurrentStreams: MAX_STREAMS, initialWindowSize: 1 << 20 }

function serve({ tls }: ServeOptions): Promise<number> {
  const server =
    tls === undefined
      ? http2.createServer({ settings })
      : http2.createSecureServer({ settings, cert: tls.cert, key: tls.key })
  server.on('stream', (stream: http2.ServerHttp2Stream) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
    })
  })
  return new Promise((settle) =>
    server.listen(0, '127.0.0.1', () => settle((server.address() as AddressInfo).port)),
  )
}

const onlyEcho = (): never => {
  throw new Error('the floors only echo')
}

async function connect(port: number, { tls }: ConnectOptions): Promise<Connection> {
  const session = http2.connect(`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, {
    settings: { initialWindowSize: 1 << 20 },
    ...(tls !== undefined && { ca: tls.ca, servername: 'localhost' }),
  })
  await new Promise((settle, fail) => session.once('connect', settle).once('error', fail))
  return {
    echo(body, done) {
      const stream = session.request(HEADERS)
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', (error) => done(error, body))
      stream.on('end', () => done(undefined, chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
      stream.end(body)
    },
    download: onlyEcho,
    upload: onlyEcho,
    chat: onlyEcho,
    close: async () => session.close(),
  }
}

export const bareHttp2: Contender = { serve, connect }
