/** The second connection that asks what a peer speaks. */
import type net from 'node:net'
import t from 'tap'
import { diagnosePlaintext, diagnoseTls } from '../../src/http2/diagnosis.ts'
import { RawServer, settingsFrame } from '../support/raw-http2.ts'

t.test('failures of one address at the same time share one answer', async (t) => {
  const raw = await RawServer.start((_, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  t.teardown(() => raw.close())
  const answers = await Promise.all(Array.from({ length: 5 }, () => diagnosePlaintext(raw.address, 12)))
  for (const answer of answers) t.match(answer, /`HTTP\/1\.1 400 Bad Request`/)
  t.equal(raw.peers.length, 1)
  await diagnosePlaintext(raw.address, 12)
  t.equal(raw.peers.length, 2)
})

t.test('a peer that speaks HTTP/2 after all, and one that is silent, get no words', async (t) => {
  const http2 = await RawServer.start((peer) => peer.write(settingsFrame()))
  t.teardown(() => http2.close())
  t.equal(await diagnosePlaintext(http2.address, 12), undefined)
  t.match(await diagnoseTls(http2.address), /plaintext; connect without tls/)
  const closing = await RawServer.start((_, socket) => socket.destroy())
  t.teardown(() => closing.close())
  t.equal(await diagnosePlaintext(closing.address, 12), undefined)
  t.equal(await diagnosePlaintext(closing.address, 0), undefined)
  t.equal(await diagnoseTls(closing.address), undefined)
})

t.test('a peer that answers nothing is not waited for long', async (t) => {
  const sockets: net.Socket[] = []
  const raw = await RawServer.start((_, socket) => sockets.push(socket))
  t.teardown(() => raw.close())
  t.equal(await diagnosePlaintext(raw.address, 12), undefined)
  t.equal(sockets.length, 1)
})

t.test('an address where nobody listens gets no words', async (t) => {
  const raw = await RawServer.start(() => {})
  await raw.close()
  t.equal(await diagnosePlaintext(raw.address, 12), undefined)
  t.equal(await diagnosePlaintext(raw.address, 0), undefined)
})
