/** `glass serve --interop`: grpc.testing.TestService does what the official interoperability cases ask of a server. */
import t from 'tap'
import { connect, loadProtoSync, Status } from '../../src/index.ts'
import { ENGINES } from '../rpc/support/pair.ts'
import { serving } from './support/serving.ts'

const { grpc } = loadProtoSync('proto/interop.proto')
const { TestService, UnimplementedService } = grpc.testing

interface Reply {
  payload: { body: Uint8Array }
}

async function bodySizes(replies: AsyncIterable<Reply>): Promise<number[]> {
  const sizes: number[] = []
  for await (const { payload } of replies) sizes.push(payload.body.length)
  return sizes
}

for (const engine of ENGINES) {
  t.test(engine, async (t) => {
    const { address } = await serving(t, '--engine', engine, '--interop', '--quiet')
    const channel = connect(address, { engine, minCompressOctets: 0 })
    t.teardown(() => channel.close({ graceMs: 0 }))
    const client = channel.client<typeof TestService.methods>(TestService)

    t.test('payloads of the sizes asked for', async (t) => {
      t.same(await client.emptyCall({}), {})
      t.equal((await client.unaryCall({ responseSize: 314159 })).payload.body.length, 314159)
      const responseParameters = [
        { size: 31415 },
        { size: 9, intervalUs: 1000 },
        { size: 0, compressed: { value: true } },
      ]
      t.same(await bodySizes(client.streamingOutputCall({ responseParameters })), [31415, 9, 0])
      const requests = [{ responseParameters: [{ size: 1 }] }, { responseParameters }]
      t.same(await bodySizes(client.fullDuplexCall(requests)), [1, 31415, 9, 0])
      t.same(await bodySizes(client.halfDuplexCall(requests)), [1, 31415, 9, 0])
      const sizes = [27182, 8].map((size) => ({ payload: { body: new Uint8Array(size) } }))
      t.same(await client.streamingInputCall(sizes), { aggregatedPayloadSize: 27190 })
      await t.rejects(client.unaryCall({ responseSize: -1 }), { code: Status.INVALID_ARGUMENT })
    })

    t.test('the status asked for', async (t) => {
      const responseStatus = { code: 2, message: 'test status message' }
      const expected = { code: 2, details: 'test status message' }
      await t.rejects(client.unaryCall({ responseStatus }), expected)
      await t.rejects(bodySizes(client.fullDuplexCall([{ responseStatus }])), expected)
    })

    t.test('metadata comes back', async (t) => {
      const metadata = {
        'x-grpc-test-echo-initial': 'test_initial_metadata_value',
        'x-grpc-test-echo-trailing-bin': Uint8Array.of(0xab, 0xab, 0xab),
      }
      const call = client.unaryCall({}, { metadata })
      await call
      t.equal((await call.headers).get('x-grpc-test-echo-initial'), 'test_initial_metadata_value')
      t.same((await call.trailers).get('x-grpc-test-echo-trailing-bin'), Buffer.from('ababab', 'hex'))
    })

    t.test('a request that says it is compressed must be, and the other way round', async (t) => {
      const refused = { code: Status.INVALID_ARGUMENT }
      const compressed = { expectCompressed: { value: true }, payload: { body: new Uint8Array(100) } }
      const plain = { ...compressed, expectCompressed: { value: false } }
      await t.rejects(client.unaryCall(compressed), refused)
      await t.rejects(client.unaryCall(plain, { compression: 'gzip' }), refused)
      t.ok(await client.unaryCall(compressed, { compression: 'gzip' }))
      t.ok(await client.unaryCall(plain))
      const call = client.streamingInputCall({ compression: 'gzip' })
      await call.write(compressed)
      await call.write(plain, { compress: false })
      call.end()
      t.same(await call, { aggregatedPayloadSize: 200 })
    })

    t.test('what is left unimplemented', async (t) => {
      await t.rejects(client.unimplementedCall({}), { code: Status.UNIMPLEMENTED })
      await t.rejects(channel.client(UnimplementedService).unimplementedCall({}), {
        code: Status.UNIMPLEMENTED,
      })
    })
  })
}
