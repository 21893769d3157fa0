/** Run as a process of its own: opens a connection, and tells whether it outlives the last reference. */
import { nodeEngine } from '../../../src/http2/node/engine.ts'
import type { Http2Engine } from '../../../src/http2/transport.ts'

const { ENGINE, PORT, UNREF } = process.env
const engine: Http2Engine =
  ENGINE === 'pure' ? (await import('../../../src/http2/index.ts' as string)).pureEngine : nodeEngine

const connection = engine.connect(
  { host: '127.0.0.1', port: Number(PORT) },
  {},
  {
    onOpen() {
      console.log('open')
      if (UNREF === 'true') connection.unref()
      else {
        connection.unref()
        connection.ref()
        setTimeout(() => {
          console.log('still alive')
          connection.destroy()
        }, 300).unref()
      }
    },
    onGoaway() {},
    onClose() {},
  },
)
