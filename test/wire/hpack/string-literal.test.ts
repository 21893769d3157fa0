import t from 'tap'
import { StringReader, writeString } from '../../../src/wire/hpack/string-literal.ts'
import { OctetWriter } from '../../../src/wire/index.ts'
import { fromHex, toHex } from './vectors.ts'

function write(text: string): Uint8Array {
  const out = new OctetWriter(1)
  writeString(text, 'field', out)
  return out.take()
}

const cursorOf = (octets: Uint8Array) => ({ octets, start: 0, end: octets.length, position: 0 })

function read(octets: Uint8Array, reader = new StringReader()): string {
  const cursor = cursorOf(octets)
  const text = reader.read(cursor, 'value') ?? reader.text(cursor)
  if (cursor.position !== octets.length || reader.length !== text.length)
    throw new Error('not read to its end')
  return text
}

for (const { name, text, coded } of [
  {
    name: 'Huffman-coded where that is shorter',
    text: 'www.example.com',
    coded: '8cf1e3c2e5f23a6ba0ab90f4ff',
  },
  { name: 'plain where both are equally long', text: 'ab', coded: '026162' },
  { name: 'plain where Huffman coding is longer', text: '\x00\xff', coded: '0200ff' },
  { name: 'empty', text: '', coded: '00' },
]) {
  t.test(`RFC 7541 §5.2: ${name}`, async (t) => {
    t.equal(toHex(write(text)), coded)
    t.equal(read(fromHex(coded)), text)
  })
}

t.test('RFC 7541 §5.2: lengths around what fits the prefix, Huffman-coded and plain', async (t) => {
  const wrong: string[] = []
  for (const character of ['0', 'a', 'X', '&', '\xfe']) {
    for (let length = 0; length < 300; length++) {
      const text = character.repeat(length)
      const octets = write(text)
      if (read(octets) !== text) wrong.push(`${length} times ${character}`)
      // The length takes one octet, two from 127 on and three from 255 on.
      if (octets.length > length + (length < 127 ? 1 : length < 255 ? 2 : 3))
        wrong.push(`${length} times ${character} is longer`)
    }
  }
  t.same(wrong, [])
})

t.test('a character above U+00FF is refused, short or long; the error leaves the value out', async (t) => {
  for (const text of ['secretĀ', `${'0'.repeat(200)}Ā`, '€'.repeat(127), '🙂']) {
    try {
      writeString(text, 'my-field', new OctetWriter())
      t.fail('accepted')
    } catch (error) {
      t.ok(error instanceof TypeError)
      const { message } = error as TypeError
      t.match(message, /^Field "my-field" has the character U\+/)
      t.notOk(message.includes(text))
    }
  }
})

t.test('a repeated literal gives the same string again, also after others', async (t) => {
  const reader = new StringReader()
  const secret = write('Bearer 4ZkM0bQ8wN1rT6yUe3XpLs7VhJ2cGd5F')
  const others = Array.from({ length: 40 }, (_, i) => write(`another value, number ${i}`))
  for (let round = 0; round < 5; round++) {
    t.equal(read(secret, reader), 'Bearer 4ZkM0bQ8wN1rT6yUe3XpLs7VhJ2cGd5F')
    for (const [i, other] of others.entries()) {
      if (read(other, reader) !== `another value, number ${i}`) t.fail(`value ${i}`)
    }
  }
})

t.test('the same octets with and without Huffman coding are different strings', async (t) => {
  const reader = new StringReader()
  const plain = Uint8Array.of(0x0c, ...fromHex('f1e3c2e5f23a6ba0ab90f4ff'))
  const coded = Uint8Array.of(0x8c, ...plain.subarray(1))
  for (let round = 0; round < 4; round++) {
    t.equal(read(coded, reader), 'www.example.com')
    t.equal(read(plain, reader), Buffer.from(plain.subarray(1)).toString('latin1'))
  }
})

t.test('a string much longer than the scratch is read, and the next ones too', async (t) => {
  const reader = new StringReader()
  const long = 'a'.repeat(200_000)
  t.equal(read(write(long), reader), long)
  reader.release()
  t.equal(read(write('www.example.com'), reader), 'www.example.com')
})
