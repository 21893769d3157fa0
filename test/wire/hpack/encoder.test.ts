import t from 'tap'
import {
  describeField,
  HpackDecoder,
  HpackEncoder,
  type HpackEncoderOptions,
  type HpackField,
  OctetWriter,
} from '../../../src/wire/index.ts'
import { type ExampleVector, fromHex, readVectors, toHex } from './vectors.ts'

const entryNames = (encoder: HpackEncoder) => encoder.tableState().entries.map((entry) => entry.name)

/** An encoder and the decoder of its peer. */
class Pair {
  readonly encoder: HpackEncoder
  readonly decoder = new HpackDecoder({ maxHeaderListSizeOctets: Number.POSITIVE_INFINITY })
  private readonly out = new OctetWriter(1)

  constructor(options?: HpackEncoderOptions) {
    this.encoder = new HpackEncoder(options)
  }

  encode(fields: readonly string[], neverIndexed?: readonly number[]): Uint8Array {
    this.encoder.encode(fields, this.out, neverIndexed)
    return this.out.take()
  }

  /** Encodes, decodes and compares; returns what was sent, a line for each step. */
  send(fields: readonly string[], neverIndexed?: readonly number[]): string[] {
    const block = this.decoder.inspect(this.encode(fields, neverIndexed))
    t.same(block.fields, fields)
    t.same(this.encoder.tableState(), block.tableAfter)
    return block.instructions.map((step) => describeField(step, { showSensitive: true }))
  }

  /** The representation of the only field. */
  sendOne(name: string, value: string): string {
    const block = this.decoder.inspect(this.encode([name, value]))
    t.same(block.fields, [name, value])
    return (block.instructions[0] as HpackField).representation
  }
}

t.test('RFC 7541 §C.4: our octets are those of the RFC', async (t) => {
  const pair = new Pair()
  for (const block of readVectors<ExampleVector>('c4').blocks) {
    t.equal(toHex(pair.encode(block.fields.flat())), toHex(fromHex(block.input)), block.section)
  }
})

t.test('RFC 7541 §C.6: our octets are those of the RFC, but for what we choose otherwise', async (t) => {
  const pair = new Pair()
  pair.encoder.setMaxTableSize(256)
  t.equal(toHex(pair.encode([])), '3fe101')
  const [first, second, third] = readVectors<ExampleVector>('c6').blocks
  t.equal(toHex(pair.encode(first!.fields.flat())), toHex(fromHex(first!.input)))
  // '307' takes three octets both ways: the RFC codes it, we do not.
  t.equal(toHex(pair.encode(second!.fields.flat())), '4803333037c1c0bf')
  // The RFC indexes set-cookie, we never do.
  const withoutCookie = third!.fields.flat().slice(0, -2)
  t.equal(toHex(pair.encode(withoutCookie)), toHex(fromHex(third!.input).subarray(0, -47)))
})

t.test('RFC 7541 §6.1: a repeated request is an octet a field', async (t) => {
  const pair = new Pair()
  const request = [
    ...[':method', 'POST', ':scheme', 'http', ':path', '/helloworld.Greeter/SayHello'],
    ...[':authority', 'localhost:50051', 'te', 'trailers', 'content-type', 'application/grpc+proto'],
    ...['user-agent', 'grpc-glass/0.1.0'],
  ]
  pair.send(request)
  t.equal(toHex(pair.encode(request)), '8386c2c1c0bfbe')
})

t.test('RFC 7541 §7.1.3: sensitive fields are never indexed', async (t) => {
  const pair = new Pair({ sensitiveNames: ['x-api-key', 'grpc-timeout'] })
  for (const name of [
    'authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'x-api-key',
    'grpc-timeout',
  ]) {
    for (let i = 0; i < 4; i++) t.equal(pair.sendOne(name, 'secret value'), 'literal-never-indexed', name)
    t.equal(pair.sendOne(name, 'other value'), 'literal-never-indexed', name)
  }
  t.equal(pair.encoder.tableState().entries.length, 0)
})

t.test('RFC 7541 §6.2.2: fields that differ each time stay out of the table', async (t) => {
  const pair = new Pair({ unindexedNames: ['x-nonce'] })
  for (const name of ['grpc-timeout', 'traceparent', 'x-request-id', 'content-length', 'x-nonce']) {
    for (let i = 0; i < 4; i++) {
      t.equal(pair.sendOne(name, `${i}00m`), 'literal-without-indexing', name)
      t.equal(pair.sendOne(name, 'same'), 'literal-without-indexing', name)
    }
  }
  t.equal(pair.encoder.tableState().entries.length, 0)
})

t.test('RFC 7541 §6.2.1: other fields enter the table', async (t) => {
  const pair = new Pair()
  t.equal(pair.sendOne('date', 'Mon, 21 Oct 2013 20:13:21 GMT'), 'literal-incremental-indexing')
  t.equal(pair.sendOne('date', 'Mon, 21 Oct 2013 20:13:21 GMT'), 'indexed')
  t.equal(pair.sendOne('x-user', 'a'), 'literal-incremental-indexing')
  t.equal(pair.sendOne('x-user', 'b'), 'literal-incremental-indexing')
  t.equal(pair.sendOne('x-user', 'a'), 'indexed')
})

