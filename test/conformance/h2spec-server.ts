/**
 * The server that h2spec is run against: the `pure` engine alone, without gRPC. It answers every request with 200
 * and a short body, and prints its address.
 *
 * Run: `node --import=tsx test/conformance/h2spec-server.ts [port]`, then
 * `h2spec -h 127.0.0.1 -p PORT -S -o 2`. Ends on SIGTERM.
 */
import { pureEngine } from '../../src/http2/index.ts'
import type { Http2Stream, ServerListener, StreamListener } from '../../src/http2/transport.ts'

const BODY = Buffer.from('The answer of the server under test.\n')

/** Answers when the request is complete; a HEAD request gets no body. */
function answer(stream: Http2Stream, head: boolean): StreamListener {
  return {
    onHeaders() {},
    onData(_chunk, start, end) {
      stream.consume(end - start)
    },
    onTrailers() {},
    onEnd() {
      const fields = [':status', '200', 'content-type', 'text/plain', 'content-length', String(BODY.length)]
      stream.sendHeaders(fields, head)
      if (!head) stream.sendData(BODY, true)
    },
    onDrain() {},
    onClose() {},
  }
}

const listener: ServerListener = {
  onConnection: () => ({
    onOpen() {},
    onStream: (stream, fields) => answer(stream, fields[fields.indexOf(':method') + 1] === 'HEAD'),
    onGoaway() {},
    onClose() {},
  }),
}

const server = await pureEngine.listen(
  { host: '127.0.0.1', port: Number(process.argv[2] ?? 0) },
  {},
  listener,
)
process.stdout.write(`listening ${server.address}\n`)
process.on('SIGTERM', () => {
  for (const connection of server.connections) connection.destroy()
  void server.close()
})
