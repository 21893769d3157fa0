/** A server in a process of its own, so that it can be killed: `child-server.ts ENGINE ADDRESS`. */
import type { EngineName } from '../../../src/http2/transport.ts'
import { Server } from '../../../src/rpc/server.ts'
import { echo } from './pair.ts'
import { Text } from './text-service.ts'

const [engine, address = '127.0.0.1:0'] = process.argv.slice(2)
const server = new Server({ engine: engine as EngineName })
server.add(Text, {
  ...echo,
  async *many({ text = '' }, call) {
    yield { text }
    await new Promise((resolve) => call.signal.addEventListener('abort', resolve))
  },
})
console.log(await server.listen(address))
