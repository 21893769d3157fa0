import { readFileSync } from 'node:fs'
import t from 'tap'
import { formatTimeout, parseTimeout } from '../../../src/wire/grpc/timeout.ts'
import { WireError } from '../../../src/wire/wire-error.ts'

const vectors: {
  format: { section: string; input: number; expect: string }[]
  parse: { section: string; input: string; expect: number }[]
  malformed: { section: string; input: string }[]
} = JSON.parse(readFileSync(new URL('../../vectors/grpc/timeout.json', import.meta.url), 'utf8'))

t.test('gRPC PROTOCOL-HTTP2 Timeout: written in at most eight digits, rounded up', async (t) => {
  for (const { section, input, expect } of vectors.format) {
    t.equal(formatTimeout(input), expect, `${section}: ${input} ms`)
  }
  t.equal(formatTimeout(Infinity), undefined, 'no timeout')
  t.equal(formatTimeout(-Infinity), '1n', 'over since ever')
  t.throws(() => formatTimeout(Number.NaN), RangeError)
})

t.test('gRPC PROTOCOL-HTTP2 Timeout: read', async (t) => {
  for (const { section, input, expect } of vectors.parse)
    t.equal(parseTimeout(input), expect, `${section}: ${input}`)
})

t.test('gRPC PROTOCOL-HTTP2 Timeout: anything else is refused', async (t) => {
  for (const { section, input } of vectors.malformed) {
    t.throws(() => parseTimeout(input), WireError, `${section}: ${JSON.stringify(input)}`)
  }
  t.throws(() => parseTimeout('abc'), { message: /"abc".*1 to 8 digits/, layer: 'grpc' })
})

t.test('what is written reads back as the same or a little more, never less', async (t) => {
  let seed = 20240601
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return seed / 0x7fffffff
  }
  for (let i = 0; i < 5000; i++) {
    const timeoutMs = 10 ** (random() * 20 - 6)
    const text = formatTimeout(timeoutMs)!
    const backMs = parseTimeout(text)
    if (!/^[1-9][0-9]{0,7}[numSMH]$/.test(text)) t.fail(`${timeoutMs} ms became ${text}`)
    if (backMs < timeoutMs || backMs > timeoutMs * 1.001 + 1)
      t.fail(`${timeoutMs} ms became ${text}, back ${backMs}`)
  }
})
