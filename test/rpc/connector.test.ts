import t from 'tap'
import { ConnectionError } from '../../src/http2/errors.ts'
import type { ConnectionListener, Http2Connection, SocketAddress } from '../../src/http2/transport.ts'
import { Connector } from '../../src/rpc/connector.ts'
import { FakeConnection } from './support/fake-connection.ts'

const ADDRESSES = [1, 2, 3].map((port) => ({ host: '192.0.2.1', port }))

function attempt(t: { teardown(fn: () => void): void }) {
  const dialled: { port: number; listener: ConnectionListener; connection: FakeConnection }[] = []
  const log: string[] = []
  const connector = new Connector(
    ADDRESSES,
    (address: SocketAddress, listener): Http2Connection => {
      const connection = new FakeConnection()
      dialled.push({ port: (address as { port: number }).port, listener, connection })
      return connection
    },
    {
      onConnected: (connection) =>
        log.push(`connected ${dialled.findIndex((each) => each.connection === connection) + 1}`),
      onFailed: (errors) => log.push(`failed ${errors.map(({ message }) => message).join(',')}`),
      onGoaway: () => log.push('goaway'),
      onClosed: () => log.push('closed'),
    },
  )
  t.teardown(() => connector.stop())
  connector.start()
  return { connector, dialled, log }
}

const refused = (text: string) => new ConnectionError(text, { initiator: 'peer', phase: 'connect' })

t.test('one after the other, the next as soon as one fails', async (t) => {
  const { dialled, log } = attempt(t)
  t.equal(dialled.length, 1)
  dialled[0]!.listener.onClose(refused('a'))
  dialled[1]!.listener.onClose(refused('b'))
  dialled[2]!.listener.onOpen()
  t.same(log, ['closed', 'closed', 'connected 3'])
  dialled[2]!.listener.onGoaway({ lastStreamId: 0, code: 0, debugData: '' })
  dialled[2]!.listener.onClose()
  t.same(log.slice(3), ['goaway', 'closed'])
})

t.test('all fail: errors in the order of the addresses', async (t) => {
  const { dialled, log } = attempt(t)
  dialled[0]!.listener.onClose(refused('a'))
  dialled[1]!.listener.onClose()
  dialled[2]!.listener.onClose(refused('c'))
  t.equal(log.at(-1), 'failed a,the connection was closed,c')
})

t.test('RFC 8305 §5: a slow address does not hold up the next; the first to open wins', async (t) => {
  const { dialled, log } = attempt(t)
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.equal(dialled.length, 2)
  dialled[1]!.listener.onOpen()
  t.equal(dialled[0]!.connection.state, 'closed', 'the other is closed')
  t.equal(dialled[1]!.connection.state, 'open')
  dialled[0]!.listener.onOpen()
  dialled[0]!.listener.onClose()
  t.same(log, ['connected 2', 'closed'])
})

t.test('stop closes everything and tells nothing', async (t) => {
  const { connector, dialled, log } = attempt(t)
  connector.stop()
  t.equal(dialled[0]!.connection.state, 'closed')
  dialled[0]!.listener.onOpen()
  t.same(log, [])
})
