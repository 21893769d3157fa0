import t from 'tap'
import {
  describeField,
  ErrorCode,
  HpackDecoder,
  HpackEncoder,
  OctetWriter,
  WireError,
} from '../../../src/wire/index.ts'
import {
  decoderBefore,
  type ExampleVector,
  exampleFiles,
  type FieldVector,
  fromHex,
  type InputVector,
  readVectors,
} from './vectors.ts'

for (const file of exampleFiles) {
  const { section, what, maxTableSize, blocks } = readVectors<ExampleVector>(file)
  t.test(`${section}: ${what}`, async (t) => {
    const decoder = new HpackDecoder({ maxTableSizeOctets: maxTableSize })
    const inspector = new HpackDecoder({ maxTableSizeOctets: maxTableSize })
    let before: readonly FieldVector[] = []
    for (const block of blocks) {
      const name = `${block.section}: ${block.name}`
      const octets = fromHex(block.input)
      t.same(decoder.decode(octets), block.fields.flat(), name)
      t.same(decoder.tableState().sizeOctets, block.tableSize, `${name}, table size`)
      const inspected = inspector.inspect(octets)
      t.same(inspected.fields, block.fields.flat(), `${name}, inspected`)
      t.same(
        inspected.instructions.map((field) => describeField(field, { showSensitive: true })),
        block.lines,
        `${name}, representations`,
      )
      t.same(entriesOf(inspected.tableBefore), before, `${name}, table before`)
      t.same(entriesOf(inspected.tableAfter), block.table, `${name}, table after`)
      t.equal(inspected.tableAfter.sizeOctets, block.tableSize, `${name}, table size inspected`)
      t.equal(inspected.instructions.at(-1)!.end, octets.length, `${name}, covered to the end`)
      before = block.table
    }
  })
}

function entriesOf(state: { entries: readonly { name: string; value: string }[] }): FieldVector[] {
  return state.entries.map(({ name, value }) => [name, value])
}

/** The error that decoding ends with. */
function errorOf(decode: () => unknown): WireError {
  try {
    decode()
  } catch (error) {
    if (error instanceof WireError) return error
    throw error
  }
  throw new Error('decoded without error')
}

interface BadInput extends InputVector {
  offset: number
  reason: string
}

for (const vector of readVectors<BadInput[]>('bad-input')) {
  t.test(`${vector.section}: ${vector.name}`, async (t) => {
    const octets = fromHex(vector.input)
    const error = errorOf(() => decoderBefore(vector).decode(octets))
    t.match(error, {
      layer: 'hpack',
      code: ErrorCode.COMPRESSION_ERROR,
      scope: 'connection',
      section: vector.section,
      offset: vector.offset,
    })
    t.ok(error.reason.includes(vector.reason), error.reason)
    t.equal(errorOf(() => decoderBefore(vector).inspect(octets)).message, error.message)
    const inChunk = Buffer.concat([Buffer.alloc(5, 0x82), octets, Buffer.alloc(5, 0x84)])
    const again = errorOf(() => decoderBefore(vector).decode(inChunk, 5, 5 + octets.length))
    t.equal(again.message, error.message, 'in a larger chunk')
  })
}

for (const vector of readVectors<(InputVector & { fields: FieldVector[] })[]>('unusual-input')) {
  t.test(`${vector.section}: ${vector.name}`, async (t) => {
    t.same(decoderBefore(vector).decode(fromHex(vector.input)), vector.fields.flat())
    t.same(decoderBefore(vector).inspect(fromHex(vector.input)).fields, vector.fields.flat())
  })
}

t.test('RFC 7541 §4.2: after a required size update the following blocks need none', async (t) => {
  const decoder = new HpackDecoder()
  decoder.setMaxTableSize(100)
  decoder.setMaxTableSize(4096)
  t.same(decoder.decode(fromHex('3f 45 3f e1 1f 82')), [':method', 'GET'])
  t.same(decoder.decode(fromHex('82')), [':method', 'GET'])
  t.equal(decoder.tableState().maxSizeOctets, 4096)
})

