/** Message size limits, to the octet: N passes, N + 1 does not, whether it comes compressed or not. */
import t from 'tap'
import { acceptedEncodings } from '../../src/rpc/compression.ts'
import { connect, Server } from '../../src/rpc/index.ts'
import { MESSAGE_PREFIX_OCTETS, type MessageCodec, type Service } from '../../src/rpc/method.ts'
import { ENGINES, rejection } from './support/pair.ts'

const octets: MessageCodec<Uint8Array> = {
  typeName: 'test.Octets',
  encode(message) {
    const framed = Buffer.alloc(MESSAGE_PREFIX_OCTETS + message.length)
    framed.set(message, MESSAGE_PREFIX_OCTETS)
    return framed
  },
  decode: (chunk, start, end) => chunk.slice(start, end),
}

const echo = {
  name: 'Echo',
  path: '/test.Octets/Echo',
  requestStream: false,
  responseStream: false,
  request: octets,
  response: octets,
} as const
const Octets: Service<{ echo: typeof echo }> = { name: 'test.Octets', methods: { echo } }

const LIMIT = 50_000
const DEFAULT_LIMIT = 4 * 1024 * 1024

for (const engine of ENGINES) {
  for (const compression of [
    'identity',
    ...acceptedEncodings()
      .split(',')
      .filter((name) => name !== 'identity'),
  ]) {
    t.test(`${engine}, ${compression}: the receive limit of server and client, exact`, async (t) => {
      const server = new Server({ engine, compression, maxReceiveMessageOctets: LIMIT }).add(Octets, {
        // one octet more than it got, if the first octet says so
        echo: (request) => (request[0] === 1 ? Buffer.concat([request, Buffer.alloc(1)]) : request),
      })
      const channel = connect(await server.listen('127.0.0.1:0'), {
        engine,
        compression,
        maxReceiveMessageOctets: LIMIT,
      })
      const client = channel.client(Octets)
      const details =
        compression === 'identity'
          ? `Received message larger than max (${LIMIT + 1} vs ${LIMIT})`
          : `Received message that decompresses to a size larger than ${LIMIT}`
      t.equal((await client.echo(Buffer.alloc(LIMIT))).length, LIMIT, 'both ways at the limit')
      t.match(await rejection(client.echo(Buffer.alloc(LIMIT + 1))), { code: 8, details }, 'request')
      t.match(await rejection(client.echo(Buffer.alloc(LIMIT, 1))), { code: 8, details }, 'response')
      t.equal(channel.state, 'READY')
      await channel.close()
      await server.close()
    })
  }

  t.test(
    `${engine}: 4 MiB are received by default, and one octet more is not; sending has no limit`,
    async (t) => {
      const server = new Server({ engine }).add(Octets, {
        echo: (request) => Buffer.alloc(request.length === 1 ? DEFAULT_LIMIT + 1 : request.length),
      })
      const channel = connect(await server.listen('127.0.0.1:0'), { engine })
      const client = channel.client(Octets)
      t.equal((await client.echo(Buffer.alloc(DEFAULT_LIMIT))).length, DEFAULT_LIMIT)
      const expected = { code: 8, details: 'Received message larger than max (4194305 vs 4194304)' }
      t.match(await rejection(client.echo(Buffer.alloc(DEFAULT_LIMIT + 1))), expected)
      t.match(await rejection(client.echo(Buffer.alloc(1))), expected)
      await channel.close()
      await server.close()
    },
  )
}
