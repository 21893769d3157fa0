import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import t, { type Test } from 'tap'
import { findMessageType, findService, servicesOf } from '../../../src/rpc/messages/find-declaration.ts'
import { type LoadProtoOptions, loadProto, loadProtoSync } from '../../../src/rpc/messages/load-proto.ts'
import { kinds, protoFile } from './kinds.ts'

/** Writes .proto files into a folder of the test. */
async function folder(test: Test, files: Record<string, string>): Promise<string> {
  const dir = test.testdir()
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
  return dir
}

const message = (name: string, fields = '') => `message ${name} { ${fields} }`
const proto3 = (name: string, ...rest: string[]) =>
  [`syntax = "proto3"; package ${name};`, ...rest].join('\n')

t.test('a .proto file becomes services and message types by package', async (t) => {
  const { helloworld } = await loadProto('proto/helloworld.proto')
  t.equal(helloworld.Greeter.name, 'helloworld.Greeter')
  t.strictSame(Object.keys(helloworld.Greeter.methods), ['sayHello', 'sayHellos', 'greetAll', 'chat'])
  const { sayHello, sayHellos, greetAll, chat } = helloworld.Greeter.methods
  t.match(sayHellos, { name: 'SayHellos', path: '/helloworld.Greeter/SayHellos' })
  t.strictSame(
    [sayHello, sayHellos, greetAll, chat].map((method) => [method.requestStream, method.responseStream]),
    [
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ],
  )
  t.equal(sayHellos.request, helloworld.HelloRequest)
  t.equal(sayHellos.response, helloworld.HelloReply)
  const octets: Uint8Array = helloworld.HelloRequest.encode({ name: 'world' })
  t.equal(Buffer.from(octets).toString('hex'), '00000000000a05776f726c64', 'five blank octets in front')
  t.strictSame(helloworld.HelloRequest.decode(octets, 5, octets.length), { name: 'world' })
})

t.test('several files, without waiting the same', async (t) => {
  const { helloworld, countries } = loadProtoSync(['proto/helloworld.proto', 'proto/countries.proto'])
  t.equal(countries.Country.methods.search.path, '/countries.Country/Search')
  t.equal(helloworld.Greeter.methods.chat.name, 'Chat')
  const byUrl = loadProtoSync(new URL('../../../proto/helloworld.proto', import.meta.url))
  t.equal(byUrl.helloworld.Greeter.name, 'helloworld.Greeter')
  const octets: Uint8Array = countries.CountryResponse.encode({
    name: 'Korea',
    currencies: [{ code: 'KRW' }],
  })
  t.match(countries.CountryResponse.decode(octets, 5), {
    name: 'Korea',
    population: 0,
    currencies: [{ code: 'KRW' }],
  })
})

t.test('nested types, enums, idempotency, and methods with odd names', async (t) => {
  t.strictSame(kinds.Tree.Leaf.Shape, { ROUND: 0, LOBED: 1 })
  t.strictSame(kinds.Color, { COLOR_UNSPECIFIED: 0, RED: 1, GREEN: 2, BLACK: -1 })
  t.equal(kinds.Tree.Leaf.typeName, 'kinds.Tree.Leaf')
  t.equal(kinds.Kinds.methods.get.idempotency, 'NO_SIDE_EFFECTS')
  t.equal(kinds.Kinds.methods.putAll.idempotency, undefined)
  t.strictSame(Object.keys(kinds.Kinds.methods), ['get', 'putAll', 'hTTPCheck', 'then$'])
})

t.test('found by full name', async (t) => {
  const namespace = await loadProto('proto/helloworld.proto')
  t.equal(findService(namespace, 'helloworld.Greeter'), namespace.helloworld.Greeter)
  t.equal(findService(namespace, 'helloworld.Nobody'), undefined)
  t.equal(findMessageType(namespace, 'helloworld.HelloReply'), namespace.helloworld.HelloReply)
  t.equal(findMessageType(namespace, 'helloworld.Greeter'), undefined)
  t.equal(findMessageType(namespace, 'toString'), undefined)
  t.strictSame(servicesOf(namespace), [namespace.helloworld.Greeter])
  t.throws(() => servicesOf(namespace.helloworld), /Not a namespace/)
})

t.test('imports are found beside the file, above it, and in include directories', async (t) => {
  const dir = await folder(t, {
    'root/a/main.proto': proto3(
      'a',
      'import "beside.proto";',
      'import "b/above.proto";',
      message('Main', 'Beside x = 1; b.Above y = 2;'),
    ),
    'root/a/beside.proto': proto3('a', message('Beside')),
    'root/b/above.proto': proto3(
      'b',
      'import "google/protobuf/timestamp.proto";',
      message('Above', 'google.protobuf.Timestamp t = 1;'),
    ),
    'other/b/above.proto': proto3('b', message('Above', 'string other = 1;')),
    'other/beside.proto': proto3('a', message('Beside')),
  })
  const main = join(dir, 'root/a/main.proto')
  const found = await loadProto(main)
  t.strictSame(found.b.Above.decode(Buffer.from('0a00', 'hex')), { t: { seconds: 0n, nanos: 0 } })
  t.equal(found.google.protobuf.Timestamp.typeName, 'google.protobuf.Timestamp')
  const included = await loadProto(main, { includeDirs: [join(dir, 'other')] })
  t.strictSame(
    included.b.Above.fields.map((field: { name: string }) => field.name),
    ['other'],
    'and nowhere else then',
  )
  const byName = await loadProto('a/main.proto', { includeDirs: [join(dir, 'root/a'), join(dir, 'root')] })
  t.equal(byName.a.Main.typeName, 'a.Main', 'a file is looked for there too')
  const twice = await loadProto([main, join(dir, 'root/a/beside.proto'), relative(process.cwd(), main)])
  t.equal(twice.a.Beside.typeName, 'a.Beside', 'a file asked for twice is read once')
})

