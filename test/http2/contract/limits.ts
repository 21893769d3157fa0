/** SETTINGS that bound a connection: streams at once, size of a header list (RFC 9113 §5.1.2, §6.5.2, §10.5.1). */
import type { Test } from 'tap'
import { ErrorCode } from '../../../src/wire/frame/error-codes.ts'
import { type Engines, Pair, request, settle } from './harness.ts'

export async function limits(t: Test, engines: Engines): Promise<void> {
  await t.test(
    'beyond SETTINGS_MAX_CONCURRENT_STREAMS streams wait for their turn (RFC 9113 §5.1.2)',
    async (t) => {
      const pair = await Pair.start(t, engines, { server: { maxConcurrentStreams: 2 } })
      t.equal(pair.client.remoteSettings.maxConcurrentStreams, 2)
      const opened = Array.from({ length: 5 }, (_, i) => {
        const opened = pair.open()
        opened.stream.sendHeaders(request('number', String(i)), false)
        opened.stream.sendData(Buffer.from(`body ${i}`), true)
        return opened
      })
      const connection = await pair.connection()
      await connection.request(1)
      await settle()
      t.equal(connection.requests.length, 2)
      t.equal(pair.client.openStreams, 5)
      t.equal(opened[2]?.stream.id, 0)
      for (let i = 0; i < 5; i++) {
        const incoming = await connection.request(i)
        await incoming.heard.called('end')
        t.equal(incoming.fields.at(-1), String(i), 'in the order of sendHeaders')
        t.equal(incoming.heard.text, `body ${i}`)
        t.ok((connection.connection?.openStreams ?? 0) <= 2)
        incoming.stream.sendHeaders([':status', '200'], true)
      }
      for (const { heard } of opened) t.equal((await heard.closing()).error, undefined)
    },
  )

  await t.test('a waiting stream can be reset, tells false and drains', async (t) => {
    const pair = await Pair.start(t, engines, {
      server: { maxConcurrentStreams: 1 },
      client: { sendBufferOctets: 1000 },
    })
    const first = await pair.exchange()
    const cancelled = pair.open()
    cancelled.stream.sendHeaders(request(), false)
    const waiting = pair.open()
    waiting.stream.sendHeaders(request(), false)
    t.equal(waiting.stream.sendData(Buffer.alloc(600), false), true)
    t.equal(waiting.stream.sendData(Buffer.alloc(600), false), false)
    cancelled.stream.reset(ErrorCode.CANCEL)
    await cancelled.heard.closing()
    t.match(cancelled.heard.error, { code: ErrorCode.CANCEL, initiator: 'local' })
    t.equal(waiting.heard.drains, 0)
    first.stream.sendData(Buffer.alloc(0), true)
    await first.incoming.heard.called('end')
    first.incoming.stream.sendHeaders([':status', '200'], true)
    await waiting.heard.until(() => waiting.heard.drains === 1)
    waiting.stream.sendData(Buffer.alloc(0), true)
    const incoming = await pair.request(1)
    await incoming.heard.called('end')
    t.equal(incoming.heard.sizeOctets, 1200)
  })

  await t.test('streams that waited when the connection ended were not processed', async (t) => {
    const pair = await Pair.start(t, engines, { server: { maxConcurrentStreams: 1 } })
    const first = await pair.exchange()
    const waiting = pair.open()
    waiting.stream.sendHeaders(request(), true)
    const connection = await pair.connection()
    connection.connection?.destroy(ErrorCode.INTERNAL_ERROR, 'gone')
    await first.heard.closing()
    await waiting.heard.closing()
    t.match(waiting.heard.error, { name: 'ConnectionError', unprocessed: true })
    t.match(first.heard.error, { name: 'ConnectionError', unprocessed: false })
  })

  await t.test('a server advertises finite limits (RFC 9113 §6.5.2, §10.5.1)', async (t) => {
    const pair = await Pair.start(t, engines)
    t.match(pair.client.remoteSettings, { maxConcurrentStreams: 256, maxHeaderListSize: 16384 })
    t.match((await pair.connection()).connection?.localSettings, {
      maxConcurrentStreams: 256,
      maxHeaderListSize: 16384,
    })
    t.equal((await pair.connection()).connection?.remoteSettings.enablePush, false, 'clients take no pushes')
  })

  await t.test(
    '300 small fields pass, a list above the limit is not served, and the connection lives',
    async (t) => {
      const pair = await Pair.start(t, engines, {
        onRequest: ({ stream }) => stream.sendHeaders([':status', '200'], true),
      })
      const many = pair.open()
      many.stream.sendHeaders(
        request(...Array.from({ length: 600 }, (_, i) => (i % 2 === 0 ? `x-${i}` : 'v'))),
        true,
      )
      await many.heard.closing()
      t.equal(many.heard.error, undefined)

      const large = pair.open()
      large.stream.sendHeaders(request('x-large', 'v'.repeat(20_000)), true)
      await large.heard.closing()
      t.ok(
        large.heard.error !== undefined || large.heard.headers[1] !== '200',
        'refused by a reset or by a status like 431',
      )
      const next = pair.open()
      next.stream.sendHeaders(request(), true)
      await next.heard.closing()
      t.equal(next.heard.error, undefined)
    },
  )
}
