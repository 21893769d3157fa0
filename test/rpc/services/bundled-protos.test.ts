import { readFileSync } from 'node:fs'
import t from 'tap'
import { bundledProtos, embedded } from '../../../scripts/embed-protos.ts'
import { Health, loadProto, ServerReflection, ServerReflectionV1Alpha } from '../../../src/rpc/index.ts'
import { BUNDLED_PROTOS } from '../../../src/rpc/services/bundled-protos.ts'
import { bundledTypes } from '../../../src/rpc/services/bundled-registry.ts'

t.test('the embedded files are those of proto/ (node --import=tsx scripts/embed-protos.ts)', async (t) => {
  t.equal(readFileSync('src/rpc/services/bundled-protos.ts', 'utf8'), bundledProtos())
  for (const name of embedded) t.equal(BUNDLED_PROTOS[name], readFileSync(`proto/${name}`, 'utf8'), name)
})

t.test('bundled services are those that loadProto reads from the files', async (t) => {
  const { grpc } = await loadProto(
    embedded.map((name) => `proto/${name}`),
    { includeDirs: ['proto'] },
  )
  for (const [service, loaded] of [
    [Health, grpc.health.v1.Health],
    [ServerReflection, grpc.reflection.v1.ServerReflection],
    [ServerReflectionV1Alpha, grpc.reflection.v1alpha.ServerReflection],
  ] as const) {
    t.equal(service.name, loaded.name)
    t.strictSame(Object.keys(service.methods), Object.keys(loaded.methods))
    t.strictSame(service.fileDescriptors?.(), loaded.fileDescriptors())
    t.equal(service.methods, service.methods, 'parsed once')
  }
})

t.test('bundled types are found by full name, with what they import', async (t) => {
  const typeOf = bundledTypes('google/rpc/status.proto')
  t.strictSame(
    typeOf('google.rpc.Status').fields.map(({ protoName, number, type }) => [protoName, number, type]),
    [
      ['code', 1, 'int32'],
      ['message', 2, 'string'],
      ['details', 3, 'google.protobuf.Any'],
    ],
  )
})
