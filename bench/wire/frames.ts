/**
 * Frames: time and octets allocated per frame, decoded and written; and small DATA frames against node:http2.
 *
 * node:http2 offers no way to decode frames without a session, so it is measured as it delivers them: a socket
 * on the loopback sends one request whose body is small DATA frames, and each `data` event counts. Ours is
 * measured from memory, and once more behind the same socket, so that the socket's part is seen.
 *
 * Run: `npx tsx bench/wire/frames.ts`
 */
import http2 from 'node:http2'
import net from 'node:net'
import v8 from 'node:v8'
import vm from 'node:vm'
import {
  beginHeaders,
  CONNECTION_PREFACE,
  endFieldBlock,
  FrameDecoder,
  FrameReader,
  FrameSinkBase,
  OctetWriter,
  writeData,
  writeDataHeader,
  writePing,
  writeRstStream,
  writeSettings,
  writeWindowUpdate,
} from '../../src/wire/index.ts'

v8.setFlagsFromString('--expose-gc')
const collectGarbage = vm.runInNewContext('gc') as () => void

const ROUNDS = 9
const ROUND_MS = 120

/** As an engine's sink would: counts what it is told, looks at no octets. */
class Counter extends FrameSinkBase {
  frames = 0
  octets = 0
  override onDataStart() {
    this.frames++
  }
  override onDataPiece(_streamId: number, _chunk: Uint8Array, start: number, end: number) {
    this.octets += end - start
  }
  override onHeaders() {
    this.frames++
  }
  override onWindowUpdate(_streamId: number, increment: number) {
    this.frames++
    this.octets += increment
  }
  override onPing() {
    this.frames++
  }
}

/** Octets on the heap and in array buffers that `run` allocates; small enough that no collection comes in between. */
function allocatedBy(run: () => void): number {
  collectGarbage()
  const before = process.memoryUsage()
  run()
  const after = process.memoryUsage()
  return after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
}

/** Best time of several rounds, and least allocation, of `run`, which handles `framesPerRun` frames. */
function measure(name: string, framesPerRun: number, run: () => void): void {
  const once = () => {
    const start = process.hrtime.bigint()
    run()
    return Number(process.hrtime.bigint() - start)
  }
  let warm = 0
  while (warm < ROUND_MS * 1e6) warm += once()
  let bestNs = Infinity
  let allocated = Infinity
  const runsToAllocate = Math.max(1, Math.round(2000 / framesPerRun))
  for (let round = 0; round < ROUNDS; round++) {
    let runs = 0
    let ns = 0
    while (ns < ROUND_MS * 1e6) {
      ns += once()
      runs++
    }
    bestNs = Math.min(bestNs, ns / runs / framesPerRun)
    const nothing = allocatedBy(() => {})
    const octets = allocatedBy(() => {
      for (let count = 0; count < runsToAllocate; count++) run()
    })
    allocated = Math.min(allocated, Math.max(0, octets - nothing) / runsToAllocate / framesPerRun)
  }
  print(name, bestNs, allocated.toFixed(1))
}

function print(name: string, ns: number, allocated: string): void {
  console.log(`${name.padEnd(52)} ${ns.toFixed(1).padStart(10)} ns ${allocated.padStart(10)} octets`)
}

function written(write: (out: OctetWriter) => void, count = 1): Uint8Array {
  const out = new OctetWriter()
  for (let index = 0; index < count; index++) write(out)
  return out.take()
}

/** Measures the decoding of `octets`, given in chunks of `chunkOctets`. */
function decode(name: string, frames: number, octets: Uint8Array, chunkOctets = octets.length): void {
  const decoder = new FrameDecoder(new Counter())
  measure(name, frames, () => {
    for (let at = 0; at < octets.length; at += chunkOctets) {
      decoder.push(octets, at, Math.min(at + chunkOctets, octets.length))
    }
  })
}

const SMALL = new Uint8Array(16).fill(1)
const LARGE = new Uint8Array(16_384).fill(1)
const BLOCK = new Uint8Array(40).fill(0x82)

function writeCall(out: OctetWriter): void {
  endFieldBlock(out, headersOf(out, false), 16_384)
  writeData(out, 1, false, SMALL)
  endFieldBlock(out, headersOf(out, true), 16_384)
}
function headersOf(out: OctetWriter, endStream: boolean): number {
  const start = beginHeaders(out, 1, endStream)
  out.octets(BLOCK)
  return start
}

console.log(`${'per frame'.padEnd(52)} ${'time'.padStart(13)} ${'allocated'.padStart(17)}`)
decode(
  'decode DATA of 16 octets, 1000 a chunk',
  1000,
  written((out) => writeData(out, 1, false, SMALL), 1000),
)
decode(
  'decode DATA of 16 octets, one a chunk',
  1000,
  written((out) => writeData(out, 1, false, SMALL), 1000),
  25,
)
decode(
  'decode padded DATA of 16 octets, 1000 a chunk',
  1000,
  written((out) => writeData(out, 1, false, SMALL, 0, 16, 8), 1000),
)
decode(
  'decode DATA of 16 octets, cut in its header',
  1000,
  written((out) => writeData(out, 1, false, SMALL), 1000),
  20,
)
decode('decode HEADERS, DATA, HEADERS of calls, 300 a chunk', 300, written(writeCall, 100))
decode(
  'decode WINDOW_UPDATE, 1000 a chunk',
  1000,
  written((out) => writeWindowUpdate(out, 1, 1000), 1000),
)
decode(
  'decode PING, 1000 a chunk',
  1000,
  written((out) => writePing(out, false, SMALL), 1000),
)
decode(
  'decode PING, cut in two (put together)',
  1000,
  written((out) => writePing(out, false, SMALL), 1000),
  10,
)
decode(
  'decode DATA of 16 KiB, in chunks of 64 KiB',
  64,
  written((out) => writeData(out, 1, false, LARGE), 64),
  65_536,
)
const objects = written((out) => writeData(out, 1, false, SMALL), 1000)
const reader = new FrameReader()
measure('read DATA of 16 octets as objects, 1000 a chunk', 1000, () => void reader.push(objects))

