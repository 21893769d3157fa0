import protobuf from 'protobufjs'
import t, { type Test } from 'tap'
import type { EngineName } from '../../../src/http2/transport.ts'
import {
  addHealth,
  addReflection,
  connect,
  loadProto,
  Server,
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionV1Alpha,
} from '../../../src/rpc/index.ts'
import { descriptorType } from '../../../src/rpc/messages/file-descriptors.ts'
import { collect, ENGINES, echo } from '../support/pair.ts'
import { Text } from '../support/text-service.ts'

const folder = 'test/rpc/services/proto'
const { shop } = await loadProto(`${folder}/shop.proto`)
const { extra } = await loadProto(`${folder}/extra.proto`)

/** A serialized FileDescriptorSet, as `protoc --descriptor_set_out` writes it. */
function descriptorSet(files: readonly Uint8Array[]): Uint8Array {
  const writer = protobuf.Writer.create()
  for (const file of files) writer.uint32(0x0a).bytes(file)
  return writer.finish()
}

/** The names of the files in an answer, in order. */
function fileNames({ fileDescriptorResponse }: ServerReflectionResponse): string[] {
  return (fileDescriptorResponse?.fileDescriptorProto ?? []).map((octets) => {
    const { name } = descriptorType('FileDescriptorProto').decode(octets) as unknown as { name: string }
    return name
  })
}

/** A server with reflection, and what it answers to a list of requests. */
async function start(t: Test, engine: EngineName, clientEngine: EngineName = engine) {
  const server = new Server({ engine })
  addReflection(server, { descriptorSets: [descriptorSet(extra.Extras.fileDescriptors())] })
  server.add(shop.Shop, {})
  const channel = connect(await server.listen('127.0.0.1:0'), { engine: clientEngine })
  t.teardown(async () => {
    await channel.close({ graceMs: 0 })
    await server.close({ graceMs: 0 })
  })
  const ask = (requests: ServerReflectionRequest[], service = ServerReflection) =>
    collect(channel.client(service).serverReflectionInfo(requests))
  return { server, ask }
}

/** Names, and the file that declares each; undefined where nothing of that name is. */
const symbols: readonly [string, string | undefined][] = [
  ['shop.Shop', 'shop.proto'],
  ['shop.Shop.Buy', 'shop.proto'],
  ['shop.Item', 'shop.proto'],
  ['shop.Item.name', 'shop.proto'],
  ['shop.Item.Part', 'shop.proto'],
  ['shop.Item.Part.kind', 'shop.proto'],
  ['shop.Item.Part.Kind', 'shop.proto'],
  ['shop.Item.Part.SCREW', 'shop.proto'],
  ['shop.Item.price', 'shop.proto'],
  ['shop.Size', 'shop.proto'],
  ['shop.LARGE', 'shop.proto'],
  ['shop.colour', 'shop.proto'],
  ['shop.Item.within', 'shop.proto'],
  ['common.Money', 'common/money.proto'],
  ['extra.late', 'extra.proto'],
  ['grpc.reflection.v1.ServerReflection', 'grpc/reflection/v1/reflection.proto'],
  ['grpc.reflection.v1.ErrorResponse', 'grpc/reflection/v1/reflection.proto'],
  ['google.rpc.BadRequest.FieldViolation', 'google/rpc/error_details.proto'],
  ['google.rpc.Status', 'google/rpc/status.proto'],
  ['google.protobuf.Any', 'google/protobuf/any.proto'],
  ['shop.Size.LARGE', undefined],
  ['shop', undefined],
  ['Shop', undefined],
  ['.shop.Shop', undefined],
  ['shop.Shop.Sell', undefined],
  ['', undefined],
  ['__proto__', undefined],
  ['constructor', undefined],
]