t.test('RFC 7541 §4.4: a field that would drive out half of the table stays out', async (t) => {
  const pair = new Pair()
  t.equal(pair.sendOne('x', 'a'.repeat(2048 - 33)), 'literal-incremental-indexing')
  t.equal(pair.sendOne('y', 'a'.repeat(2048 - 32)), 'literal-without-indexing')
  t.equal(pair.sendOne('x', 'a'.repeat(2048 - 33)), 'indexed')
})

t.test('RFC 7541 §2.3.3: the name of a literal is an index where a table has it', async (t) => {
  const pair = new Pair({ unindexedNames: [':path'] })
  t.same(pair.send(['x-user', 'a', 'x-user', 'b', ':path', '/a', 'grpc-timeout', '1S']), [
    'x-user: "a", incremental indexing (name Huffman), 9 octets',
    'x-user: "b", incremental indexing (name 62), 3 octets',
    ':path: "/a", without indexing (name 4), 4 octets',
    'grpc-timeout: "1S", without indexing (name Huffman), 14 octets',
  ])
})

t.test('RFC 7541 §6.2.3: a field that arrived never indexed is forwarded so', async (t) => {
  const pair = new Pair()
  const fields = ['x-user', 'a', 'x-token', 'secret', 'x-user', 'a', ':method', 'GET', 'te', 'trailers']
  t.same(pair.send(fields, [1, 3]), [
    'x-user: "a", incremental indexing (name Huffman), 9 octets',
    'x-token: "secret", never indexed (name Huffman, value Huffman), 13 octets',
    'x-user: "a", indexed 62, 1 octet',
    ':method: "GET", never indexed (name 2), 5 octets',
    'te: "trailers", incremental indexing (value Huffman), 11 octets',
  ])
  t.same(pair.decoder.neverIndexed, [1, 3])
  // What was indexed already is not sent by its index either.
  t.match(pair.send(['x-user', 'a'], [0]), [/never indexed \(name 63\)/])

  const next = new Pair()
  next.send(fields, pair.decoder.neverIndexed)
  t.match(next.send(['x-token', 'secret'], [0]), [/never indexed/])
})

t.test('a repeated literal is right after the table has changed', async () => {
  const pair = new Pair({ sensitiveNames: ['x-key'] })
  for (let i = 0; i < 4; i++) {
    pair.send(['x-key', 'secret', 'authorization', 'Bearer x', 'grpc-timeout', '5S'])
    pair.send([`x-${i}`, 'y', 'grpc-timeout', `${i}S`])
  }
  // A name of ours in the table: the literal can name it by an index that will change.
  pair.send(['x-other', '1'], [])
  for (let i = 0; i < 4; i++) pair.send(['x-other', '1', `x-more-${i}`, 'z'], [0])
})

t.test('a frozen list that comes again is right whatever the table did meanwhile', async (t) => {
  const pair = new Pair()
  const lists = Array.from({ length: 7 }, (_, i) =>
    Object.freeze([':status', '200', 'x-kind', String(i), 'authorization', 'Bearer x', 'grpc-timeout', '5S']),
  )
  for (let round = 0; round < 4; round++) {
    for (const list of lists) for (let i = 0; i < 3; i++) pair.send(list)
    if (round === 0) pair.send(['x-new', 'moves the others'])
    if (round === 1) {
      // RFC 7541 §4.2: the size updates stand in the next block only.
      pair.encoder.setMaxTableSize(100)
      pair.decoder.setMaxTableSize(100)
    }
    if (round === 2) pair.send(lists[0]!, [1])
  }
  // More than are kept take turns, often enough that each is kept and replaced.
  for (let turn = 0; turn < 100; turn++) for (const list of lists) pair.send(list)
  const open = ['x-kind', '0']
  for (let i = 0; i < 3; i++) pair.send(open)
  open[1] = 'changed'
  t.match(pair.send(open), /changed/, 'one that is not frozen is read each time')
})

t.test('a literal that is never indexed is not taken for one without indexing', async (t) => {
  const pair = new Pair()
  for (let i = 0; i < 3; i++) t.match(pair.send(['grpc-timeout', '5S']), [/without indexing/])
  for (let i = 0; i < 3; i++) t.match(pair.send(['grpc-timeout', '5S'], [0]), [/never indexed/])
  t.match(pair.send(['grpc-timeout', '5S']), [/without indexing/])
})

t.test('a long literal is written each time', async () => {
  const pair = new Pair()
  for (const length of [39, 40, 41, 126, 127, 128, 2000, 5000]) {
    for (let i = 0; i < 4; i++) pair.send(['authorization', 'x'.repeat(length)])
  }
})

