/** The ordered output of a connection. */
import t from 'tap'
import { FrameOutput } from '../../../src/http2/pure/frame-output.ts'

t.test('written and referenced octets leave in order, referenced ones uncopied', async (t) => {
  const output = new FrameOutput()
  t.equal(output.isOpen, false, 'holds no buffer until it is needed')
  output.open()
  output.writer.text('one ')
  const large = Buffer.from('two three ')
  output.reference(large, 4, 10)
  output.reference(large, 0, large.length)
  output.writer.text('four')
  t.equal(output.sizeOctets, 24)
  const parts = output.take()
  t.equal(Buffer.concat(parts).toString(), 'one three two three four')
  t.equal(parts[2], large)
  t.equal(parts[1]!.buffer, large.buffer)
  t.strictSame(
    parts.map((part) => output.owns(part)),
    [true, false, false, true],
  )
  output.release(true)
  t.equal(output.isOpen, false)
  t.equal(output.sizeOctets, 0)
})

t.test('a buffer is used again only when it was said to be free', async (t) => {
  const output = new FrameOutput()
  output.open()
  output.writer.text('kept')
  const [kept] = output.take()
  output.release(false)
  for (let n = 0; n < 40; n++) {
    output.open()
    output.writer.text('over')
    output.take()
    output.release(true)
  }
  t.equal(Buffer.from(kept!).toString(), 'kept')
})

t.test('more than a buffer holds', async (t) => {
  const output = new FrameOutput()
  output.open()
  const expected: Buffer[] = []
  for (let n = 0; n < 300; n++) {
    const piece = Buffer.alloc(1000, n)
    expected.push(piece)
    if (n % 7 === 0) output.reference(piece, 0, 1000)
    else output.writer.octets(piece)
  }
  t.equal(output.sizeOctets, 300_000)
  t.ok(Buffer.concat(output.take()).equals(Buffer.concat(expected)))
  output.release(true)
})
