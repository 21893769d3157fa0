/** The other floor: octets on a socket with their length before them, no HTTP/2 at all; answers come in order. */
import net from 'node:net'
import type { Connection, Contender } from './contender.ts'

const PREFIX_OCTETS = 4

/** Cuts what comes on `socket` into bodies. */
function onBodies(socket: net.Socket, onBody: (body: Buffer) => void): void {
  let rest: Buffer[] = []
  let restOctets = 0
  socket.setNoDelay(true)
  socket.on('data', (chunk) => {
    rest.push(chunk)
    restOctets += chunk.length
    const wanted = rest[0]!.length >= PREFIX_OCTETS ? rest[0]!.readUInt32BE() + PREFIX_OCTETS : 0
    if (restOctets < wanted) return
    const octets = rest.length === 1 ? chunk : Buffer.concat(rest)
    let at = 0
    while (octets.length - at >= PREFIX_OCTETS) {
      const end = at + PREFIX_OCTETS + octets.readUInt32BE(at)
      if (end > octets.length) break
      onBody(octets.subarray(at + PREFIX_OCTETS, end))
      at = end
    }
    rest = at === octets.length ? [] : [octets.subarray(at)]
    restOctets = octets.length - at
  })
}

/** Sends bodies, those of one turn of the event loop with one write. */
function sender(socket: net.Socket): (body: Uint8Array) => void {
  let scheduled = false
  const flush = (): void => {
    scheduled = false
    socket.uncork()
  }
  return (body) => {
    if (!scheduled) {
      scheduled = true
      socket.cork()
      setImmediate(flush)
    }
    const prefix = Buffer.allocUnsafe(PREFIX_OCTETS)
    prefix.writeUInt32BE(body.length)
    socket.write(prefix)
    socket.write(body)
  }
}

function serve(): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy())
    onBodies(socket, sender(socket))
  })
  return new Promise((settle) =>
    server.listen(0, '127.0.0.1', () => settle((server.address() as net.AddressInfo).port)),
  )
}

const onlyEcho = (): never => {
  throw new Error('the floors only echo')
}

async function connect(port: number): Promise<Connection> {
  const socket = net.connect(port, '127.0.0.1')
  await new Promise((settle, fail) => socket.once('connect', settle).once('error', fail))
  const waiting: ((error: Error | undefined, body: Uint8Array) => void)[] = []
  let head = 0
  const send = sender(socket)
  onBodies(socket, (body) => {
    const done = waiting[head]!
    head++
    if (head === 4096) {
      waiting.splice(0, head)
      head = 0
    }
    done(undefined, body)
  })
  return {
    echo(body, done) {
      waiting.push(done)
      send(body)
    },
    download: onlyEcho,
    upload: onlyEcho,
    chat: onlyEcho,
    close: async () => void socket.destroy(),
  }
}

export const rawTcp: Contender = { serve, connect }