t.test(
  'RFC 7541 §4.2: a block that was right before the maximum was lowered is not taken after',
  async (t) => {
    const decoder = new HpackDecoder()
    for (let i = 0; i < 4; i++)
      t.same(decoder.decode(fromHex('82 87')), [':method', 'GET', ':scheme', 'https'])
    decoder.setMaxTableSize(0)
    t.equal(errorOf(() => decoder.decode(fromHex('82 87'))).section, 'RFC 7541 §4.2')
  },
)

t.test('RFC 7541 §4.2: a raised maximum is used only once the peer says so', async (t) => {
  const decoder = new HpackDecoder()
  decoder.setMaxTableSize(65536)
  decoder.decode(fromHex('82'))
  t.equal(decoder.tableState().maxSizeOctets, 4096)
  // 65536 = 31 + 65505
  decoder.decode(fromHex('3f e1 ff 03'))
  t.equal(decoder.tableState().maxSizeOctets, 65536)
})

t.test('a block that comes again gives the same list; another table gives another', async (t) => {
  const decoder = new HpackDecoder()
  decoder.decode(fromHex('40 01 61 01 31'))
  const lists = Array.from({ length: 4 }, () => decoder.decode(fromHex('82 be')))
  for (const list of lists) t.same(list, [':method', 'GET', 'a', '1'])
  t.equal(lists[3], lists[2])
  t.ok(Object.isFrozen(lists[3]))
  decoder.decode(fromHex('40 01 61 01 32'))
  t.same(decoder.decode(fromHex('82 be')), [':method', 'GET', 'a', '2'])
  t.same(decoder.decode(fromHex('82 bf')), [':method', 'GET', 'a', '1'])
  decoder.decode(fromHex('20'))
  t.equal(errorOf(() => decoder.decode(fromHex('82 be'))).section, 'RFC 7541 §2.3.3')
})

t.test('RFC 7541 §6.2.3: which fields must never be indexed, also of a block that comes again', async (t) => {
  const decoder = new HpackDecoder()
  const secret = fromHex('82 10 01 61 01 62 04 01 2f 1f 08 03 786178')
  for (let i = 0; i < 5; i++) {
    t.same(decoder.decode(secret), [':method', 'GET', 'a', 'b', ':path', '/', 'authorization', 'xax'])
    t.same(decoder.neverIndexed, [1, 3])
    decoder.decode(fromHex('82'))
    t.same(decoder.neverIndexed, [])
  }
})

t.test('octets of the chunk are not kept: it may be used again', async (t) => {
  const decoder = new HpackDecoder()
  const chunk = Buffer.from(fromHex('40 08 6e616d652d6f6e65 09 76616c75652d6f6e65'))
  for (let i = 0; i < 4; i++) {
    chunk.set(fromHex('40 08 6e616d652d6f6e65 09 76616c75652d6f6e65'))
    t.same(decoder.decode(chunk), ['name-one', 'value-one'])
    chunk.fill(0)
  }
  t.equal(decoder.tableState().entries.length, 4)
  t.same(decoder.tableState().entries[3], { name: 'name-one', value: 'value-one', sizeOctets: 49 })
})

