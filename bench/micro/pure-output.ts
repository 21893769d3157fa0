/**
 * From which size on a payload is better referenced than copied: DATA frames of one size through a loopback
 * socket, both ways, as parts of one write each 32 frames.
 *
 * Run: `node --import=tsx bench/micro/pure-output.ts`. CPU time, so other work on the machine matters less.
 */

import { once } from 'node:events'
import net from 'node:net'
import { FrameOutput } from '../../src/http2/pure/frame-output.ts'
import { writeDataHeader } from '../../src/wire/frame/data.ts'

const SIZES = [512, 1024, 2048, 4096, 8192, 16_384]
const FRAMES_A_WRITE = 32
const TOTAL_OCTETS = 256 * 1024 * 1024

const server = net.createServer((socket) => socket.resume())
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
await once(socket, 'connect')

async function send(size: number, reference: boolean): Promise<number> {
  const output = new FrameOutput()
  const payload = Buffer.alloc(size, 1)
  const writes = Math.ceil(TOTAL_OCTETS / size / FRAMES_A_WRITE)
  const started = process.cpuUsage()
  for (let n = 0; n < writes; n++) {
    output.open()
    for (let frame = 0; frame < FRAMES_A_WRITE; frame++) {
      writeDataHeader(output.writer, 1, size, false)
      if (reference) output.reference(payload, 0, size)
      else output.writer.octets(payload)
    }
    socket.cork()
    for (const part of output.take()) socket.write(part)
    socket.uncork()
    output.release(socket.writableLength === 0)
    if (socket.writableNeedDrain) await once(socket, 'drain')
  }
  const used = process.cpuUsage(started)
  return (used.user + used.system) / (writes * FRAMES_A_WRITE)
}

for (let round = 0; round < 3; round++) {
  for (const size of SIZES) {
    const copied = await send(size, false)
    const referenced = await send(size, true)
    process.stdout.write(
      `${size} octets: copied ${copied.toFixed(2)} us a frame, referenced ${referenced.toFixed(2)} us\n`,
    )
  }
}
socket.destroy()
server.close()
