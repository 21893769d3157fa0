/** The watchdog: its one timer, and how it knows a session that node:http2 has given up. */
import http2 from 'node:http2'
import net from 'node:net'
import t, { type Test } from 'tap'
import { SessionPulse, watch } from '../../../src/http2/node/watchdog.ts'
import { frame, PREFACE, RawPeer, settingsAck, settingsFrame, Type } from '../../support/raw-http2.ts'

const turn = () => new Promise((resolve) => setTimeout(resolve, 20))

/** A server session and the raw client that it talks to. */
async function serverSession(t: Test) {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve))
  const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
  const peer = new RawPeer(socket, 0)
  const session = http2.performServerHandshake(await accepted)
  // Node versions without the hole raise an error and close
  session.on('error', () => {})
  peer.write(PREFACE, settingsFrame(), settingsAck())
  await peer.frame(Type.SETTINGS)
  t.teardown(async () => {
    session.destroy()
    socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { session, peer }
}

t.test('a session that Node gave up is known, a living one is left alone', async (t) => {
  const { session, peer } = await serverSession(t)
  const pulse = new SessionPulse(session)
  t.equal(pulse.canTell, true, 'this Node version lets us look')
  for (let i = 0; i < 5; i++) {
    t.equal(pulse.isDead(), false)
    await turn()
  }
  peer.write(frame(Type.WINDOW_UPDATE, 0, 0))
  await peer.frame(Type.GOAWAY)
  while (!pulse.isDead() && !session.destroyed) await turn()
  session.destroy()
  t.equal(pulse.isDead(), false, 'a destroyed session is over, not dead')
})

t.test('where Node hides the handle nothing is called dead', async (t) => {
  const { session } = await serverSession(t)
  const hidden = new Proxy(session, { ownKeys: () => [], getOwnPropertyDescriptor: () => undefined })
  const pulse = new SessionPulse(hidden)
  t.equal(pulse.canTell, false)
  t.equal(pulse.isDead(), false)
})

t.test('all that is watched at one interval is checked, until it is no more', async (t) => {
  const checked = { a: 0, b: 0 }
  const endA = watch({ check: () => checked.a++ }, 5)
  const endB = watch({ check: () => checked.b++ }, 5)
  while (checked.a < 3 || checked.b < 3) await turn()
  endA()
  const { a, b } = checked
  while (checked.b < b + 3) await turn()
  t.equal(checked.a, a)
  endB()
  endB()
  const last = checked.b
  await turn()
  t.equal(checked.b, last)
  const again = watch({ check: () => checked.a++ }, 5)
  while (checked.a === a) await turn()
  again()
})

t.test('an interval of 0 never checks', async (t) => {
  let checks = 0
  const end = watch({ check: () => checks++ }, 0)
  await turn()
  end()
  t.equal(checks, 0)
})
