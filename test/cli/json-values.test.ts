import t from 'tap'
import { readJsonValues, splitJsonValues } from '../../src/cli/json-values.ts'

/** Texts and the values in them. */
const texts: readonly [string, unknown[]][] = [
  ['', []],
  [' \n\t\r ', []],
  ['{}', [{}]],
  ['{"a":1}{"b":2}', [{ a: 1 }, { b: 2 }]],
  ['{"a":1}\n{"b":2}\n', [{ a: 1 }, { b: 2 }]],
  ['{\n  "a": [1, {"b": "}"}]\n}\n[]', [{ a: [1, { b: '}' }] }, []]],
  ['"a" "b\\"{" "\\\\"', ['a', 'b"{', '\\']],
  ['"a""b"', ['a', 'b']],
  ['1 2.5e3 -4', [1, 2500, -4]],
  ['true null{"a":false}', [true, null, { a: false }]],
  ['1[2]"3"', [1, [2], '3']],
  ['{"name":"Zoë 대한민국 😀"}', [{ name: 'Zoë 대한민국 😀' }]],
]

/** Texts that are no JSON, and what is said. */
const faults: readonly [string, RegExp][] = [
  ['{', /^JSON value 1: /],
  ['{"a":1} {bad}', /^JSON value 2: /],
  ['{]', /^JSON value 1: /],
  ['}', /^JSON value 1: /],
  ['{} , {}', /^JSON value 2: /],
  ['"a', /^JSON value 1: /],
  ['[1] nul', /^JSON value 2: /],
]

async function collect(chunks: Iterable<Uint8Array>): Promise<unknown[]> {
  async function* source() {
    yield* chunks
  }
  const values: unknown[] = []
  for await (const value of readJsonValues(source())) values.push(value)
  return values
}

t.test('values in one text', async (t) => {
  for (const [text, values] of texts) t.same(splitJsonValues(text), values, text)
})

t.test('values of a stream, cut at every octet', async (t) => {
  for (const [text, values] of texts) {
    const octets = Buffer.from(text)
    for (let at = 0; at <= octets.length; at++) {
      t.same(await collect([octets.subarray(0, at), octets.subarray(at)]), values, `${text} cut at ${at}`)
    }
    t.same(await collect([...octets].map((octet) => Uint8Array.of(octet))), values, `${text} octet by octet`)
  }
})

t.test('what is no JSON is refused, whole and cut', async (t) => {
  for (const [text, message] of faults) {
    t.throws(() => splitJsonValues(text), { name: 'CommandError', message }, text)
    const octets = [...Buffer.from(text)].map((octet) => Uint8Array.of(octet))
    await t.rejects(collect(octets), { name: 'CommandError', message }, text)
  }
})

t.test('a value is given out as soon as it is whole', async (t) => {
  let sent = 0
  async function* source() {
    for (const chunk of ['{"n":1}', '{"n":', '2} 3', ' ']) {
      sent++
      yield chunk
    }
  }
  const values = readJsonValues(source())
  t.same(await values.next(), { value: { n: 1 }, done: false })
  t.equal(sent, 1)
  t.same(await values.next(), { value: { n: 2 }, done: false })
  t.equal(sent, 3)
  t.same(await values.next(), { value: 3, done: false })
  t.equal(sent, 4, 'a number is whole when something else follows')
  t.same(await values.next(), { value: undefined, done: true })
})
