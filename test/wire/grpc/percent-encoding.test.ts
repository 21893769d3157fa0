import { readFileSync } from 'node:fs'
import t from 'tap'
import { decodeGrpcMessage, encodeGrpcMessage } from '../../../src/wire/grpc/percent-encoding.ts'

interface Vector {
  section: string
  input: string
  expect: string
}
const vectors: { encode: Vector[]; decode: Vector[] } = JSON.parse(
  readFileSync(new URL('../../vectors/grpc/percent-encoding.json', import.meta.url), 'utf8'),
)

/** Lone surrogates become U+FFFD. */
const wellFormed = (text: string) => Buffer.from(text, 'utf8').toString('utf8')

t.test('gRPC PROTOCOL-HTTP2 Percent-Encoded: encoded', async (t) => {
  for (const { section, input, expect } of vectors.encode) {
    t.equal(encodeGrpcMessage(input), expect, `${section}: ${JSON.stringify(input)}`)
    t.equal(decodeGrpcMessage(expect), wellFormed(input), `${section}, and back`)
  }
})

t.test('gRPC PROTOCOL-HTTP2 Percent-Encoded: decoded as far as valid, never an error', async (t) => {
  for (const { section, input, expect } of vectors.decode) {
    t.equal(decodeGrpcMessage(input), expect, `${section}: ${JSON.stringify(input)}`)
  }
})

t.test('every code unit goes there and back, and only printable ASCII is on the wire', async (t) => {
  for (let code = 0; code < 0x10000; code++) {
    for (const text of [String.fromCharCode(code), `x${String.fromCharCode(code)}y`]) {
      const encoded = encodeGrpcMessage(text)
      if (!/^[\x20-\x7e]*$/.test(encoded) || decodeGrpcMessage(encoded) !== wellFormed(text)) {
        t.fail(`U+${code.toString(16)} became ${encoded}`)
      }
    }
  }
})

t.test('random text of percent signs, digits and octets never throws', async (t) => {
  let seed = 7
  const alphabet = '%%%%09afAFgz é☃\ud800'
  for (let round = 0; round < 5000; round++) {
    let text = ''
    for (let i = 0; i < 12; i++) {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
      text += alphabet[(seed >>> 8) % alphabet.length]
    }
    decodeGrpcMessage(text)
    if (decodeGrpcMessage(encodeGrpcMessage(text)) !== wellFormed(text))
      t.fail(`seed 7, round ${round}: ${text}`)
  }
})
