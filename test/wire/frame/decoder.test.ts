import t from 'tap'
import {
  describeFrame,
  type Frame,
  type FrameContent,
  FrameDecoder,
  FrameReader,
  FrameSinkBase,
  OctetWriter,
  WireError,
  writeData,
  writeFrame,
  writePing,
  writeRawFrame,
} from '../../../src/wire/index.ts'
import { fromHex, readVectors, toErrorVector, toHex, toVector, vectorFiles } from './vectors.ts'

/** Reads `octets` in the chunks that `cuts` make of them. */
function read(octets: Uint8Array, cuts: readonly number[], maxFrameSize?: number) {
  const reader = new FrameReader(maxFrameSize === undefined ? {} : { maxFrameSize })
  const frames: Frame[] = []
  let start = 0
  for (const end of [...cuts, octets.length]) {
    // A fresh copy a chunk: what is kept of it must not depend on its surroundings.
    frames.push(...reader.push(octets.slice(start, end)))
    start = end
  }
  return { frames, error: reader.error }
}

t.test('vectors', async (t) => {
  t.ok(vectorFiles.length >= 12)
  for (const file of vectorFiles) {
    for (const vector of readVectors(file)) {
      t.test(`${vector.section}: ${vector.name} (${file})`, async (t) => {
        const octets = fromHex(vector.input)
        const { frames, error } = read(octets, [], vector.maxFrameSize)
        // The frame that ends the connection is told last, as INVALID.
        const told = vector.error === undefined ? frames : frames.slice(0, -1)
        t.same(told.map(toVector), vector.expect ?? [])
        t.same(told.map(describeFrame), vector.lines ?? [])
        if (vector.error === undefined) t.equal(error, undefined)
        else {
          const { offset = 0, ...expected } = vector.error
          t.same(error && toErrorVector(error), expected)
          t.equal(error?.layer, 'frame')
          t.equal(error?.offset, offset)
        }

        // The same with the input cut at every octet, and in single octets.
        const summary = JSON.stringify([frames.map(toVector), frames.map(describeFrame)])
        const single = Array.from(octets.keys()).slice(1)
        for (const cuts of [single, ...single.map((cut) => [cut])]) {
          const again = read(octets, cuts, vector.maxFrameSize)
          t.equal(JSON.stringify([again.frames.map(toVector), again.frames.map(describeFrame)]), summary)
          t.equal(again.error?.message, error?.message)
        }

        // The same octets come out of the writers.
        if (vector.error === undefined && !vector.notCanonical) {
          const out = new OctetWriter(1)
          for (const frame of frames) writeFrame(out, frame as FrameContent)
          t.equal(toHex(out.take()), toHex(octets))
        }
      })
    }
  }
})

t.test('each frame has its place in all octets, whatever the chunks', async (t) => {
  const out = new OctetWriter()
  const starts: number[] = []
  for (let index = 0; index < 40; index++) {
    starts.push(1000 + out.length)
    writeData(out, 1, false, new Uint8Array(index))
  }
  const octets = out.take()
  for (const size of [1, 7, 64, octets.length]) {
    const reader = new FrameReader({ offset: 1000 })
    const offsets: number[] = []
    for (let at = 0; at < octets.length; at += size) {
      const end = Math.min(at + size, octets.length)
      offsets.push(...reader.push(octets, at, end).map((frame) => frame.offset))
    }
    t.same(offsets, starts)
  }
})

/** Writes down every DATA call, and where its chunk came from. */
class DataCalls extends FrameSinkBase {
  readonly calls: unknown[] = []
  readonly chunks: Uint8Array[] = []
  override onDataStart(...call: unknown[]) {
    this.calls.push(['start', ...call])
  }
  override onDataPiece(streamId: number, chunk: Uint8Array, start: number, end: number, endStream: boolean) {
    this.calls.push(['piece', streamId, start, end, endStream])
    this.chunks.push(chunk)
  }
}

t.test('RFC 9113 §6.1: DATA is told in pieces of the chunks themselves, padding counted once', async (t) => {
  const out = new OctetWriter()
  writeData(out, 5, true, new Uint8Array(10).fill(7), 0, 10, 3)
  const octets = out.take()
  const sink = new DataCalls()
  const decoder = new FrameDecoder(sink)
  const first = octets.subarray(0, 14)
  decoder.push(first)
  t.same(sink.calls, [
    ['start', 5, 14, 4, true],
    ['piece', 5, 10, 14, false],
  ])
  decoder.push(octets, 14, 21)
  t.same(sink.calls.slice(2), [['piece', 5, 14, 20, false]])
  t.equal(sink.chunks[0], first)
  t.equal(sink.chunks[1], octets)
  t.notOk(decoder.atFrameBoundary)
  decoder.push(octets, 21)
  // The stream has ended only now that the last octet of padding is here.
  t.same(sink.calls.slice(3), [['piece', 5, 21, 21, true]])
  t.ok(decoder.atFrameBoundary)
})

