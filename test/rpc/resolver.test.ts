import dgram from 'node:dgram'
import t from 'tap'
import { parseTarget } from '../../src/http2/addresses.ts'
import { resolveTarget } from '../../src/rpc/resolver.ts'
import { rejection } from './support/pair.ts'

t.test('gRPC naming: numeric addresses and sockets need no look-up', async (t) => {
  const never = () => Promise.reject(new Error('it was looked up'))
  t.same(await resolveTarget(parseTarget('127.0.0.1:1'), never), [{ host: '127.0.0.1', port: 1 }])
  t.same(await resolveTarget(parseTarget('ipv4:1.2.3.4:5,6.7.8.9:10'), never), [
    { host: '1.2.3.4', port: 5 },
    { host: '6.7.8.9', port: 10 },
  ])
  t.same(await resolveTarget(parseTarget('unix:/x'), never), [{ path: '/x' }])
})

t.test('RFC 8305 §4: families alternate, beginning with the first address', async (t) => {
  const lookup = async () => ['::1', '::2', '::3', '127.0.0.1', 'no-address']
  const addresses = await resolveTarget(parseTarget('dns:///name:7'), lookup)
  t.same(
    addresses.map((address) => ('host' in address ? address.host : '')),
    ['::1', '127.0.0.1', '::2', '::3'],
  )
})

t.test('no address is an error', async (t) => {
  t.match(await rejection(resolveTarget(parseTarget('name:7'), async () => [])), {
    message: /no address found for name/,
  })
  t.ok((await resolveTarget(parseTarget('localhost:7'))).length > 0, 'the system resolver')
})

t.test('dns://server/name asks that server', async (t) => {
  const server = dgram.createSocket('udp4')
  t.teardown(() => server.close())
  server.on('message', (query, from) => {
    const type = query.readUInt16BE(query.length - 4)
    const answer = type === 1 ? Buffer.from('c00c00010001000000010004c0000207', 'hex') : Buffer.alloc(0)
    const reply = Buffer.concat([query, answer])
    reply.writeUInt16BE(0x8180, 2)
    reply.writeUInt16BE(answer.length > 0 ? 1 : 0, 6)
    server.send(reply, from.port, from.address)
  })
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  const target = parseTarget(`dns://127.0.0.1:${server.address().port}/some.name:7`)
  t.same(await resolveTarget(target), [{ host: '192.0.2.7', port: 7 }])
})
