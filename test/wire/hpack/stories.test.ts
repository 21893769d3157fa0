/** Field blocks of other encoders, decoded; and ours of the same fields. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { HpackDecoder, HpackEncoder, OctetWriter } from '../../../src/wire/index.ts'
import { type FieldVector, fromHex } from './vectors.ts'

interface Stories {
  encoder: string
  stories: {
    name: string
    blocks: { fields: FieldVector[]; tableSizes?: number[]; never?: number[]; wire: string }[]
  }[]
}

const folder = new URL('../../vectors/hpack-stories/', import.meta.url)
const UNLIMITED = { maxHeaderListSizeOctets: Number.POSITIVE_INFINITY }

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const { encoder: origin, stories } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Stories
  for (const { name, blocks } of stories) {
    t.test(`${origin}: ${name}`, async (t) => {
      const decoder = new HpackDecoder(UNLIMITED)
      const encoder = new HpackEncoder()
      const peer = new HpackDecoder(UNLIMITED)
      const out = new OctetWriter()
      let theirs = 0
      let ours = 0
      for (const [i, { fields, tableSizes, never, wire }] of blocks.entries()) {
        for (const size of tableSizes ?? []) {
          decoder.setMaxTableSize(size)
          encoder.setMaxTableSize(size)
          peer.setMaxTableSize(size)
        }
        const block = fromHex(wire)
        const expected = fields.flat()
        t.same(decoder.decode(block), expected, `block ${i}`)
        for (const ordinal of never ?? [])
          t.ok(decoder.neverIndexed.includes(ordinal), `block ${i}, field ${ordinal}`)
        encoder.encode(expected, out, decoder.neverIndexed)
        const again = out.take()
        t.same(peer.decode(again), expected, `block ${i}, ours`)
        for (const ordinal of decoder.neverIndexed) {
          t.ok(peer.neverIndexed.includes(ordinal), `block ${i}, field ${ordinal} forwarded`)
        }
        t.same(peer.tableState(), encoder.tableState(), `block ${i}, table`)
        theirs += block.length
        ours += again.length
      }
      t.comment(`${theirs} octets, ours ${ours}`)
    })
  }
}
