import t from 'tap'
import {
  beginHeaders,
  beginPushPromise,
  decodeFrames,
  describeFrame,
  endFieldBlock,
  OctetWriter,
  writeSettingsAck,
} from '../../../src/wire/index.ts'
import { toHex } from './vectors.ts'

/** A field block of `sizeOctets` written in place behind something else, then ended. */
function write(sizeOctets: number, maxFrameSize: number, capacityOctets = 16) {
  const out = new OctetWriter(capacityOctets)
  writeSettingsAck(out)
  const block = Uint8Array.from({ length: sizeOctets }, (_, index) => index % 251)
  const start = beginHeaders(out, 7, true)
  out.octets(block)
  endFieldBlock(out, start, maxFrameSize)
  writeSettingsAck(out)
  const [before, ...frames] = decodeFrames(out.take())
  const after = frames.pop()!
  return { before, frames, after, block }
}

t.test('RFC 9113 §4.3: a block that fits stays in its HEADERS frame', async (t) => {
  for (const size of [0, 1, 99, 100]) {
    const { frames } = write(size, 100)
    t.same(frames.map(describeFrame), [
      `HEADERS stream 7 END_STREAM END_HEADERS ${size} octet${size === 1 ? '' : 's'}`,
    ])
  }
})

t.test(
  'RFC 9113 §6.10: a larger block is cut into CONTINUATION, only the last with END_HEADERS',
  async (t) => {
    t.same(write(101, 100).frames.map(describeFrame), [
      'HEADERS stream 7 END_STREAM 100 octets',
      'CONTINUATION stream 7 END_HEADERS 1 octet',
    ])
    t.same(write(350, 100).frames.map(describeFrame), [
      'HEADERS stream 7 END_STREAM 100 octets',
      'CONTINUATION stream 7 100 octets',
      'CONTINUATION stream 7 100 octets',
      'CONTINUATION stream 7 END_HEADERS 50 octets',
    ])
  },
)

t.test('the parts join to the block, whatever its size, and what stands around it is kept', async (t) => {
  for (const maxFrameSize of [1, 8, 9, 10, 64]) {
    for (let size = 0; size < 70; size++) {
      const { before, frames, after, block } = write(size, maxFrameSize, 1 + size)
      const parts = frames.map((frame) => ('fragment' in frame ? frame.fragment : new Uint8Array(0)))
      t.equal(toHex(Buffer.concat(parts)), toHex(block), `${size} octets in frames of ${maxFrameSize}`)
      t.equal(frames.length, Math.max(1, Math.ceil(size / maxFrameSize)))
      t.equal(before && describeFrame(before), 'SETTINGS connection ACK')
      t.equal(describeFrame(after), 'SETTINGS connection ACK')
    }
  }
})

t.test('RFC 9113 §6.6: the promised stream counts into the size of PUSH_PROMISE', async (t) => {
  const out = new OctetWriter()
  const start = beginPushPromise(out, 0x7fffffff, 2)
  out.octets(new Uint8Array(100))
  endFieldBlock(out, start, 64)
  t.same(decodeFrames(out.take()).map(describeFrame), [
    'PUSH_PROMISE stream 2147483647 promises stream 2, 64 octets',
    'CONTINUATION stream 2147483647 END_HEADERS 40 octets',
  ])
})
