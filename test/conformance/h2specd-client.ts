/**
 * The client that h2specd is run against: the `pure` engine alone, without gRPC. h2specd starts a command for each
 * case; so that not each of them has to start a whole client, this one stays, and the command only tells it the URL.
 *
 * Run: `node --import=tsx test/conformance/h2specd-client.ts SOCKET` (a path for the Unix domain socket it listens
 * on; prints `ready`), then `h2specd -f 31000 -p 30999 -o 1 -e "node test/conformance/h2specd-request.js SOCKET"`.
 * Ends on SIGTERM.
 */
import net from 'node:net'
import { pureEngine } from '../../src/http2/index.ts'

const REQUEST_MS = 2500
/** How long a connection stays after its request: some cases send a PING behind the response and want the answer. */
const STAY_MS = 300

/** Makes one GET request; resolves when its stream has ended, with what happened. The connection then closes. */
function request(url: URL): Promise<string> {
  return new Promise((resolve) => {
    let outcome = 'no answer'
    const connection = pureEngine.connect(
      { host: url.hostname, port: Number(url.port) },
      {},
      {
        onOpen() {},
        onGoaway() {},
        onClose: () => clearTimeout(timer),
      },
    )
    const timer = setTimeout(() => connection.destroy(), REQUEST_MS)
    const stream = connection.open({
      onHeaders(fields) {
        outcome = `status ${fields[1]}`
      },
      onData(_chunk, start, end) {
        stream.consume(end - start)
      },
      onTrailers() {},
      onEnd() {},
      onDrain() {},
      onClose(error) {
        resolve(error === undefined ? outcome : error.message)
        setTimeout(() => connection.close(), STAY_MS)
      },
    })
    const path = `${url.pathname}${url.search}`
    stream.sendHeaders([':method', 'GET', ':scheme', 'http', ':authority', url.host, ':path', path], true)
  })
}

const [socketPath] = process.argv.slice(2)
if (socketPath === undefined) throw new Error('usage: h2specd-client.ts SOCKET')
const server = net.createServer((socket) => {
  socket.on('error', () => {})
  socket.once('data', async (line) => {
    socket.end(`${await request(new URL(line.toString().trim()))}\n`)
  })
})
server.listen(socketPath, () => process.stdout.write('ready\n'))
process.on('SIGTERM', () => process.exit(0))
