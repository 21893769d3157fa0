/** Properties of decoder and writers over random frames, mutated frames and random octets; the seed names each case. */
import t from 'tap'
import {
  decodeFrames,
  describeFrame,
  FrameReader,
  OctetWriter,
  WireError,
  writeFrame,
  writeFrameHeader,
} from '../../../src/wire/index.ts'
import { Random } from '../protobuf/random.ts'
import { randomFrames } from './random-frames.ts'
import { toHex, toVector } from './vectors.ts'

function write(seed: number, count: number) {
  const random = new Random(seed)
  const frames = randomFrames(random, count)
  const out = new OctetWriter(16)
  for (const frame of frames) writeFrame(out, frame)
  return { random, frames, octets: out.take() }
}

/** Octets as hex, so that a difference can be read. */
function readable(value: object): unknown {
  const replace = (_name: string, field: unknown) => (field instanceof Uint8Array ? toHex(field) : field)
  return JSON.parse(JSON.stringify(value, replace))
}

t.test('decode(encode(frames)) = frames, and encode(decode(octets)) = octets', async (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const { frames, octets } = write(seed, 20)
    const decoded = decodeFrames(octets)
    const contents = decoded.map(({ type, flags, length, offset, ...content }) =>
      content.kind === 'IGNORED' ? { ...content, type, flags } : content,
    )
    // Frames of the connection have no stream in what was written.
    const expected = frames.map((frame) => ({ streamId: 0, ...frame }))
    t.same(contents.map(readable), expected.map(readable), `seed ${seed}`)
    let at = 0
    for (const frame of decoded) {
      if (frame.offset !== at)
        t.fail(`seed ${seed}: ${describeFrame(frame)} starts at ${frame.offset}, not ${at}`)
      at += 9 + frame.length
    }
    t.equal(at, octets.length, `seed ${seed}`)
  }
})

/** What a reader makes of `octets` in random chunks. */
function readInChunks(random: Random, octets: Uint8Array) {
  const reader = new FrameReader()
  const told: string[] = []
  for (let at = 0; at < octets.length; ) {
    const end = Math.min(octets.length, at + 1 + random.below(random.pick([3, 40, 3000])))
    for (const frame of reader.push(octets, at, end)) {
      told.push(`${JSON.stringify(toVector(frame))} ${describeFrame(frame)}`)
    }
    at = end
  }
  return { told, error: reader.error?.message }
}

/** Throws if reading throws anything, or if it depends on the chunks. */
function readTwice(random: Random, octets: Uint8Array) {
  const whole = new FrameReader()
  const told = whole.push(octets).map((frame) => `${JSON.stringify(toVector(frame))} ${describeFrame(frame)}`)
  return { whole: { told, error: whole.error?.message }, chunked: readInChunks(random, octets) }
}

t.test('mutated frames are told or refused, the same in any chunks', async (t) => {
  let refused = 0
  for (let seed = 1; seed <= 400; seed++) {
    const { random, octets } = write(seed, 12)
    const mutated = octets.slice()
    for (let count = 1 + random.below(6); count > 0; count--)
      mutated[random.below(mutated.length)] = random.below(256)
    const { whole, chunked } = readTwice(random, mutated)
    if (whole.error !== undefined) refused++
    t.same(chunked, whole, `seed ${seed}`)
  }
  t.ok(refused > 40, `${refused} of 400 are refused`)
  t.ok(refused < 390, `${400 - refused} of 400 are not`)
})

t.test('random octets are told or refused, the same in any chunks', async (t) => {
  for (let seed = 1; seed <= 400; seed++) {
    const random = new Random(seed)
    const octets = random.octets(random.below(2000))
    // Lengths that are not refused at once, so that the payloads are reached.
    for (let at = 0; at < octets.length; at += 9 + random.below(40)) octets.fill(0, at, at + 2)
    const { whole, chunked } = readTwice(random, octets)
    t.same(chunked, whole, `seed ${seed}`)
  }
})

t.test('octets that end inside a frame or a field block are no whole frames', async (t) => {
  const { octets } = write(7, 6)
  for (let end = 0; end < octets.length; end++) {
    const reader = new FrameReader()
    reader.push(octets, 0, end)
    if (reader.atFrameBoundary) t.doesNotThrow(() => decodeFrames(octets.subarray(0, end)))
    else
      t.throws(() => decodeFrames(octets.subarray(0, end), { offset: 5 }), {
        message: /octets end inside/,
        offset: end + 5,
      })
  }
  t.ok(decodeFrames(new Uint8Array(0)).length === 0)
})

t.test('memory follows what has arrived, not what a header claims', async (t) => {
  const out = new OctetWriter()
  // HEADERS of 16 MiB of which 100 octets come.
  writeFrameHeader(out, 16_777_215, 1, 4, 1)
  out.octets(new Uint8Array(100))
  const readers: FrameReader[] = []
  const before = process.memoryUsage().arrayBuffers
  for (let count = 0; count < 500; count++) {
    const reader = new FrameReader({ maxFrameSize: 16_777_215 })
    reader.push(out.view())
    readers.push(reader)
  }
  const each = (process.memoryUsage().arrayBuffers - before) / readers.length
  t.ok(each < 1000, `${each} octets a reader`)
})

t.test('a WireError is all that decodeFrames throws', async (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed)
    try {
      decodeFrames(random.octets(random.below(60)))
    } catch (error) {
      t.ok(error instanceof WireError, `seed ${seed}`)
    }
  }
})
