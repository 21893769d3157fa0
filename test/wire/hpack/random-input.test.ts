/** Properties of encoder and decoder over random, cut and mutated blocks; the seed names each case. */
import t from 'tap'
import {
  describeField,
  HpackDecoder,
  HpackEncoder,
  type HpackField,
  OctetWriter,
  WireError,
} from '../../../src/wire/index.ts'
import { Random } from '../protobuf/random.ts'
import { randomFields, randomOrdinals } from './random-fields.ts'
import { toHex } from './vectors.ts'

const UNLIMITED = { maxHeaderListSizeOctets: Number.POSITIVE_INFINITY }
const out = new OctetWriter()

/** Blocks of one connection that are right, each with the fields it was made of. */
function traffic(random: Random, count: number): { fields: string[]; block: Uint8Array }[] {
  const encoder = new HpackEncoder()
  const lists = Array.from({ length: 6 }, () => randomFields(random))
  return Array.from({ length: count }, () => {
    const fields = random.below(3) > 0 ? random.pick(lists) : randomFields(random)
    encoder.encode(fields, out, random.below(4) === 0 ? randomOrdinals(random, fields) : undefined)
    return { fields, block: out.take() }
  })
}

/** What a decoder makes of a block: its fields and state as text, or the error. Anything but WireError is thrown. */
function outcome(decoder: HpackDecoder, decode: (decoder: HpackDecoder) => readonly string[]): string {
  try {
    const fields = decode(decoder)
    const { overflowed, headerListSizeOctets, neverIndexed } = decoder
    return JSON.stringify({
      fields,
      overflowed,
      headerListSizeOctets,
      neverIndexed,
      table: decoder.tableState(),
    })
  } catch (error) {
    if (error instanceof WireError) return error.message
    throw error
  }
}

t.test(
  'decode(encode(fields)) = fields, with the same table on both sides, through size changes',
  async (t) => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = new Random(seed)
      const encoder = new HpackEncoder({ maxTableSizeOctets: random.pick([0, 100, 300, 4096, 65536]) })
      const decoder = new HpackDecoder(UNLIMITED)
      const lists = Array.from({ length: 5 }, () => randomFields(random))
      for (let step = 0; step < 60; step++) {
        while (random.below(12) === 0) {
          const size = random.pick([0, 40, 64, 100, 333, 4096, 10000])
          encoder.setMaxTableSize(size)
          decoder.setMaxTableSize(size)
        }
        const fields = random.below(3) > 0 ? random.pick(lists) : randomFields(random)
        const never = random.below(3) === 0 ? randomOrdinals(random, fields) : []
        encoder.encode(fields, out, never)
        const block = out.take()
        const name = `seed ${seed}, step ${step}: ${toHex(block)}`
        if (step % 2 === 0) {
          const { instructions } = decoder.inspect(block)
          const steps = instructions.filter((step): step is HpackField => step.kind === 'field')
          if (JSON.stringify(steps.flatMap((step) => [step.name, step.value])) !== JSON.stringify(fields)) {
            return void t.fail(name)
          }
          for (const ordinal of never) {
            if (steps[ordinal]!.representation !== 'literal-never-indexed')
              return void t.fail(`${name}, field ${ordinal}`)
          }
          for (const step of steps) {
            const sensitive = ['authorization', 'cookie', 'set-cookie'].includes(step.name)
            if (sensitive && step.representation !== 'literal-never-indexed')
              return void t.fail(`${name}, ${step.name}`)
          }
        } else if (JSON.stringify(decoder.decode(block)) !== JSON.stringify(fields)) {
          return void t.fail(name)
        }
        if (JSON.stringify(decoder.tableState()) !== JSON.stringify(encoder.tableState())) {
          return void t.fail(`${name}, tables differ`)
        }
      }
    }
    t.pass('150 seeds')
  },
)

t.test('decode and inspect agree, and so does a decoder that has seen each block before', async (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed)
    const limit = { maxHeaderListSizeOctets: random.pick([0, 200, 600, 16384]) }
    const plain = new HpackDecoder(limit)
    const inspecting = new HpackDecoder(limit)
    for (const [i, { block }] of traffic(random, 40).entries()) {
      const first = outcome(plain, (decoder) => decoder.decode(block))
      const other = outcome(inspecting, (decoder) => decoder.inspect(block).fields)
      if (first !== other) return void t.fail(`seed ${seed}, block ${i}: ${toHex(block)}`)
    }
  }
  t.pass('60 seeds')
})

