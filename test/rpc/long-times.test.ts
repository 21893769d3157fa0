/** Options that are a time may be Infinity, or longer than the 24.8 days of a timer: neither is "at once". */
import t from 'tap'
import { connect, Server } from '../../src/rpc/index.ts'
import { createAuthority } from '../support/certificates.ts'
import { ENGINES } from './support/pair.ts'
import { Text } from './support/text-service.ts'

const TIMES = { Infinity: Number.POSITIVE_INFINITY, 'forty days': 40 * 24 * 3600 * 1000 }

for (const engine of ENGINES) {
  for (const [name, ms] of Object.entries(TIMES)) {
    t.test(`${engine}: every time is ${name}`, async (t) => {
      const warnings: Error[] = []
      const warn = (warning: Error) => warnings.push(warning)
      process.on('warning', warn)
      t.teardown(() => process.off('warning', warn))
      const authority = await createAuthority()
      const server = new Server({
        engine,
        handshakeTimeoutMs: ms,
        keepaliveTimeMs: ms,
        keepaliveTimeoutMs: ms,
        maxConnectionAgeMs: ms,
        maxConnectionAgeGraceMs: ms,
        maxConnectionIdleMs: ms,
      }).add(Text, {
        one: async ({ text = '' }) => {
          await new Promise((resolve) => setTimeout(resolve, 10))
          return { text }
        },
      })
      const tls = await authority.issue('localhost', ['localhost'])
      const address = await server.listen('localhost:0', { tls })
      const channel = connect(`localhost:${address.split(':').at(-1)}`, {
        engine,
        tls: { ca: authority.ca },
        connectTimeoutMs: ms,
        defaultDeadlineMs: ms,
        idleTimeoutMs: ms,
        keepaliveTimeMs: ms,
        keepaliveTimeoutMs: ms,
        initialBackoffMs: 5,
        maxBackoffMs: ms,
      })
      await channel.ready({ deadline: ms })
      const client = channel.client(Text)
      t.same(await client.one({ text: 'a' }), { text: 'a' })
      await new Promise((resolve) => setTimeout(resolve, 20))
      t.equal(channel.state, 'READY', 'neither idle nor aged')
      const running = client.one({ text: 'b' })
      while (server.runningCalls === 0) await new Promise(setImmediate)
      const closed = [server.close({ graceMs: ms }), channel.close({ graceMs: ms })]
      t.same(await running, { text: 'b' }, 'it is let run to its end')
      await Promise.all(closed)
      t.same(warnings, [], 'Node takes no timer for one millisecond')
    })
  }
}
