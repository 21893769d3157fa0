/** What a peer speaks, from its first octets. */
import t from 'tap'
import { CLIENT_PREFACE, describeFirstOctets, mayBePreface } from '../../src/http2/first-octets.ts'

const SETTINGS = Buffer.from('000000040000000000', 'hex')
const latin1 = (text: string) => Buffer.from(text, 'latin1')

t.test('a preface is known by each of its beginnings (RFC 9113 §3.4)', async (t) => {
  for (let size = 0; size <= CLIENT_PREFACE.length; size++) {
    t.equal(mayBePreface(CLIENT_PREFACE.subarray(0, size)), true)
    if (size > 0) {
      const wrong = Buffer.from(CLIENT_PREFACE.subarray(0, size))
      wrong[size - 1] = 0x00
      t.equal(mayBePreface(wrong), false)
    }
  }
  t.equal(mayBePreface(Buffer.concat([CLIENT_PREFACE, SETTINGS])), true)
})

/** Octets, and what a client and a server say about them; undefined: HTTP/2. */
const PEERS: [string, Buffer, RegExp | undefined, RegExp | undefined][] = [
  [
    'HTTP/1.1 response',
    latin1('HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n'),
    /HTTP\/1\.1: `HTTP\/1\.1 404 Not Found`$/,
    /HTTP\/1\.1/,
  ],
  ['HTTP/1.0 response', latin1('HTTP/1.0 400 Bad Request\r\n'), /`HTTP\/1\.0 400 Bad Request`/, /HTTP\/1\.1/],
  ['HTTP/1.1 request', latin1('GET /x HTTP/1.1\r\n\r\n'), /text/, /request \(`GET \/x HTTP\/1\.1`\)/],
  [
    'TLS handshake',
    Buffer.from('16030100', 'hex'),
    /TLS; connect with tls/,
    /TLS; this port expects plaintext/,
  ],
  ['TLS alert', Buffer.from('15030300020228', 'hex'), /TLS; connect with tls/, /TLS/],
  ['SETTINGS', SETTINGS, undefined, /no HTTP\/2/],
  ['preface', CLIENT_PREFACE, /text/, undefined],
  ['HTML', latin1('<!DOCTYPE html>\n<html>'), /HTML or XML: `<!DOCTYPE html>`/, /HTML/],
  ['text', latin1('SSH-2.0-OpenSSH_9.2\r\n'), /text.*`SSH-2\.0-OpenSSH_9\.2`/, /text/],
  ['octets', Buffer.from('ff00ff00', 'hex'), /no HTTP\/2: ff00ff00/, /no HTTP\/2: ff00ff00/],
  ['nothing', Buffer.alloc(0), /no HTTP\/2/, undefined],
]

t.test('peers are described in words that say what to do', async (t) => {
  for (const [name, octets, client, server] of PEERS) {
    for (const [role, says] of [
      ['client', client],
      ['server', server],
    ] as const) {
      const words = describeFirstOctets(octets, role)
      if (says === undefined) t.equal(words, undefined, `${name}, ${role}`)
      else t.match(words, says, `${name}, ${role}`)
    }
  }
})

t.test('a quoted line is short, and has no control characters', async (t) => {
  const words = describeFirstOctets(latin1(`HTTP/1.1 200 ${'x'.repeat(500)}\x1b[31m`), 'client') ?? ''
  t.ok(words.length < 120)
  t.match(describeFirstOctets(latin1('HTTP/1.1 200 \x1b[31mred\r\n'), 'client'), '?[31mred')
})
