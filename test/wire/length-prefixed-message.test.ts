import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  MessageDecoder,
  MessageFramingError,
  type MessageSink,
  writeMessagePrefix,
} from '../../src/wire/length-prefixed-message.ts'

interface Told {
  compressed: boolean
  octets: string
}
const vectors: {
  limitOctets: number
  messages: { section: string; input: string; expect: Told[] }[]
  malformed: { section: string; input?: string; ascii?: string; fault: string; text: string }[]
} = JSON.parse(readFileSync(new URL('../vectors/grpc/length-prefixed-message.json', import.meta.url), 'utf8'))

const fromHex = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')

class Collector implements MessageSink {
  readonly told: Told[] = []
  readonly chunks: Uint8Array[] = []
  onMessage(compressed: boolean, chunk: Uint8Array, start: number, end: number): boolean {
    this.told.push({ compressed, octets: Buffer.from(chunk.subarray(start, end)).toString('hex') })
    this.chunks.push(chunk)
    return true
  }
}

function decode(pieces: readonly Uint8Array[], limitOctets?: number): Told[] {
  const decoder = new MessageDecoder(limitOctets)
  const sink = new Collector()
  for (const piece of pieces) {
    // Offsets on purpose: what lies around must not be read.
    const chunk = Buffer.concat([Buffer.of(0xee, 0xee), piece, Buffer.of(0xee)])
    const stopped = decoder.push(chunk, 2, 2 + piece.length, sink)
    if (stopped !== 2 + piece.length) throw new Error(`stopped at ${stopped}`)
  }
  decoder.end()
  return sink.told
}

function faultOf(run: () => void): string | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof MessageFramingError && error.layer === 'length-prefixed-message') return error.fault
    throw error
  }
  return undefined
}

function framed(payload: Uint8Array, compressed = false): Uint8Array {
  const octets = Buffer.alloc(5 + payload.length)
  octets.set(payload, 5)
  writeMessagePrefix(octets, 0, compressed, payload.length)
  return octets
}

/** Every way to cut the input in two, and octet by octet. */
function cuts(input: Uint8Array): Uint8Array[][] {
  const all: Uint8Array[][] = [[input], Array.from(input, (octet) => Uint8Array.of(octet))]
  for (let at = 0; at <= input.length; at++) all.push([input.subarray(0, at), input.subarray(at)])
  return all
}

t.test(
  'gRPC PROTOCOL-HTTP2 Length-Prefixed-Message: the prefix is a flag and a big-endian length',
  async (t) => {
    const octets = Buffer.alloc(7, 0xee)
    writeMessagePrefix(octets, 1, true, 0x01020304)
    t.equal(octets.toString('hex'), 'ee0101020304ee')
    writeMessagePrefix(octets, 2, false, 0xffffffff)
    t.equal(octets.toString('hex'), 'ee0100ffffffff')
    t.throws(() => writeMessagePrefix(octets, 0, false, 2 ** 32), RangeError)
    t.throws(() => writeMessagePrefix(octets, 0, false, -1), RangeError)
    t.throws(() => writeMessagePrefix(octets, 0, false, Number.NaN), RangeError)
    t.throws(() => writeMessagePrefix(octets, 3, false, 1), RangeError)
    t.throws(() => writeMessagePrefix(octets, -1, false, 1), RangeError)
  },
)

t.test('messages come out, wherever the input is cut', async (t) => {
  for (const { section, input, expect } of vectors.messages) {
    for (const pieces of cuts(fromHex(input))) {
      t.strictSame(decode(pieces), expect, `${section}, ${pieces.map((piece) => piece.length)}`)
    }
  }
})

t.test('what is no message is an error that says so, wherever the input is cut', async (t) => {
  for (const { section, input, ascii, fault, text } of vectors.malformed) {
    const octets = ascii === undefined ? fromHex(input!) : Buffer.from(ascii, 'latin1')
    t.equal(
      faultOf(() => decode([octets], vectors.limitOctets)),
      fault,
      section,
    )
    for (const pieces of cuts(octets)) {
      try {
        decode(pieces, vectors.limitOctets)
        t.fail(`${section}: no error for ${pieces.map((piece) => piece.length)}`)
      } catch (error) {
        if (!(error instanceof MessageFramingError) || error.fault !== fault) t.fail(`${section}: ${error}`)
      }
    }
    try {
      decode([octets], vectors.limitOctets)
    } catch (error) {
      t.ok((error as Error).message.includes(text), `${section}: ${(error as Error).message}`)
    }
  }
})