const out = new OctetWriter(1 << 20)
/** Measures a writer; the output buffer is used again and again, as a connection does. */
function write(name: string, framesPerCall: number, call: () => void): void {
  measure(name, 1000 * framesPerCall, () => {
    out.clear()
    for (let count = 0; count < 1000; count++) call()
  })
}
write('write DATA header of a large payload', 1, () => writeDataHeader(out, 1, 16_384, false))
write('write DATA of 16 octets', 1, () => writeData(out, 1, false, SMALL))
write('write HEADERS, DATA, HEADERS of calls', 3, () => writeCall(out))
write('write WINDOW_UPDATE', 1, () => writeWindowUpdate(out, 1, 1000))
write('write RST_STREAM', 1, () => writeRstStream(out, 1, 8))

/** Frames sent through the socket, in writes of 64 KiB. */
const SOCKET_FRAMES = 300_000
const FRAMES_A_WRITE = 2600
const MAX_WINDOW = 0x7fffffff

/** Sends `SOCKET_FRAMES` small DATA frames to `port`, after a preface, SETTINGS and request. */
function sendFrames(port: number): net.Socket {
  const socket = net.connect(port, '127.0.0.1')
  const start = new OctetWriter()
  start.octets(CONNECTION_PREFACE)
  writeSettings(start, [])
  const headers = beginHeaders(start, 1, false)
  start.octets(Uint8Array.of(0x83, 0x86, 0x84, 0x41, 0x01, 0x61))
  endFieldBlock(start, headers, 16_384)
  socket.write(start.take())
  const chunk = written((to) => writeData(to, 1, false, SMALL), FRAMES_A_WRITE)
  let left = SOCKET_FRAMES
  const pump = () => {
    for (;;) {
      if (left === 0) return
      const count = Math.min(left, FRAMES_A_WRITE)
      left -= count
      if (!socket.write(chunk.subarray(0, count * 25))) return
    }
  }
  socket.on('drain', pump)
  socket.on('error', () => {})
  socket.resume()
  socket.once('connect', pump)
  return socket
}

/** Nanoseconds a frame until node:http2 has delivered all. */
function deliverByNode(): Promise<number> {
  const server = http2.createServer({ settings: { initialWindowSize: MAX_WINDOW } })
  server.on('session', (session) => session.setLocalWindowSize(MAX_WINDOW))
  return new Promise((done) => {
    server.on('stream', (stream) => {
      let octets = 0
      let start = 0n
      stream.on('error', () => {})
      stream.on('data', (chunk: Buffer) => {
        if (octets === 0) start = process.hrtime.bigint()
        octets += chunk.length
        if (octets < SOCKET_FRAMES * SMALL.length) return
        const ns = Number(process.hrtime.bigint() - start) / SOCKET_FRAMES
        socket.destroy()
        server.close()
        done(ns)
      })
    })
    let socket: net.Socket
    server.listen(0, '127.0.0.1', () => {
      socket = sendFrames((server.address() as net.AddressInfo).port)
    })
  })
}

/** Nanoseconds a frame until our decoder has told all, behind a plain socket. */
function deliverByDecoder(): Promise<number> {
  return new Promise((done) => {
    let socket: net.Socket
    const server = net.createServer((connection) => {
      const sink = new Counter()
      const decoder = new FrameDecoder(sink)
      let skip = CONNECTION_PREFACE.length
      let start = 0n
      connection.on('error', () => {})
      connection.on('data', (chunk) => {
        if (start === 0n) start = process.hrtime.bigint()
        decoder.push(chunk, Math.min(skip, chunk.length))
        skip -= Math.min(skip, chunk.length)
        if (sink.octets < SOCKET_FRAMES * SMALL.length) return
        const ns = Number(process.hrtime.bigint() - start) / SOCKET_FRAMES
        socket.destroy()
        server.close()
        done(ns)
      })
    })
    server.listen(0, '127.0.0.1', () => {
      socket = sendFrames((server.address() as net.AddressInfo).port)
    })
  })
}

// Alternating, so that whatever else the machine does falls on all of them.
let nodeNs = Infinity
let socketNs = Infinity
let memoryNs = Infinity
const many = written((to) => writeData(to, 1, false, SMALL), FRAMES_A_WRITE)
const decoder = new FrameDecoder(new Counter())
for (let round = 0; round < 7; round++) {
  nodeNs = Math.min(nodeNs, await deliverByNode())
  socketNs = Math.min(socketNs, await deliverByDecoder())
  const start = process.hrtime.bigint()
  for (let frames = 0; frames < SOCKET_FRAMES; frames += FRAMES_A_WRITE) decoder.push(many)
  memoryNs = Math.min(memoryNs, Number(process.hrtime.bigint() - start) / SOCKET_FRAMES)
}
print('node:http2 delivers DATA of 16 octets from a socket', nodeNs, '-')
print('our decoder tells them, from a socket', socketNs, '-')
print('our decoder tells them, from memory', memoryNs, '-')
console.log(`decoding is ${(nodeNs / memoryNs).toFixed(0)} x as fast as node:http2 delivers`)
console.log(`behind a socket it is ${(nodeNs / socketNs).toFixed(1)} x as fast`)