t.test('RFC 9113 §6.1: an empty DATA frame is told, with a piece only if it ends the stream', async (t) => {
  const out = new OctetWriter()
  writeData(out, 1, false, new Uint8Array(0))
  writeData(out, 1, true, new Uint8Array(0))
  const sink = new DataCalls()
  new FrameDecoder(sink).push(out.view())
  t.same(sink.calls, [
    ['start', 1, 0, 0, false],
    ['start', 1, 0, 0, true],
    ['piece', 1, 18, 18, true],
  ])
})

t.test('RFC 9113 §4.2: maxFrameSize can change between frames, and the largest frame is taken', async (t) => {
  const out = new OctetWriter()
  writeData(out, 1, false, new Uint8Array(16_384))
  const octets = out.take()
  const sink = new DataCalls()
  const decoder = new FrameDecoder(sink)
  decoder.push(octets)
  t.same(sink.calls[0], ['start', 1, 16_384, 0, false])
  decoder.maxFrameSize = 16_385
  writeData(out, 1, false, new Uint8Array(16_385))
  decoder.push(out.take())
  t.same(sink.calls[2], ['start', 1, 16_385, 0, false])
  decoder.maxFrameSize = 16_384
  writeData(out, 1, false, new Uint8Array(16_385))
  t.throws(() => decoder.push(out.view()), { code: 6, section: 'RFC 9113 §4.2' })
})

t.test('RFC 9113 §6.5.2: a maxFrameSize that no SETTINGS can say is refused', async (t) => {
  const decoder = new FrameDecoder(new FrameSinkBase())
  for (const maxFrameSize of [0, 16_383, 16_777_216, 20_000.5, Number.NaN]) {
    const message = `maxFrameSize is ${maxFrameSize}, allowed are 16384 to 16777215 octets (RFC 9113 §6.5.2)`
    t.throws(() => new FrameReader({ maxFrameSize }), new RangeError(message))
    t.throws(() => {
      decoder.maxFrameSize = maxFrameSize
    }, new RangeError(message))
  }
  t.equal(decoder.maxFrameSize, 16_384)
  const reader = new FrameReader({ maxFrameSize: 16_777_215 })
  t.equal(reader.maxFrameSize, 16_777_215)
  reader.maxFrameSize = 20_000
  t.equal(reader.maxFrameSize, 20_000)
})

t.test('RFC 9113 §5.4.1: after an error of the connection nothing is told any more', async (t) => {
  const sink = new DataCalls()
  const decoder = new FrameDecoder(sink)
  let first: unknown
  try {
    decoder.push(fromHex('000001 00 00 00000000 61'))
  } catch (error) {
    first = error
  }
  t.ok(first instanceof WireError)
  t.match(
    (first as WireError).message,
    'frame: DATA on stream 0, allowed on streams only at octet 0 (RFC 9113 §6.1)',
  )
  try {
    decoder.push(fromHex('000001 00 00 00000001 61'))
    t.fail('decoding went on')
  } catch (error) {
    t.equal(error, first)
  }
  t.same(sink.calls, [])
  const reader = new FrameReader()
  t.equal(reader.push(fromHex('000001 00 00 00000000 61')).length, 1)
  t.same(reader.push(fromHex('000001 00 00 00000001 61')), [])
})

t.test('a sink can stop the decoder, and what it throws comes out of push', async (t) => {
  class Stopper extends FrameSinkBase {
    pings = 0
    override onPing() {
      this.pings++
      if (this.pings === 2) decoder.stop()
    }
    override onGoaway() {
      throw new Error('enough')
    }
  }
  const out = new OctetWriter()
  for (let count = 0; count < 3; count++) writePing(out, false, new Uint8Array(8))
  const sink = new Stopper()
  const decoder = new FrameDecoder(sink)
  decoder.push(out.view())
  decoder.push(out.view())
  t.equal(sink.pings, 2)

  const thrower = new FrameDecoder(sink)
  const goaway = fromHex('000008 07 00 00000000 0000000000000000')
  t.throws(() => thrower.push(goaway), { message: 'enough' })
  t.throws(() => thrower.push(out.view()), { message: 'enough' })
  t.equal(sink.pings, 2)
})

t.test('a stopped DATA frame is not told any further', async (t) => {
  class Stopper extends DataCalls {
    override onDataStart() {
      decoder.stop()
    }
  }
  const sink = new Stopper()
  const decoder = new FrameDecoder(sink)
  decoder.push(fromHex('000002 00 01 00000001 6161'))
  t.same(sink.calls, [])
})

t.test('the base sink hears everything and does nothing', async (t) => {
  const decoder = new FrameDecoder(new FrameSinkBase())
  for (const file of vectorFiles) {
    for (const vector of readVectors(file)) {
      if (vector.error === undefined) decoder.push(fromHex(vector.input))
    }
  }
  t.ok(decoder.atFrameBoundary)
})

t.test('a frame that trickles in is put together with little more memory than its octets', async (t) => {
  const out = new OctetWriter()
  writeRawFrame(out, { type: 0xbb, payload: new Uint8Array(100_000).fill(1) })
  const octets = out.take()
  const reader = new FrameReader({ maxFrameSize: 16_777_215 })
  const frames: Frame[] = []
  for (let at = 0; at < octets.length; at++) frames.push(...reader.push(octets, at, at + 1))
  t.equal(frames.length, 1)
  t.same((frames[0] as { payload?: Uint8Array }).payload, octets.subarray(9))
})
