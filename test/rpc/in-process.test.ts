import t from 'tap'
import { connect } from '../../src/rpc/channel.ts'
import { Server } from '../../src/rpc/server.ts'
import { openSockets } from '../support/descriptors.ts'
import { collect, echo, rejection } from './support/pair.ts'
import { Text } from './support/text-service.ts'

t.test('a channel to a server of the same process, without a socket', async (t) => {
  const sockets = openSockets()
  const server = new Server()
  server.add(Text, {
    ...echo,
    one: ({ text = '' }, call) => ({ text: text === 'peer' ? call.peer.address : text }),
  })
  const channel = connect(server.inProcess())
  const client = channel.client(Text)
  t.same(await client.one({ text: 'a' }), { text: 'a' })
  t.same(await client.one({ text: 'peer' }), { text: 'in-process' })
  t.equal(channel.target, 'in-process')
  t.equal((await collect(client.many({ count: 100 }))).length, 100)
  t.same(await client.gather([{ text: '1' }, { text: '2' }]), { text: '1,2' })
  t.equal((await collect(client.chat([{ text: 'x' }]))).length, 1)
  const large = 'x'.repeat(3 * 1024 * 1024)
  t.equal((await client.one({ text: large })).text.length, large.length)
  t.equal(openSockets(), sockets)
  const hanging = client.one({ text: 'a' })
  hanging.cancel()
  t.match(await rejection(hanging), { code: 1 })
  await channel.close()
  await server.close()
  const late = connect(server.inProcess())
  t.match(await rejection(late.client(Text).one({}, { deadline: 1000 })), { code: 14 })
  await late.close({ graceMs: 0 })
})

t.test('a fast writer waits for a slow reader', async (t) => {
  let made = 0
  const server = new Server()
  server.add(Text, {
    many: async function* () {
      const text = 'x'.repeat(65_536)
      for (;;) {
        made++
        yield { text }
      }
    },
  })
  const channel = connect(server.inProcess())
  const call = channel.client(Text).many({})
  const iterator = call[Symbol.asyncIterator]()
  await iterator.next()
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.ok(made < 200, `${made} messages were made`)
  await iterator.return?.()
  await channel.close()
  await server.close({ graceMs: 0 })
})
