/**
 * Run as a process of its own: serves and calls itself in every way, closes both, and must then end by itself.
 * ENGINE comes from the environment; the last line it prints is `closed`.
 */
import type { EngineName } from '../../src/http2/transport.ts'
import { connect, Server } from '../../src/rpc/index.ts'
import { collect, echo } from '../rpc/support/pair.ts'
import { Text } from '../rpc/support/text-service.ts'

const engine = (process.env.ENGINE ?? 'node') as EngineName
const limits = { engine, keepaliveTimeMs: 60_000, maxConnectionAgeMs: 600_000, maxConnectionIdleMs: 600_000 }
const server = new Server(limits).add(Text, echo)
const address = await server.listen('127.0.0.1:0')
const channel = connect(address, limits)
const client = channel.client(Text)
await client.one({ text: 'x' }, { deadline: 60_000 })
await collect(client.many({ count: 10 }))
await client.gather([{ text: 'a' }, { text: 'b' }])
await collect(client.chat([{ text: 'a' }]))
const cancelled = client.one({ text: 'x' })
cancelled.cancel()
await cancelled.catch(() => {})
await channel.close()
await server.close()
console.log('closed')
