import t from 'tap'
import { frame, rawClient, Type } from '../support/raw-http2.ts'
import { ENGINES, pair } from './support/pair.ts'

for (const engine of ENGINES) {
  t.test(`${engine}: gRFC A8: a client that pings too often is told too_many_pings`, async (t) => {
    const { address } = await pair(t, engine, undefined, { server: { minPingIntervalMs: 300_000 } })
    const port = Number(address.split(':').at(-1))
    const ping = frame(Type.PING, 0, 0, Buffer.alloc(8))
    const peer = await rawClient({ host: '127.0.0.1', port })
    peer.write(ping, ping, ping, ping, ping)
    const goaway = await peer.frame(Type.GOAWAY)
    t.equal(goaway.payload.readUInt32BE(4), 0xb, 'ENHANCE_YOUR_CALM')
    t.match(goaway.payload.subarray(8).toString(), /too_many_pings/)
    await peer.gone()

    const free = await pair(t, engine)
    const patient = await rawClient({ host: '127.0.0.1', port: Number(free.address.split(':').at(-1)) })
    patient.write(ping, ping, ping, ping, ping)
    await patient.until(() =>
      patient.frames.filter(({ type }) => type === Type.PING).length === 5 ? true : undefined,
    )
    t.notOk(
      patient.frames.some(({ type }) => type === Type.GOAWAY),
      'any pace by default',
    )
    patient.socket.destroy()
  })
}