t.test('sizes 0, 1, the limit, one above it, and 16 MiB', async (t) => {
  const limitOctets = 16 * 1024 * 1024
  for (const sizeOctets of [0, 1, 16383, 16384, 16385, 65536, limitOctets]) {
    const payload = Buffer.alloc(sizeOctets, 0x5a)
    const input = framed(payload)
    for (const pieceOctets of [input.length, 16384, 65521]) {
      const decoder = new MessageDecoder(limitOctets)
      const sizes: number[] = []
      let equal = false
      const sink: MessageSink = {
        onMessage(_compressed, chunk, start, end) {
          sizes.push(end - start)
          equal = payload.equals(chunk.subarray(start, end))
          return true
        },
      }
      for (let at = 0; at < input.length; at += pieceOctets) {
        decoder.push(input, at, Math.min(input.length, at + pieceOctets), sink)
      }
      decoder.end()
      t.strictSame([sizes, equal], [[sizeOctets], true], `${sizeOctets} octets in pieces of ${pieceOctets}`)
    }
  }
  t.equal(
    faultOf(() => decode([framed(Buffer.alloc(11))], 10)),
    'too-large',
  )
  t.same(decode([framed(Buffer.alloc(10))], 10).length, 1)
  const huge = new MessageDecoder(Infinity)
  huge.push(Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff, 1), 0, 6, new Collector())
  t.equal(huge.pendingOctets, 6, 'no limit means none')
})

t.test('the default limit is 4 MiB', async (t) => {
  const decoder = new MessageDecoder()
  t.equal(decoder.push(Uint8Array.of(0, 0, 0x40, 0, 0), 0, 5, new Collector()), 5)
  t.throws(() => new MessageDecoder().push(Uint8Array.of(0, 0, 0x40, 0, 1), 0, 5, new Collector()), {
    message: /Received message larger than max \(4194305 vs 4194304\)/,
  })
})

t.test('a message that lies whole in a chunk is told by offsets, without a copy', async (t) => {
  const decoder = new MessageDecoder()
  const sink = new Collector()
  const chunk = Buffer.concat([
    framed(Buffer.from('one')),
    framed(Buffer.from('two')),
    framed(Buffer.from('three')),
  ])
  decoder.push(chunk, 0, chunk.length - 2, sink)
  t.equal(sink.chunks[0], chunk)
  t.equal(sink.chunks[1], chunk)
  t.equal(decoder.pendingOctets, 8)
  decoder.push(chunk, chunk.length - 2, chunk.length, sink)
  t.not(sink.chunks[2], chunk, 'the one that was cut has its own buffer')
  t.equal(sink.chunks[2]!.length, 5)
  t.equal(decoder.pendingOctets, 0)
})

t.test('a declared length alone allocates little', async (t) => {
  const before = process.memoryUsage().arrayBuffers
  const decoders: MessageDecoder[] = []
  for (let i = 0; i < 200; i++) {
    const decoder = new MessageDecoder()
    decoder.push(Uint8Array.of(0, 0, 0x40, 0, 0, 1, 2, 3, 4, 5), 0, 10, new Collector())
    decoders.push(decoder)
  }
  const grownOctets = process.memoryUsage().arrayBuffers - before
  t.ok(grownOctets < decoders.length * 32768, `200 x 4 MiB declared, ${grownOctets} octets allocated`)
})

t.test('back-pressure: the sink stops after a message, the rest is pushed later', async (t) => {
  const input = Buffer.concat(['a', 'b', 'c', 'd'].map((text) => framed(Buffer.from(text))))
  for (let cut = 0; cut <= input.length; cut++) {
    const decoder = new MessageDecoder()
    const told: string[] = []
    const sink: MessageSink = {
      onMessage(_compressed, chunk, start, end) {
        told.push(Buffer.from(chunk.subarray(start, end)).toString())
        return false
      },
    }
    let pushes = 0
    for (const [from, to] of [
      [0, cut],
      [cut, input.length],
    ] as const) {
      let at = from
      while (at < to) {
        const before = told.length
        at = decoder.push(input, at, to, sink)
        pushes++
        if (told.length > before + 1) t.fail(`cut at ${cut}: went on although told to stop`)
      }
    }
    decoder.end()
    t.strictSame(told, ['a', 'b', 'c', 'd'], `cut at ${cut}, ${pushes} pushes`)
  }
})

