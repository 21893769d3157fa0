import t from 'tap'
import { connect } from '../../src/rpc/channel.ts'
import { Metadata } from '../../src/rpc/metadata.ts'
import { DEFAULT_MAX_METADATA_ENTRIES, excessiveEntries, excessText } from '../../src/rpc/metadata-limit.ts'
import { collect, ENGINES, echo, pair, rejection } from './support/pair.ts'
import { Text } from './support/text-service.ts'

/** `count` entries under one name each. */
function entries(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']))
}

t.test('entries are counted as Metadata shows them', async (t) => {
  const protocol = [':status', '200', 'content-type', 'application/grpc', 'grpc-status', '0']
  const cases: readonly [string, string[], number][] = [
    ['nothing', [], 0],
    ['fields of gRPC and HTTP/2', protocol, 0],
    ['names', ['a', '1', 'b', '2', ...protocol], 2],
    ['a repeated name', ['a', '1', 'a', '1', 'a', '1'], 3],
    ['text with commas is one value', ['a', '1,2,3'], 1],
    ['binary values in a comma list (gRPC PROTOCOL-HTTP2, Custom-Metadata)', ['a-bin', 'AQ,Ag,Aw'], 3],
    ['status details are metadata', ['grpc-status-details-bin', 'AQ'], 1],
  ]
  for (const [name, fields, count] of cases) {
    t.equal(Metadata.fromFields(fields).size, count, name)
    t.equal(excessiveEntries(fields, count), 0, `${name}: at the limit`)
    if (count > 0) t.equal(excessiveEntries(fields, count - 1), count, `${name}: beyond it`)
  }
  t.equal(DEFAULT_MAX_METADATA_ENTRIES, 128)
  t.equal(
    excessText(3, 2, 'the request headers'),
    'Received 3 metadata entries in the request headers, more than the 2 that maxMetadataEntries allows',
  )
})

for (const engine of ENGINES) {
  t.test(
    `${engine}: a server takes as many entries as allowed, and refuses one more by Trailers-Only`,
    async (t) => {
      const log: object[] = []
      const { client, channel } = await pair(t, engine, echo, {
        server: { onCall: (call) => log.push(call) },
      })
      // user-agent is an entry too
      const most = { metadata: entries(127) }
      t.same(await client.one({ text: 'a' }, most), { text: 'a' })
      const oneMore = { metadata: entries(128) }
      const expected = {
        code: 8,
        details:
          'Received 129 metadata entries in the request headers, more than the 128 that maxMetadataEntries allows',
      }
      t.match(await rejection(client.one({}, oneMore)), expected)
      t.match(await rejection(client.gather([{}], oneMore)), expected)
      const many = client.many({}, oneMore)
      t.match(await rejection(collect(many)), expected)
      t.equal((await many.headers).size, 0, 'Trailers-Only')
      t.match(await rejection(collect(client.chat([{}], oneMore))), expected)
      t.match(log.slice(1), Array(4).fill(expected), 'and logs it')
      t.equal(channel.state, 'READY')
      t.same(await client.one({ text: 'b' }), { text: 'b' }, 'the connection goes on')
    },
  )

  t.test(`${engine}: a client ends a call whose headers or trailers bring too many`, async (t) => {
    const opened: string[] = []
    const { client, channel, server } = await pair(
      t,
      engine,
      {
        ...echo,
        one: ({ text = '' }, call) => {
          opened.push(call.peer.address)
          if (text === 'headers') call.sendHeaders(entries(6))
          if (text.startsWith('trailers')) call.setTrailers(entries(6))
          if (text === 'trailers only') throw new Error('answered without a message')
          return { text }
        },
        many: async function* ({ text = '' }, call) {
          if (text === 'headers') call.sendHeaders(entries(6))
          else call.setTrailers(entries(6))
          yield { text }
        },
      },
      { channel: { maxMetadataEntries: 5 } },
    )
    for (const [text, section, phase] of [
      ['headers', 'response headers', 'headers'],
      ['trailers', 'trailers', 'trailers'],
      ['trailers only', 'Trailers-Only headers', 'trailers'],
    ] as const) {
      const error = await rejection(client.one({ text }))
      t.match(error, { code: 8, phase })
      t.match((error as Error).message, `Received 6 metadata entries in the ${section} from 127.0.0.1:`)
      t.match((error as Error).message, 'more than the 5 that maxMetadataEntries allows')
    }
    for (const text of ['headers', 'trailers']) {
      const call = client.many({ text })
      t.match(await rejection(collect(call)), { code: 8 })
      t.match(await call.status, { code: 8 })
    }
    while (server.runningCalls > 0) await new Promise(setImmediate)
    t.equal(channel.state, 'READY')
    t.same(await client.one({ text: 'x' }), { text: 'x' })
    t.equal(new Set(opened).size, 1, 'all on one connection')
  })

  t.test(`${engine}: the limits are options of server and channel`, async (t) => {
    const { client, address } = await pair(
      t,
      engine,
      {
        ...echo,
        one: (_, call) => {
          call.setTrailers(entries(call.metadata.size))
          return { text: String(call.metadata.size) }
        },
      },
      { server: { maxMetadataEntries: 400 }, channel: { maxMetadataEntries: 300 } },
    )
    t.same(await client.one({}, { metadata: entries(299) }), { text: '300' })
    t.match(await rejection(client.one({}, { metadata: entries(300) })), {
      code: 8,
      details: /the trailers from/,
    })
    t.match(await rejection(client.one({}, { metadata: entries(400) })), {
      code: 8,
      details: /401 .* the 400/,
    })
    await using strict = connect(address, { engine, maxMetadataEntries: 0 })
    t.match(await rejection(strict.client(Text).one({})), { code: 8, details: /Received 1 .* the 0/ })
  })
}
