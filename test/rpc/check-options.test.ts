import t from 'tap'
import type { CallOptions } from '../../src/rpc/call-options.ts'
import type { ChannelOptions } from '../../src/rpc/channel-options.ts'
import { connect, Server } from '../../src/rpc/index.ts'
import type { ServerOptions } from '../../src/rpc/server-options.ts'
import { collect, ENGINES, echo, pair } from './support/pair.ts'

const INFINITY = Number.POSITIVE_INFINITY

t.test('numbers that are not allowed are refused where they are given', async (t) => {
  const both: (keyof ServerOptions & keyof ChannelOptions)[] = [
    'maxReceiveMessageOctets',
    'maxSendMessageOctets',
    'minCompressOctets',
    'maxMetadataEntries',
    'maxHeaderListSizeOctets',
    'streamWindowOctets',
  ]
  for (const name of both) {
    for (const value of [-1, Number.NaN, '5']) {
      const message = new RegExp(`^${name}: "?(-1|NaN|5)"? is not allowed; give`)
      t.throws(() => new Server({ [name]: value }), { name: 'TypeError', message })
      t.throws(() => connect('localhost:1', { [name]: value }), { name: 'TypeError', message })
    }
  }
  t.throws(() => new Server({ maxConcurrentCalls: -1 }), /^maxConcurrentCalls: -1 is/)
  for (const name of [
    'connectTimeoutMs',
    'idleTimeoutMs',
    'initialBackoffMs',
    'maxBackoffMs',
    'defaultDeadlineMs',
  ]) {
    t.throws(() => connect('localhost:1', { [name]: -1 }), new RegExp(`^${name}: -1 is`))
  }
  const { client } = await pair(t, 'pure')
  for (const options of [
    { maxReceiveMessageOctets: -1 },
    { maxSendMessageOctets: Number.NaN },
  ] as CallOptions[]) {
    t.throws(() => client.one({}, options), /^max(Receive|Send)MessageOctets: (-1|NaN) is not allowed/)
  }
})

for (const engine of ENGINES) {
  t.test(`${engine}: Infinity is no limit`, async (t) => {
    const limits = {
      maxReceiveMessageOctets: INFINITY,
      maxSendMessageOctets: INFINITY,
      maxMetadataEntries: INFINITY,
      maxHeaderListSizeOctets: INFINITY,
      sendBufferOctets: INFINITY,
      minCompressOctets: INFINITY,
      watchdogIntervalMs: INFINITY,
      compression: 'gzip',
    }
    const { client } = await pair(t, engine, echo, {
      server: { ...limits, maxConcurrentStreams: INFINITY, maxConcurrentCalls: INFINITY },
      channel: limits,
    })
    const metadata = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x-${i}`, 'y'.repeat(50)]))
    const text = 'x'.repeat(5_000_000)
    t.equal((await client.one({ text }, { metadata })).text.length, text.length)
    t.equal((await collect(client.many({ text: 'a', count: 300 }))).length, 300)
    const calls = Array.from({ length: 400 }, (_, i) => client.one({ text: String(i) }))
    t.equal((await Promise.all(calls)).length, 400)
  })
}
