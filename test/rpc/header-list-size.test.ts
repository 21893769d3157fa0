import t from 'tap'
import type { Http2Connection } from '../../src/http2/transport.ts'
import type { CallSummary } from '../../src/rpc/call-summary.ts'
import { oversize } from '../../src/rpc/header-list-size.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { FakeConnection } from './support/fake-connection.ts'
import { collect, ENGINES, echo, pair, rejection } from './support/pair.ts'

t.test('RFC 9113 §6.5.2: a field costs its name, its value and 32 octets', async (t) => {
  const connection = new FakeConnection()
  const fields = ['a', '1', 'bc', '']
  t.equal(oversize(fields, connection, 'The headers'), undefined, 'the peer did not say')
  connection.remoteSettings.maxHeaderListSize = 68
  t.equal(oversize(fields, connection, 'The headers'), undefined)
  connection.remoteSettings.maxHeaderListSize = 67
  t.match(
    oversize(fields, connection, 'The headers'),
    'The headers have 68 octets, more than the 67 that the server takes',
  )
  const server = { role: 'server', remoteSettings: { maxHeaderListSize: 0 } } as Http2Connection
  t.match(oversize(['a', ''], server, 'The trailers'), 'that the client takes')
})

const LONG = 'v'.repeat(3000)

for (const engine of ENGINES) {
  t.test(
    `${engine}: RFC 9113 §10.5.1: what the peer does not take is not sent, and the call says so`,
    async (t) => {
      const log: CallSummary[] = []
      const { client, channel } = await pair(
        t,
        engine,
        {
          ...echo,
          one: ({ text }, call) => {
            if (text === 'headers') call.sendHeaders({ long: LONG })
            if (text === 'trailers') call.setTrailers({ long: LONG })
            if (text === 'status') throw new StatusError(5, LONG)
            if (text === 'details') throw new StatusError(5, 'gone', { metadata: { long: LONG } })
            return { text: 'x' }
          },
          many: async function* ({ text }, call) {
            if (text === 'headers') call.sendHeaders({ long: LONG })
            call.setTrailers({ long: LONG })
            yield { text: 'x' }
          },
        },
        {
          server: { maxHeaderListSizeOctets: 2000, onCall: (summary) => log.push(summary) },
          channel: { maxHeaderListSizeOctets: 1500 },
        },
      )
      const reason = (what: string, size: number, whom: string) =>
        new RegExp(`^The ${what} have \\d{4} octets, more than the ${size} that the ${whom} takes`)
      t.match(await rejection(client.one({}, { metadata: { long: LONG } })), {
        code: 8,
        details: reason('request headers', 2000, 'server'),
      })
      t.equal(log.length, 0, 'nothing was sent')
      t.match(await rejection(client.one({ text: 'headers' })), {
        code: 8,
        details: reason('response headers', 1500, 'client'),
      })
      t.match(await rejection(client.one({ text: 'trailers' })), {
        code: 8,
        details: reason('trailers', 1500, 'client'),
      })
      t.match(
        await rejection(client.one({ text: 'status' })),
        { code: 5, details: /^v{200}… \(The trailers have/ },
        'a long message is cut',
      )
      t.match(
        await rejection(client.one({ text: 'details' })),
        { code: 5, details: /^gone \(The trailers have \d{4} octets/ },
        'its metadata is left out',
      )
      t.match(await rejection(collect(client.many({ text: 'headers' }))), {
        code: 8,
        details: /response headers/,
      })
      const many = client.many({})
      const responses = many[Symbol.asyncIterator]()
      t.same(await responses.next(), { done: false, value: { text: 'x' } }, 'messages before it arrive')
      t.match(await rejection(responses.next()), { code: 8, details: /^The trailers have/ })
      t.same(
        log.map(({ code }) => code),
        [8, 8, 5, 5, 8, 8],
        'the server logs what it sent',
      )
      t.same(await client.one({}), { text: 'x' })
      t.equal(channel.state, 'READY')
    },
  )
}
