/**
 * What a peer speaks that failed before its SETTINGS: a second, short connection asks. node:http2 never shows the
 * octets it could not read, and a peer that expects TLS may just close. Nothing of this happens on the good path.
 */
import net from 'node:net'
import tls from 'node:tls'
import { formatAddress } from './addresses.ts'
import { CLIENT_PREFACE, describeFirstOctets } from './first-octets.ts'
import type { SocketAddress } from './transport.ts'

/** Longest wait for an answer. */
const PROBE_MS = 1000
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])

const asked = new Map<string, Promise<string | undefined>>()

/**
 * Finds words for a connection in the clear that ended before the peer's SETTINGS.
 *
 * @param receivedOctets what came on the failed connection: with none, the peer may expect TLS
 */
export function diagnosePlaintext(
  address: SocketAddress,
  receivedOctets: number,
): Promise<string | undefined> {
  if (receivedOctets > 0) return ask(address, 'answer', () => describeAnswer(address))
  return ask(address, 'tls', async () =>
    (await speaksTls(address)) ? 'the peer speaks TLS; connect with tls' : undefined,
  )
}

/** Finds words for a TLS handshake that the peer closed. */
export function diagnoseTls(address: SocketAddress): Promise<string | undefined> {
  return ask(address, 'plaintext', async () => {
    const octets = await firstOctets(address)
    if (octets.length === 0) return undefined
    return describeFirstOctets(octets, 'client') ?? 'the peer speaks HTTP/2 in plaintext; connect without tls'
  })
}

/** Failures of one address at the same time share one answer. */
function ask(
  address: SocketAddress,
  question: string,
  find: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const key = `${question} ${formatAddress(address)}`
  const earlier = asked.get(key)
  if (earlier !== undefined) return earlier
  const answer = find().finally(() => asked.delete(key))
  asked.set(key, answer)
  return answer
}

async function describeAnswer(address: SocketAddress): Promise<string | undefined> {
  const octets = await firstOctets(address)
  return octets.length === 0 ? undefined : describeFirstOctets(octets, 'client')
}

function connectTo(address: SocketAddress): net.Socket {
  const options = 'path' in address ? { path: address.path } : { host: address.host, port: address.port }
  const socket = net.connect(options)
  socket.setTimeout(PROBE_MS, () => socket.destroy())
  return socket
}

function firstOctets(address: SocketAddress): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const socket = connectTo(address)
    let octets: Uint8Array = new Uint8Array(0)
    socket.on('data', (chunk) => {
      octets = chunk
      socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(octets))
    socket.write(Buffer.concat([CLIENT_PREFACE, EMPTY_SETTINGS]))
  })
}

function speaksTls(address: SocketAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const plain = connectTo(address)
    let answer = false
    // the certificate is of no interest: only whether a handshake begins, and no octet is sent on it
    const socket = tls.connect({ socket: plain, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    socket.on('secureConnect', () => {
      answer = true
      plain.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // an alert is an answer in TLS too
      if (/^ERR_SSL_.*ALERT/.test(error.code ?? '')) answer = true
      plain.destroy()
    })
    plain.on('error', () => plain.destroy())
    plain.on('close', () => resolve(answer))
  })
}