for (const engine of ENGINES) {
  t.test(`${engine}: list_services names all services, also those that are added later`, async (t) => {
    const { server, ask } = await start(t, engine)
    server.add(Text, echo)
    addHealth(server)
    const [answer] = await ask([{ host: 'me', listServices: '*' }])
    t.strictSame(answer, {
      validHost: 'me',
      originalRequest: { host: 'me', listServices: '*', messageRequest: 'listServices' },
      listServicesResponse: {
        service: [
          { name: 'grpc.reflection.v1.ServerReflection' },
          { name: 'grpc.reflection.v1alpha.ServerReflection' },
          { name: 'shop.Shop' },
          { name: 'test.Text' },
          { name: 'grpc.health.v1.Health' },
        ],
      },
      messageResponse: 'listServicesResponse',
    })
    const answers = await ask([
      { fileContainingSymbol: 'grpc.health.v1.Health.Watch' },
      { fileContainingSymbol: 'test.Text' },
    ])
    t.strictSame(fileNames(answers[0]!), ['grpc/health/v1/health.proto'])
    t.equal(answers[1]!.errorResponse?.errorCode, 5, 'a service without descriptors is only listed')
  })

  t.test(`${engine}: file_containing_symbol finds what is declared, and nothing else`, async (t) => {
    const { ask } = await start(t, engine)
    for (const service of [ServerReflection, ServerReflectionV1Alpha]) {
      const answers = await ask(
        symbols.map(([name]) => ({ fileContainingSymbol: name })),
        service,
      )
      t.equal(answers.length, symbols.length)
      for (const [index, [name, file]] of symbols.entries()) {
        const answer = answers[index]!
        t.equal(fileNames(answer)[0], file, `${service.name} ${name}`)
        t.equal(answer.originalRequest?.fileContainingSymbol, name)
        if (file !== undefined) continue
        t.strictSame(answer.errorResponse, {
          errorCode: 5,
          errorMessage: `This server knows no symbol ${JSON.stringify(name)}`,
        })
      }
    }
  })

  t.test(`${engine}: a file brings what it imports, once a call`, async (t) => {
    const { ask } = await start(t, engine)
    const requests = [
      { fileByFilename: 'common/money.proto' },
      { fileByFilename: 'shop.proto' },
      { fileByFilename: 'shop.proto' },
      { fileByFilename: 'extra.proto' },
      { fileByFilename: 'nothing.proto' },
      { fileByFilename: '../../../etc/passwd' },
    ]
    const answers = await ask(requests)
    t.strictSame(answers.map(fileNames), [
      ['common/money.proto'],
      ['shop.proto'],
      ['shop.proto'],
      ['extra.proto'],
      [],
      [],
    ])
    t.strictSame(answers[4]!.errorResponse, {
      errorCode: 5,
      errorMessage: 'This server knows no file "nothing.proto"',
    })
    t.strictSame((await ask([{ fileByFilename: 'extra.proto' }])).map(fileNames), [
      ['extra.proto', 'shop.proto', 'common/money.proto'],
    ])
    t.strictSame((await ask([{ fileByFilename: 'google/rpc/error_details.proto' }])).map(fileNames), [
      ['google/rpc/error_details.proto', 'google/protobuf/duration.proto'],
    ])
  })

  t.test(`${engine}: extensions are found by type and number`, async (t) => {
    const { ask } = await start(t, engine)
    const extension = (containingType: string, extensionNumber: number) => ({
      fileContainingExtension: { containingType, extensionNumber },
    })
    const answers = await ask([
      extension('shop.Item', 100),
      extension('shop.Item', 101),
      extension('shop.Item', 150),
      extension('shop.Item', 151),
      extension('shop.Nothing', 100),
      { fileContainingExtension: {} },
      { allExtensionNumbersOfType: 'shop.Item' },
      { allExtensionNumbersOfType: 'common.Money' },
      { allExtensionNumbersOfType: 'shop.Size' },
    ])
    t.strictSame(
      answers.slice(0, 6).map((answer) => fileNames(answer)[0]),
      ['shop.proto', 'shop.proto', 'extra.proto', undefined, undefined, undefined],
    )
    t.strictSame(answers[3]!.errorResponse, {
      errorCode: 5,
      errorMessage: 'This server knows no extension 151 of "shop.Item"',
    })
    t.strictSame(
      answers.slice(6, 8).map(({ allExtensionNumbersResponse }) => allExtensionNumbersResponse),
      [
        { baseTypeName: 'shop.Item', extensionNumber: [100, 101, 150] },
        { baseTypeName: 'common.Money', extensionNumber: [] },
      ],
    )
    t.match(answers[8]!.errorResponse, { errorCode: 5, errorMessage: /no message type "shop\.Size"/ })
  })

  t.test(`${engine}: a request for nothing, and a very long name`, async (t) => {
    const { ask } = await start(t, engine)
    const [nothing, long] = await ask([{ host: 'x' }, { fileContainingSymbol: 'x'.repeat(1_000_000) }])
    t.match(nothing, { validHost: 'x', errorResponse: { errorCode: 3 } })
    t.match(long, { errorResponse: { errorCode: 5 } })
    t.ok(long!.errorResponse!.errorMessage.length < 300)
  })
}

t.test('both versions are added at once, and only once', async (t) => {
  const server = new Server()
  addReflection(server)
  t.throws(() => addReflection(server), { name: 'TypeError', message: /added already/ })
  await server.close()
})
