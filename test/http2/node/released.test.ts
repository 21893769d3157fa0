import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { nodeEngine } from '../../../src/http2/index.ts'
import type { Http2Connection } from '../../../src/http2/transport.ts'
import { frame, PREFACE, rawClient, settingsFrame, Type, u32 } from '../../support/raw-http2.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

t.test('a connection whose SETTINGS were never acknowledged is freed once it is closed', async (t) => {
  const connections: WeakRef<Http2Connection>[] = []
  let closed = 0
  const server = await nodeEngine.listen(
    { host: '127.0.0.1', port: 0 },
    { watchdogIntervalMs: 20 },
    {
      onConnection: (connection) => {
        connections.push(new WeakRef(connection))
        return { onOpen() {}, onGoaway() {}, onClose: () => closed++ }
      },
    },
  )
  t.teardown(() => server.close())
  const port = Number(server.address.split(':').at(-1))
  for (let i = 0; i < 20; i++) {
    const peer = await rawClient({ host: '127.0.0.1', port }, false)
    peer.write(PREFACE, settingsFrame(), frame(Type.WINDOW_UPDATE, 0, 0, u32(0)))
    await peer.gone()
    peer.socket.destroy()
  }
  while (closed < 20) await new Promise((resolve) => setTimeout(resolve, 10))
  let left = 20
  for (let i = 0; i < 100 && left > 1; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    collect()
    left = connections.filter((each) => each.deref() !== undefined).length
  }
  t.ok(left <= 1, `${left} of 20 connections are still held`)
})
