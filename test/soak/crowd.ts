/** Run as a process of its own: `crowd.ts ADDRESS CONNECTIONS STREAMS` opens them raw, says `open`, and waits to be killed. */
import { dataFrame, headersFrame, rawClient } from '../support/raw-http2.ts'

const [address = '', connections = '0', streams = '0'] = process.argv.slice(2)
const port = Number(address.split(':').at(-1))
const FIELDS = [':method', 'POST', ':scheme', 'http', ':path', '/soak.Octets/Down', ':authority', 'a']
for (let i = 0; i < Number(connections); i += 50) {
  const batch = Math.min(50, Number(connections) - i)
  await Promise.all(
    Array.from({ length: batch }, async () => {
      const peer = await rawClient({ host: '127.0.0.1', port })
      for (let id = 1; id < 2 * Number(streams); id += 2) {
        peer.write(
          headersFrame(id, false, ...FIELDS, 'content-type', 'application/grpc', 'te', 'trailers'),
          dataFrame(id, true, Buffer.alloc(5)),
        )
      }
    }),
  )
}
console.log('open')
setInterval(() => {}, 60_000)
