/** A TCP proxy that counts octets: it shows from outside whether messages were compressed. */
import net from 'node:net'
import type { Test } from 'tap'

/** Octets that passed so far. */
export interface Passed {
  readonly address: string
  requestOctets: number
  responseOctets: number
}

/** Starts a proxy to `target` (`host:port`); it is closed with the test. */
export async function countingProxy(t: Test, target: string): Promise<Passed> {
  const url = new URL(`tcp://${target}`)
  const sockets = new Set<net.Socket>()
  const server = net.createServer((front) => {
    const back = net.connect(Number(url.port), url.hostname)
    for (const socket of [front, back]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
    front.on('data', (chunk) => {
      passed.requestOctets += chunk.length
    })
    back.on('data', (chunk) => {
      passed.responseOctets += chunk.length
    })
    front.pipe(back).pipe(front)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  const passed: Passed = { address: `127.0.0.1:${port}`, requestOctets: 0, responseOctets: 0 }
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return passed
}