t.test('files that import each other', async (t) => {
  const dir = await folder(t, {
    'one.proto': proto3('p', 'import "two.proto";', message('One', 'Two two = 1;')),
    'two.proto': proto3('p', 'import "one.proto";', message('Two', 'One one = 1;')),
  })
  const { p } = await loadProto(join(dir, 'one.proto'))
  t.match(p.One.decode(p.One.toBinary({ two: { one: {} } })), { two: { one: {} } })
})

t.test('every file of google/protobuf is there', async (t) => {
  const names = [
    'any',
    'api',
    'descriptor',
    'duration',
    'empty',
    'field_mask',
    'source_context',
    'struct',
    'timestamp',
    'type',
    'wrappers',
  ]
  const imports = names.map((name) => `import "google/protobuf/${name}.proto";`)
  const dir = await folder(t, {
    'all.proto': proto3('p', ...imports, 'import "google/protobuf/compiler/plugin.proto";'),
  })
  const { google } = await loadProto(join(dir, 'all.proto'))
  const { protobuf } = google
  const types = [
    'Any',
    'Api',
    'Duration',
    'Empty',
    'FieldMask',
    'FileDescriptorProto',
    'ListValue',
    'StringValue',
    'Struct',
    'Timestamp',
    'Type',
    'Value',
  ]
  for (const type of types) t.equal(protobuf[type].typeName, `google.protobuf.${type}`)
  t.equal(protobuf.compiler.CodeGeneratorRequest.typeName, 'google.protobuf.compiler.CodeGeneratorRequest')
  t.strictSame(protobuf.Any.decode(Buffer.from('0a0161', 'hex')), { typeUrl: 'a', value: Buffer.alloc(0) })
})

t.test('proto2: groups, extensions, required, closed enums', async (t) => {
  const { old } = await loadProto(protoFile('old.proto'))
  const message = {
    name: 'n',
    detail: { text: 't' },
    '.old.note': 'extended',
    part: { part_2Count: 2, partName: 'p' },
    grade: 'LOW',
  }
  t.match(old.Old.decode(old.Old.toBinary(message)), message)
})

t.test('editions: presence, closed enums, groups and packing as their features say', async (t) => {
  const { edition } = await loadProto(protoFile('edition.proto'))
  const message = { name: 'x', count: 0, numbers: [1, 2], next: { name: 'y' }, mode: 'FAST' }
  const octets: Uint8Array = edition.Modern.toBinary(message)
  t.equal(Buffer.from(octets).toString('hex'), '0a01781000180118022' + '30a0179242801')
  t.match(edition.Modern.decode(octets), message)
  t.equal(edition.Modern.decode(Buffer.from('2805', 'hex')).mode, undefined)
})

t.test('what can not be read says which file and why', async (t) => {
  const dir = await folder(t, {
    'bad.proto': proto3('p', 'message A {', '  string name == 1;', '}'),
    'missing.proto': proto3('p', 'import "no/such.proto";'),
    'unknown.proto': proto3('p', message('A', 'Nothing n = 1;')),
    'google.proto': proto3('p', 'import "google/protobuf/none.proto";'),
  })
  const load = (name: string, options?: LoadProtoOptions) => loadProto(join(dir, name), options)
  await t.rejects(load('bad.proto'), { message: /illegal id '=' \(bad.proto, line 3\)/ })
  await t.rejects(load('missing.proto'), {
    message: /^no\/such.proto, imported by missing.proto: no such file \(looked for .*no\/such.proto/,
  })
  await t.rejects(load('missing.proto', { includeDirs: [dir] }), {
    message: /includeDirs says where imports are/,
  })
  await t.rejects(load('none.proto'), { message: /none.proto: no such file/ })
  await t.rejects(load('google.proto'), {
    message: /google\/protobuf\/none.proto, imported by google.proto: no such file/,
  })
  await t.rejects(load('unknown.proto'), { message: /no such.*Nothing/i })
  await t.rejects(load('bad.proto/x.proto'), { message: /no such file/ })
  await t.rejects(load('.'), { message: /no such file/ })
  t.throws(() => loadProtoSync(join(dir, 'none.proto')), { message: /no such file/ })
  t.throws(() => loadProtoSync('\0'), { code: 'ERR_INVALID_ARG_VALUE' })
})
