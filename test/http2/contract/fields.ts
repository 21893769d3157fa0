/** Header and trailer fields through the seam (RFC 9113 §8.2, §8.3). */
import type { Test } from 'tap'
import type { Fields } from '../../../src/http2/transport.ts'
import { type Engines, Pair, request, response } from './harness.ts'

/** Sends fields in all three sections and answers what arrived in each, pseudo-header fields left out. */
async function roundTrip(t: Test, engines: Engines, fields: Fields) {
  const pair = await Pair.start(t, engines, {
    onRequest: ({ stream }) => {
      stream.sendHeaders(response(...fields), false)
      stream.sendTrailers(fields)
    },
  })
  const { stream, heard } = pair.open()
  stream.sendHeaders(request(...fields), true)
  await heard.closing()
  t.equal(heard.error, undefined)
  const incoming = await pair.request()
  return [incoming.fields.slice(request().length), heard.headers.slice(response().length), heard.trailers]
}

const VALID: [string, Fields][] = [
  ['a repeated name stays repeated, in order', ['x-a', '1', 'x-a', '2', 'x-a', '3']],
  ['an empty value', ['x-empty', '']],
  ['octets above 127 as Latin-1', ['x-latin', 'caf\u00e9 \u00ff']],
  ['names of JavaScript objects', ['__proto__', 'a', 'constructor', 'b', 'toString'.toLowerCase(), 'c']],
  ['every character of a token', ["!#$%&'*+-.^_`|~09az", 'v']],
  ['spaces, tabs and commas inside', ['x-list', 'a,b, c\td']],
  ['a value of 8 KiB', ['x-long', 'v'.repeat(8192)]],
  ['sensitive fields', ['authorization', 'Bearer s3cr3t']],
]

/** The fields, and what the error must say. */
const INVALID: [string, Fields, RegExp][] = [
  ['upper case in a name', ['X-Upper', 'v'], /X-Upper/],
  ['a space in a name', ['x y', 'v'], /x y/],
  ['an empty name', ['', 'v'], /name/],
  ['NUL in a value', ['x-nul', 'a\0b'], /x-nul/],
  ['LF in a value', ['x-lf', 'a\nb'], /x-lf/],
  ['CR in a value', ['x-cr', 'a\rb'], /x-cr/],
  ['a value beyond Latin-1', ['x-wide', 'a\u20acb'], /x-wide/],
  ['a connection-specific field', ['connection', 'close'], /connection/],
  ['te other than trailers', ['te', 'gzip'], /te/],
  ['a pseudo-header field that does not exist', [':unknown', 'v'], /:unknown/],
]

export async function fields(t: Test, engines: Engines): Promise<void> {
  for (const [name, list] of VALID) {
    await t.test(`${name} (RFC 9113 §8.2)`, async (t) => {
      const [inRequest, inResponse, inTrailers] = await roundTrip(t, engines, list)
      t.strictSame(inRequest, list, 'request')
      t.strictSame(inResponse, list, 'response')
      t.strictSame(inTrailers, list, 'trailers')
    })
  }

  await t.test('nothing is added to a response: no date, no server', async (t) => {
    const pair = await Pair.start(t, engines, {
      onRequest: ({ stream }) => stream.sendHeaders([':status', '200'], true),
    })
    const { stream, heard } = pair.open()
    stream.sendHeaders(request(), true)
    await heard.closing()
    t.strictSame(heard.headers, [':status', '200'])
  })

  await t.test(
    'fields that HTTP/2 forbids are refused locally, and nothing is sent (RFC 9113 §8.2.1)',
    async (t) => {
      const pair = await Pair.start(t, engines)
      const { stream, heard } = pair.open()
      for (const [name, list, says] of INVALID) {
        t.throws(() => stream.sendHeaders(request(...list), true), { name: 'TypeError', message: says }, name)
      }
      stream.sendHeaders(request(), true)
      const { stream: answer, heard: serverHeard } = await pair.request()
      for (const [name, list, says] of INVALID) {
        t.throws(
          () => answer.sendHeaders(response(...list), false),
          { name: 'TypeError', message: says },
          name,
        )
      }
      answer.sendHeaders(response(), false)
      for (const [name, list, says] of INVALID) {
        t.throws(() => answer.sendTrailers(list), { name: 'TypeError', message: says }, name)
      }
      answer.sendTrailers(['grpc-status', '0'])
      await heard.closing()
      await serverHeard.closing()
      t.equal(heard.error, undefined)
      t.equal(serverHeard.error, undefined)
      t.strictSame(heard.trailers, ['grpc-status', '0'])
    },
  )
}