t.test('an error stays', async (t) => {
  const decoder = new MessageDecoder()
  const sink = new Collector()
  t.equal(
    faultOf(() => decoder.push(Uint8Array.of(9, 0, 0, 0, 0), 0, 5, sink)),
    'reserved-flag',
  )
  t.equal(
    faultOf(() => decoder.push(Uint8Array.of(0, 0, 0, 0, 0), 0, 5, sink)),
    'reserved-flag',
  )
  t.equal(
    faultOf(() => decoder.end()),
    'reserved-flag',
  )
  t.equal(sink.told.length, 0)
})

t.test('an exception of the sink passes through and loses no message', async (t) => {
  const decoder = new MessageDecoder()
  const input = Buffer.concat([framed(Buffer.from('a')), framed(Buffer.from('b'))])
  t.throws(
    () =>
      decoder.push(input, 0, 6, {
        onMessage() {
          throw new Error('mine')
        },
      }),
    { message: 'mine' },
  )
  const sink = new Collector()
  decoder.push(input, 6, 12, sink)
  t.equal(sink.told.length, 1)
})

t.test('random messages in random pieces', async (t) => {
  const seed = 1234567
  let state = seed
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % below
  }
  for (let round = 0; round < 300; round++) {
    const expect: Told[] = []
    const parts: Uint8Array[] = []
    for (let i = random(6); i >= 0; i--) {
      const payload = Buffer.alloc(random(3) === 0 ? random(40000) : random(20), random(256))
      const compressed = random(2) === 1
      parts.push(framed(payload, compressed))
      expect.push({ compressed, octets: payload.toString('hex') })
    }
    const input = Buffer.concat(parts)
    const pieces: Uint8Array[] = []
    for (let at = 0; at < input.length; ) {
      const size = 1 + (random(4) === 0 ? random(12) : random(30000))
      pieces.push(input.subarray(at, at + size))
      at += size
    }
    const told = decode(pieces)
    if (JSON.stringify(told) !== JSON.stringify(expect)) t.fail(`seed ${seed}, round ${round}`)
  }
})

t.test('random octets never do anything but fail or wait', async (t) => {
  const seed = 99
  let state = seed
  for (let round = 0; round < 2000; round++) {
    const octets = Uint8Array.from({ length: 24 }, () => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
      return (state >>> 8) & (round & 1 ? 0xff : 0x03)
    })
    try {
      decode([octets.subarray(0, 7), octets.subarray(7)], 4096)
    } catch (error) {
      if (!(error instanceof MessageFramingError)) t.fail(`seed ${seed}, round ${round}: ${error}`)
    }
  }
})

t.test('a large message in pieces of any size is put together again', async (t) => {
  const payload = Uint8Array.from({ length: 200_000 }, (_, index) => index * 7 + (index >>> 8))
  const input = Buffer.concat([framed(payload), framed(Buffer.from('next'))])
  for (const sizes of [[1], [100], [4095], [4096], [16_384], [65_536], [1, 5000], [5000, 100, 3, 20_000]]) {
    const decoder = new MessageDecoder()
    const sink = new Collector()
    for (let at = 0, turn = 0; at < input.length; turn++) {
      const end = Math.min(input.length, at + sizes[turn % sizes.length]!)
      decoder.push(input, at, end, sink)
      at = end
    }
    decoder.end()
    t.equal(sink.told.length, 2, `pieces of ${sizes} octets`)
    t.equal(sink.told[0]!.octets === Buffer.from(payload).toString('hex'), true, 'the same octets')
    t.equal(sink.told[1]!.octets, Buffer.from('next').toString('hex'))
    t.equal(decoder.pendingOctets, 0)
  }
})

t.test('small pieces of a large message take no more memory than they have octets', async (t) => {
  const decoder = new MessageDecoder()
  const sink = new Collector()
  const before = process.memoryUsage().arrayBuffers
  decoder.push(Uint8Array.of(0, 0, 0x30, 0, 0), 0, 5, sink)
  let sent = 0
  // every piece in a chunk of its own, which is not kept
  for (; sent < 1 << 20; sent += 1000) decoder.push(new Uint8Array(1000), 0, 1000, sink)
  t.equal(decoder.pendingOctets, sent + 5)
  const kept = process.memoryUsage().arrayBuffers - before
  t.ok(kept < 2 * sent + 1e6, `${kept} octets are held for ${sent}`)
  t.equal(sink.told.length, 0)
  t.equal(
    faultOf(() => decoder.end()),
    'truncated',
  )
})