t.test('RFC 9113 §10.5.1: the header list limit', async (t) => {
  // :method GET costs 42, :path / 38
  t.test('fields up to the limit are taken, exactly', async (t) => {
    const decoder = new HpackDecoder({ maxHeaderListSizeOctets: 80 })
    t.same(decoder.decode(fromHex('82 84')), [':method', 'GET', ':path', '/'])
    t.equal(decoder.overflowed, false)
    t.equal(decoder.headerListSizeOctets, 80)
    decoder.maxHeaderListSizeOctets = 79
    t.same(decoder.decode(fromHex('82 84')), [':method', 'GET'])
    t.equal(decoder.overflowed, true)
    t.equal(decoder.headerListSizeOctets, 80)
  })

  t.test('a block above the limit is dropped each time, one below it is taken again', async (t) => {
    const decoder = new HpackDecoder({ maxHeaderListSizeOctets: 80 })
    for (let i = 0; i < 4; i++) {
      t.same(decoder.decode(fromHex('82 84 87')), [':method', 'GET', ':path', '/'])
      t.equal(decoder.overflowed, true)
      t.same(decoder.decode(fromHex('82 84')), [':method', 'GET', ':path', '/'])
      t.equal(decoder.overflowed, false)
    }
    decoder.maxHeaderListSizeOctets = 42
    t.same(decoder.decode(fromHex('82 84')), [':method', 'GET'])
    t.equal(decoder.overflowed, true)
  })

  t.test('the dynamic table stays in step with fields above the limit', async (t) => {
    const blocks = [
      '82 40 01 61 01 62 40 01 63 01 64',
      '7e 01 65 10 01 66 01 67 00 01 68 01 69 c0',
      'be bf c0',
    ].map(fromHex)
    const limited = new HpackDecoder({ maxHeaderListSizeOctets: 50 })
    const free = new HpackDecoder()
    for (const block of blocks) {
      const all = free.decode(block)
      const some = limited.decode(block)
      t.equal(limited.overflowed, true)
      t.same(some, all.slice(0, some.length))
      t.ok(some.length < all.length)
      t.equal(limited.headerListSizeOctets, free.headerListSizeOctets)
      t.same(limited.tableState(), free.tableState())
    }
    limited.maxHeaderListSizeOctets = 1000
    t.same(limited.decode(fromHex('be')), ['c', 'e'])
    t.equal(limited.overflowed, false)
  })

  t.test('what is never indexed counts only fields that are taken', async (t) => {
    const decoder = new HpackDecoder({ maxHeaderListSizeOctets: 70 })
    t.same(decoder.decode(fromHex('10 01 61 01 62 10 01 63 01 64 10 01 65 01 66')), ['a', 'b', 'c', 'd'])
    t.same(decoder.neverIndexed, [0, 1])
  })

  t.test('inspection leaves fields above the limit out, too', async (t) => {
    const decoder = new HpackDecoder({ maxHeaderListSizeOctets: 42 })
    const block = decoder.inspect(fromHex('82 84 44 01 2f'))
    t.equal(block.overflowed, true)
    t.equal(block.headerListSizeOctets, 42 + 38 + 38)
    t.same(block.fields, [':method', 'GET'])
    t.equal(block.instructions.length, 1)
  })

  t.test('no strings are made of fields above the limit, and wrong ones are still found', async (t) => {
    const decoder = new HpackDecoder({ maxHeaderListSizeOctets: 0 })
    t.same(decoder.decode(fromHex('82 00 88 25a849e95ba97d7f 86 a8eb10649cbf 10 03 616263 03 646566')), [])
    t.equal(decoder.headerListSizeOctets, 42 + (10 + 8 + 32) + (3 + 3 + 32))
    t.equal(errorOf(() => decoder.decode(fromHex('82 44 81 18'))).section, 'RFC 7541 §5.2')
    t.equal(errorOf(() => decoder.decode(fromHex('82 80'))).section, 'RFC 7541 §6.1')
  })

  t.test('a name or entry that cannot fit the table empties it also above the limit', async (t) => {
    const limited = new HpackDecoder({ maxHeaderListSizeOctets: 0, maxTableSizeOctets: 40 })
    limited.decode(fromHex('40 01 61 01 62'))
    t.equal(limited.tableState().entries.length, 1)
    limited.decode(fromHex('40 09 616161616161616161 00'))
    t.equal(limited.tableState().entries.length, 0)
    limited.decode(fromHex('40 01 61 01 62 7e 08 6161616161616161'))
    t.equal(limited.tableState().entries.length, 0)
  })

  t.test('an indexed field of one octet does not make the list larger than allowed', async (t) => {
    // One entry of nearly 4 KiB, then 16000 times its index: 62 MiB uncompressed from 20 kB.
    const decoder = new HpackDecoder()
    const out = new OctetWriter()
    new HpackEncoder({ maxTableSizeOctets: 4096 }).encode(['x', 'a'.repeat(2000)], out)
    const block = Buffer.concat([out.take(), Buffer.alloc(16000, 0xbe)])
    const fields = decoder.decode(block)
    t.equal(decoder.overflowed, true)
    t.equal(fields.length / 2, Math.floor(16384 / 2033))
    t.equal(decoder.headerListSizeOctets, 16001 * 2033)
  })
})

t.test('RFC 7541 §2.2: two decoders share no table', async (t) => {
  const one = new HpackDecoder()
  const other = new HpackDecoder()
  for (let i = 0; i < 3; i++) one.decode(fromHex('40 01 61 01 62'))
  t.equal(errorOf(() => other.decode(fromHex('be'))).section, 'RFC 7541 §2.3.3')
})
