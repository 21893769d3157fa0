import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { ANY_LIMIT, checkedEngineOptions, checkedNumber } from '../../src/http2/check-options.ts'
import { nodeEngine, pureEngine } from '../../src/http2/index.ts'
import type { EngineOptions, ListenOptions } from '../../src/http2/transport.ts'

const { POSITIVE_INFINITY: INFINITY, NaN: NO_NUMBER } = Number

t.test('numbers in their range pass, and nothing is copied for them', async (t) => {
  const options: ListenOptions = {
    maxConcurrentStreams: 0,
    maxHeaderListSizeOctets: 0xffffffff,
    streamWindowOctets: 1,
    connectionWindowOctets: 0x7fffffff,
    sendBufferOctets: INFINITY,
    keepaliveTimeMs: 0.5,
    maxConnectionAgeMs: INFINITY,
  }
  t.equal(checkedEngineOptions(options), options)
  t.same(checkedEngineOptions({}), {})
})

t.test('Infinity is the largest setting (RFC 9113 §6.5.2), and no watchdog', async (t) => {
  const options = {
    maxConcurrentStreams: INFINITY,
    maxHeaderListSizeOctets: INFINITY,
    watchdogIntervalMs: INFINITY,
  }
  t.same(checkedEngineOptions(options), {
    maxConcurrentStreams: 0xffffffff,
    maxHeaderListSizeOctets: 0xffffffff,
    watchdogIntervalMs: 0,
  })
  t.equal(options.maxConcurrentStreams, INFINITY, 'what was given is not changed')
})

t.test('anything else is refused by name, value and range', async (t) => {
  const cases: readonly [EngineOptions | ListenOptions, RegExp][] = [
    [
      { maxConcurrentStreams: -1 },
      /^maxConcurrentStreams: -1 is not allowed; give an integer from 0 to 4294967295, or Infinity$/,
    ],
    [{ maxHeaderListSizeOctets: 2 ** 32 }, /^maxHeaderListSizeOctets: 4294967296 is/],
    [{ maxHeaderListSizeOctets: NO_NUMBER }, /: NaN is/],
    [{ maxHeaderListSizeOctets: 1.5 }, /: 1\.5 is .* an integer/],
    [
      { streamWindowOctets: 0 },
      /^streamWindowOctets: 0 is not allowed; give an integer from 1 to 2147483647$/,
    ],
    [{ connectionWindowOctets: INFINITY }, /^connectionWindowOctets: Infinity is/],
    [
      { sendBufferOctets: '1' as never },
      /^sendBufferOctets: "1" is not allowed; give a number from 0, or Infinity$/,
    ],
    [{ handshakeTimeoutMs: null as never }, /: null is/],
    [{ watchdogIntervalMs: 2 ** 31 }, /^watchdogIntervalMs/],
    [{ maxConnectionAgeMs: -1 }, /^maxConnectionAgeMs/],
  ]
  for (const [options, message] of cases)
    t.throws(() => checkedEngineOptions(options), { name: 'TypeError', message })
  t.throws(() => checkedNumber('x', -INFINITY, ANY_LIMIT), /^x: -Infinity is/)
})

for (const engine of [nodeEngine, pureEngine]) {
  t.test(`${engine.name}: every way into the engine checks, before a socket is used`, async (t) => {
    const bad = { connectionWindowOctets: INFINITY }
    const listener = { onOpen() {}, onGoaway() {}, onClose() {} }
    const serverListener = { onConnection: () => listener }
    const address = { host: '127.0.0.1', port: 0 }
    await t.rejects(engine.listen(address, bad, serverListener), TypeError)
    t.throws(() => engine.connect(address, bad, listener), TypeError)
    const socket = new net.Socket()
    t.throws(() => engine.connectOn(socket, bad, listener), TypeError)
    t.throws(() => engine.acceptOn(socket, bad, serverListener), TypeError)
    socket.destroy()
    await once(socket, 'close')
  })

  t.test(`${engine.name}: no limit of streams and headers is told as the largest setting`, async (t) => {
    const server = await engine.listen(
      { host: '127.0.0.1', port: 0 },
      { maxConcurrentStreams: INFINITY, maxHeaderListSizeOctets: INFINITY },
      { onConnection: () => ({ onOpen() {}, onGoaway() {}, onClose() {} }) },
    )
    const port = Number(server.address.split(':').at(-1))
    await new Promise<void>((resolve) => {
      const connection = engine.connect(
        { host: '127.0.0.1', port },
        {},
        {
          onOpen() {
            const { maxConcurrentStreams = 0xffffffff, maxHeaderListSize } = connection.remoteSettings
            t.equal(maxConcurrentStreams, 0xffffffff)
            t.equal(maxHeaderListSize, 0xffffffff)
            connection.close()
          },
          onGoaway() {},
          onClose: () => resolve(),
        },
      )
    })
    await server.close()
  })
}