t.test('a block cut at any octet is an error or the first of its fields, and never more', async (t) => {
  let errors = 0
  for (let seed = 1; seed <= 8; seed++) {
    const blocks = traffic(new Random(seed), 5)
    for (const [i, { fields, block }] of blocks.entries()) {
      for (let end = 0; end < block.length; end++) {
        const decoder = new HpackDecoder(UNLIMITED)
        for (const earlier of blocks.slice(0, i)) decoder.decode(earlier.block)
        try {
          const some = decoder.decode(block, 0, end)
          if (some.length >= fields.length || some.some((text, at) => text !== fields[at])) {
            return void t.fail(`seed ${seed}, block ${i} cut at ${end}`)
          }
        } catch (error) {
          if (!(error instanceof WireError) || error.offset! > end)
            return void t.fail(`seed ${seed}, block ${i}: ${error}`)
          errors++
        }
      }
    }
  }
  t.ok(errors > 1000, `${errors} errors`)
})

t.test('octets around the block are never read', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed)
    const alone = new HpackDecoder(UNLIMITED)
    const inChunk = new HpackDecoder(UNLIMITED)
    for (const [i, { block }] of traffic(random, 10).entries()) {
      const end = random.below(3) === 0 ? random.below(block.length + 1) : block.length
      const chunk = Buffer.concat([random.octets(7), block.subarray(0, end), random.octets(9)])
      const one = outcome(alone, (decoder) => decoder.decode(block.subarray(0, end)))
      const other = outcome(inChunk, (decoder) => decoder.decode(chunk, 7, 7 + end))
      if (one !== other) return void t.fail(`seed ${seed}, block ${i}: ${one} is not ${other}`)
      if (one.startsWith('hpack:')) break
    }
  }
  t.pass('40 seeds')
})

t.test('random and mutated blocks: a list or a WireError with code and section, in bounds', async (t) => {
  let decoded = 0
  let refused = 0
  for (let seed = 1; seed <= 3000; seed++) {
    const random = new Random(seed)
    const limit = { maxHeaderListSizeOctets: random.pick([100, 16384, Number.POSITIVE_INFINITY]) }
    const decoder = new HpackDecoder(limit)
    const inspecting = new HpackDecoder(limit)
    const blocks = traffic(random, 1 + random.below(3)).map(({ block }) => block)
    blocks.push(random.octets(random.below(40)))
    for (const block of blocks) {
      for (let count = random.below(4); count > 0 && block.length > 0; count--) {
        block[random.below(block.length)] = random.pick([0, 0x20, 0x3f, 0x7f, 0x80, 0xff, random.below(256)])
      }
      const one = outcome(decoder, (decoder) => decoder.decode(block))
      const other = outcome(inspecting, (decoder) => decoder.inspect(block).fields)
      if (one !== other) return void t.fail(`seed ${seed}: ${one} is not ${other}`)
      const { sizeOctets, maxSizeOctets, entries } = decoder.tableState()
      const counted = entries.reduce((sum, { name, value }) => sum + 32 + name.length + value.length, 0)
      if (sizeOctets > maxSizeOctets || sizeOctets !== counted)
        return void t.fail(`seed ${seed}: table of ${sizeOctets}`)
      if (!one.startsWith('hpack:')) {
        decoded++
        continue
      }
      refused++
      if (!/^hpack: .+ at octet \d+ \(RFC 7541 §\d\.\d(\.\d)?\)$/.test(one))
        return void t.fail(`seed ${seed}: ${one}`)
      break
    }
  }
  t.ok(decoded > 500 && refused > 500, `${decoded} decoded, ${refused} refused`)
})

t.test('every step of random blocks is described in one line', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const decoder = new HpackDecoder(UNLIMITED)
    for (const { block } of traffic(new Random(seed), 10)) {
      for (const step of decoder.inspect(block).instructions) {
        const line = describeField(step)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is what is tested
        if (/[\u0000-\u001f\u007f-\u009f]/.test(line) || line.length > 600)
          return void t.fail(`seed ${seed}: ${line}`)
      }
    }
  }
  t.pass('40 seeds')
})

t.test('what a block makes the decoder allocate is bounded by its size and the limits', async (t) => {
  // Every octet a field: 16 octets a reference pair, so fields are at most a small multiple of the block.
  const decoder = new HpackDecoder(UNLIMITED)
  t.equal(decoder.decode(new Uint8Array(100_000).fill(0x82)).length, 200_000)
  // The longest expansion of Huffman coding is 8 to 5.
  const coded = Buffer.concat([Buffer.from('04ffc1990c', 'hex'), Buffer.alloc(200_000)])
  const [, value] = new HpackDecoder(UNLIMITED).decode(coded)
  t.equal(value, '0'.repeat(320_000))
})
