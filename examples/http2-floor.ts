/** The HTTP/2 floor alone: a server that answers any request, and a client, on the engine written from scratch. */
import { once } from 'node:events'
import { createServer } from 'node:http2'
import { pureEngine, type StreamListener } from 'grpc-glass/http2'

// any HTTP/2 server will do; this one is Node's own
const server = createServer((_request, response) => response.end('Hello from node:http2')).listen(0)
await once(server, 'listening')
const { port } = server.address() as { port: number }

const address = { host: 'localhost', port }
const connection = pureEngine.connect(
  address,
  {},
  { onOpen: () => {}, onGoaway: () => {}, onClose: () => server.close() },
)
const listener: StreamListener = {
  onHeaders: (fields) => console.log(fields.slice(0, 2).join(' ')),
  onData: (chunk, start, end) => {
    console.log(Buffer.from(chunk.subarray(start, end)).toString())
    stream.consume(end - start)
  },
  onTrailers: () => {},
  onEnd: () => connection.close(),
  onDrain: () => {},
  onClose: () => {},
}
const stream = connection.open(listener)
stream.sendHeaders(
  [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', `localhost:${port}`],
  true,
)