t.test('RFC 7541 §4.2: the table size', async (t) => {
  const updates = (lines: string[]) => lines.filter((line) => line.startsWith('dynamic table size'))

  t.test('a maximum of our own below the default is told at once', async (t) => {
    const pair = new Pair({ maxTableSizeOctets: 100 })
    t.same(updates(pair.send(['a', 'b'])), ['dynamic table size update to 100 octets, 2 octets'])
    t.same(updates(pair.send(['a', 'b'])), [])
  })

  t.test('a larger maximum of the peer is not used beyond our own', async (t) => {
    const pair = new Pair()
    pair.encoder.setMaxTableSize(65536)
    t.same(updates(pair.send(['a', 'b'])), [])
    const large = new Pair({ maxTableSizeOctets: 10000 })
    t.equal(large.encoder.tableState().maxSizeOctets, 4096)
    large.encoder.setMaxTableSize(65536)
    large.decoder.setMaxTableSize(65536)
    t.same(updates(large.send(['a', 'b'])), ['dynamic table size update to 10000 octets, 3 octets'])
  })

  t.test('a lower maximum of the peer evicts and is told, once', async (t) => {
    const pair = new Pair()
    pair.send(['a', '1', 'b', '2', 'c', '3'])
    pair.encoder.setMaxTableSize(70)
    pair.decoder.setMaxTableSize(70)
    t.same(pair.send(['c', '3', 'a', '1']), [
      'dynamic table size update to 70 octets, 2 octets',
      'c: "3", indexed 62, 1 octet',
      'a: "1", incremental indexing, 5 octets',
    ])
    t.same(entryNames(pair.encoder), ['a', 'c'])
    t.same(updates(pair.send(['c', '3'])), [])
  })

  t.test('the lowest and the last maximum between two blocks are told', async (t) => {
    const pair = new Pair()
    pair.send(['a', '1'])
    for (const size of [2000, 0, 500, 1000]) {
      pair.encoder.setMaxTableSize(size)
      pair.decoder.setMaxTableSize(size)
    }
    t.same(pair.send(['a', '1']), [
      'dynamic table size update to 0 octets, 1 octet',
      'dynamic table size update to 1000 octets, 3 octets',
      'a: "1", incremental indexing, 5 octets',
    ])
  })

  t.test('RFC 9113 §4.3.1: a lowered maximum is told even if our table was smaller', async (t) => {
    const pair = new Pair({ maxTableSizeOctets: 100 })
    pair.send(['a', '1'])
    pair.encoder.setMaxTableSize(1000)
    t.same(updates(pair.send(['a', '1'])), ['dynamic table size update to 100 octets, 2 octets'])
    t.match(pair.send(['a', '1']), [/indexed 62/])
  })

  t.test('a table of size 0 holds nothing', async (t) => {
    const pair = new Pair({ maxTableSizeOctets: 0 })
    t.same(pair.send(['a', '1', 'a', '1', ':method', 'GET']), [
      'dynamic table size update to 0 octets, 1 octet',
      'a: "1", without indexing, 5 octets',
      'a: "1", without indexing, 5 octets',
      ':method: "GET", indexed 2, 1 octet',
    ])
  })
})

t.test('RFC 9113 §8.2.3: a cookie can be sent in crumbs', async (t) => {
  const pair = new Pair({ splitCookies: true })
  const block = pair.decoder.inspect(pair.encode(['te', 'trailers', 'cookie', 'a=1; b=2; c=3', 'x', 'y']))
  t.same(block.fields, ['te', 'trailers', 'cookie', 'a=1', 'cookie', 'b=2', 'cookie', 'c=3', 'x', 'y'])
  for (const step of block.instructions.slice(1, 4)) {
    t.equal((step as HpackField).representation, 'literal-never-indexed')
  }
  t.same(new Pair().send(['cookie', 'a=1; b=2']).length, 1)
})

t.test('fields that cannot be encoded leave nothing behind, and the connection goes on', async (t) => {
  for (const wrong of [
    ['x-new', 'in the table', 'x-bad', 'Ā'],
    ['x-new', 'in the table', 'x-€', 'a'],
    ['x-new', 'in the table', 'no-value'],
  ]) {
    const pair = new Pair()
    pair.send(['a', '1'])
    const out = new OctetWriter()
    out.uint8(7)
    t.throws(() => pair.encoder.encode(wrong, out), TypeError)
    t.same([...out.take()], [7])
    t.same(pair.send(['a', '1', 'x-new', 'in the table']).slice(0, 2), [
      'dynamic table size update to 0 octets, 1 octet',
      'dynamic table size update to 4096 octets, 3 octets',
    ])
    t.match(pair.send(['a', '1', 'x-new', 'in the table']), [/indexed 63/, /indexed 62/])
  }
})

t.test('a block is appended to what the writer has', async (t) => {
  const out = new OctetWriter(1)
  out.uint8(1)
  new HpackEncoder().encode([':method', 'GET'], out)
  t.same([...out.take()], [1, 0x82])
})

t.test('octets that are no ASCII are sent as they are', async () => {
  const all = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i)).toString('latin1')
  new Pair().send(['x-all', all, 'x-utf8', Buffer.from('grüße €').toString('latin1')])
})
