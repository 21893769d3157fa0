/**
 * Message framing: time and octets allocated per message, whole in a chunk and cut.
 *
 * Run: `node --expose-gc --import=tsx bench/wire/length-prefixed-message.ts`
 */
import {
  MessageDecoder,
  type MessageSink,
  writeMessagePrefix,
} from '../../src/wire/length-prefixed-message.ts'

class Counter implements MessageSink {
  messages = 0
  octets = 0
  onMessage(_compressed: boolean, _chunk: Uint8Array, start: number, end: number): boolean {
    this.messages++
    this.octets += end - start
    return true
  }
}

function chunkOf(messages: number, sizeOctets: number): Uint8Array {
  const chunk = Buffer.alloc(messages * (5 + sizeOctets), 1)
  for (let i = 0; i < messages; i++) writeMessagePrefix(chunk, i * (5 + sizeOctets), false, sizeOctets)
  return chunk
}

/** Pushes `chunk` in pieces until `messages` are told; prints the best of several rounds. */
function measure(name: string, chunk: Uint8Array, pieceOctets: number, messages: number): void {
  const decoder = new MessageDecoder()
  const sink = new Counter()
  const run = (count: number) => {
    const goal = sink.messages + count
    while (sink.messages < goal) {
      for (let at = 0; at < chunk.length; at += pieceOctets) {
        decoder.push(chunk, at, Math.min(chunk.length, at + pieceOctets), sink)
      }
    }
  }
  run(messages)
  let bestNs = Infinity
  let allocatedOctets = Infinity
  for (let round = 0; round < 7; round++) {
    globalThis.gc?.()
    const before = process.memoryUsage()
    const start = process.hrtime.bigint()
    run(messages)
    const ns = Number(process.hrtime.bigint() - start) / messages
    const after = process.memoryUsage()
    bestNs = Math.min(bestNs, ns)
    const octets = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
    allocatedOctets = Math.min(allocatedOctets, Math.max(0, octets) / messages)
  }
  const allocated =
    globalThis.gc === undefined ? 'unknown (run with --expose-gc)' : allocatedOctets.toFixed(1)
  console.log(`${name.padEnd(44)} ${bestNs.toFixed(1).padStart(10)} ns  ${allocated.padStart(9)} octets`)
}

console.log(`${'per message'.padEnd(44)} ${'time'.padStart(13)}  ${'allocated'.padStart(16)}`)
measure('decode 16 octets, one a chunk', chunkOf(1, 16), Infinity, 2_000_000)
measure('decode 16 octets, 1000 a chunk', chunkOf(1000, 16), Infinity, 5_000_000)
measure('decode 16 octets, cut after the prefix', chunkOf(1, 16), 5, 300_000)
measure('decode 1 KiB, cut in two', chunkOf(1, 1024), 600, 300_000)
measure('decode 64 KiB, in pieces of 16 KiB', chunkOf(1, 65536), 16384, 3000)
measure('decode 1 MiB, in pieces of 16 KiB', chunkOf(1, 1 << 20), 16384, 200)

const prefix = Buffer.alloc(5)
let written = 0
const start = process.hrtime.bigint()
for (let i = 0; i < 10_000_000; i++) {
  writeMessagePrefix(prefix, 0, false, i & 0xffff)
  written += prefix[4]!
}
const ns = Number(process.hrtime.bigint() - start) / 10_000_000
console.log(`${`write a prefix (${written & 1})`.padEnd(44)} ${ns.toFixed(1).padStart(10)} ns`)
