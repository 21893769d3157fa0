import t from 'tap'
import { Metadata } from '../../src/rpc/metadata.ts'

t.test('names are lower case, repeated values stay apart and in order', async (t) => {
  const metadata = new Metadata({ 'X-One': 'a', two: ['b', 'c'], none: undefined })
  metadata.add('x-one', 'd')
  t.equal(metadata.get('X-ONE'), 'a')
  t.same(metadata.getAll('x-one'), ['a', 'd'])
  t.same(
    [...metadata],
    [
      ['x-one', 'a'],
      ['two', 'b'],
      ['two', 'c'],
      ['x-one', 'd'],
    ],
  )
  t.equal(metadata.size, 4)
  metadata.set('two', 'e')
  t.same(metadata.getAll('two'), ['e'])
  metadata.delete('TWO')
  t.equal(metadata.has('two'), false)
  t.equal(metadata.get('nothing'), undefined)
  const copy = metadata.clone()
  copy.set('x-one', 'z')
  t.same(metadata.getAll('x-one'), ['a', 'd'], 'a copy is on its own')
})

t.test('gRPC PROTOCOL-HTTP2 Custom-Metadata: -bin holds octets, sent without padding', async (t) => {
  const metadata = new Metadata({ 'a-bin': Uint8Array.of(255), b: 'text' })
  const fields: string[] = []
  metadata.appendTo(fields)
  t.same(fields, ['a-bin', '/w', 'b', 'text'])
  const received = Metadata.fromFields(['a-bin', '/w==', 'a-bin', 'AQ,Ag', 'bad-bin', '*', 'b', 'x'])
  t.same(
    received.getAll('a-bin').map((octets) => [...octets]),
    [[255], [1], [2]],
  )
  t.equal(received.has('bad-bin'), false, 'what is no base64 is left out')
  t.same(received.toJSON(), { 'a-bin': ['/w==', 'AQ==', 'Ag=='], b: ['x'] })
})

t.test("the protocol's own fields are not shown, and can't be set", async (t) => {
  const received = Metadata.fromFields([
    ...[':path', '/a/b', 'te', 'trailers', 'content-type', 'application/grpc', 'grpc-timeout', '1S'],
    ...['grpc-status', '0', 'user-agent', 'me', 'grpc-status-details-bin', 'AQ'],
  ])
  t.same(
    [...received].map(([name]) => name),
    ['user-agent', 'grpc-status-details-bin'],
  )
  for (const name of [
    'grpc-status',
    'Content-Type',
    'te',
    'connection',
    'grpc-timeout',
    'transfer-encoding',
  ]) {
    t.throws(() => new Metadata().set(name, 'x'), /is written by gRPC itself/, name)
  }
})

t.test('what cannot be sent is refused, and says what to do', async (t) => {
  const metadata = new Metadata()
  for (const name of ['', 'a b', ':path', 'ä', 'a\n', 'a:b']) {
    t.throws(
      () => metadata.set(name, 'x'),
      { name: 'TypeError', message: /is no metadata name/ },
      JSON.stringify(name),
    )
  }
  for (const value of ['ü', 'a\nb', 'a\0', ' a', 'a ', '\t']) {
    t.throws(() => metadata.set('a', value), /printable ASCII/, JSON.stringify(value))
  }
  t.throws(() => metadata.set('a', 5 as never), /give a string, not number/)
  t.throws(() => metadata.set('a', null as never), /give a string, not null/)
  t.throws(() => metadata.set('a', Uint8Array.of(1) as never), /name it "a-bin"/)
  t.throws(() => metadata.set('a-bin', 'x' as never), /give a Uint8Array, not string/)
  t.equal(metadata.size, 0)
  metadata.set('empty', '')
  t.equal(metadata.get('empty'), '')
})

t.test('CVE-2020-7768 kin: __proto__ and constructor are plain names', async (t) => {
  const received = Metadata.fromFields(['__proto__', 'polluted', 'constructor', 'c', 'hasownproperty', 'h'])
  t.same(received.getAll('__proto__'), ['polluted'])
  const json = received.toJSON()
  t.same(Object.keys(json), ['__proto__', 'constructor', 'hasownproperty'])
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
  t.equal(Object.getPrototypeOf(json), null)
  const own = new Metadata(JSON.parse('{"__proto__": "x"}') as Record<string, string>)
  t.equal(own.get('__proto__'), 'x')
})
