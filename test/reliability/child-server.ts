/**
 * A server in a process of its own, to be killed, frozen or starved: prints its address on a line, then each error
 * of a connection. ENGINE and ADDRESS come from the environment.
 */
import type { EngineName } from '../../src/http2/transport.ts'
import { Server } from '../../src/rpc/server.ts'
import { echo } from '../rpc/support/pair.ts'
import { Text } from '../rpc/support/text-service.ts'

const { ENGINE = 'node', ADDRESS = '127.0.0.1:0' } = process.env
const server = new Server({
  engine: ENGINE as EngineName,
  maxConcurrentStreams: 1000,
  onConnectionError: (error) => console.log(`error ${error.message.split('\n')[0]}`),
})
server.add(Text, {
  ...echo,
  // answers once, then stays open
  async *many({ text = '' }, { signal }) {
    yield { text }
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  },
})
console.log(await server.listen(ADDRESS))
