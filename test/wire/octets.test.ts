import t from 'tap'
import {
  copyOctets,
  OctetWriter,
  putUint32,
  readUint16,
  readUint24,
  readUint32,
} from '../../src/wire/octets.ts'

t.test('big-endian integers are written and read back', async (t) => {
  const out = new OctetWriter(1)
  out.uint8(0xab)
  out.uint16(0xfffe)
  out.uint24(0xfffefd)
  out.uint32(0xfffefdfc)
  const octets = out.take()
  t.equal(Buffer.from(octets).toString('hex'), 'abfffefffefdfffefdfc')
  t.equal(readUint16(octets, 1), 0xfffe)
  t.equal(readUint24(octets, 3), 0xfffefd)
  t.equal(readUint32(octets, 6), 0xfffefdfc)
  t.equal(out.length, 0)
})

t.test('reserve leaves room that is filled in afterwards', async (t) => {
  const out = new OctetWriter()
  const at = out.reserve(4)
  out.text('grüße')
  putUint32(out.buffer, at, out.length - 4)
  t.equal(Buffer.from(out.view()).toString('hex'), `00000007${Buffer.from('grüße').toString('hex')}`)
  out.clear()
  t.equal(out.view().length, 0)
})

t.test('growing keeps what was written; parts of octets can be appended', async (t) => {
  const out = new OctetWriter(2)
  const all = Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff)
  out.octets(all, 1, 3)
  out.octets(all)
  t.same([...out.take()], [1, 2, ...all])
})

t.test('what was taken does not change when the writer is used again', async (t) => {
  const out = new OctetWriter()
  out.uint8(1)
  const taken = out.take()
  out.uint8(2)
  t.same([...taken], [1])
})

t.test('copies any part of any size', async (t) => {
  const from = Uint8Array.from({ length: 300 }, (_, index) => index)
  for (const size of [0, 1, 63, 64, 65, 200, 300]) {
    for (const start of [0, 300 - size]) {
      const to = new Uint8Array(310).fill(0xee)
      copyOctets(from, start, start + size, to, 5)
      const expected = new Uint8Array(310).fill(0xee)
      expected.set(from.subarray(start, start + size), 5)
      t.strictSame(to, expected, `${size} octets from ${start}`)
    }
  }
})
