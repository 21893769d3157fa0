import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseGrpcStatus, Status, statusName } from '../../../src/wire/grpc/status-codes.ts'

const vectors: {
  names: string[]
  parse: { section: string; input: string; expect: number }[]
  malformed: { section: string; input: string }[]
} = JSON.parse(readFileSync(new URL('../../vectors/grpc/status.json', import.meta.url), 'utf8'))

t.test('gRPC statuscodes.md: numbers and names', async (t) => {
  t.strictSame(Object.keys(Status), vectors.names)
  t.strictSame(
    Object.values(Status),
    vectors.names.map((_, code) => code),
  )
  for (const [code, name] of vectors.names.entries()) t.equal(statusName(code), name)
  t.equal(statusName(17), 'CODE_17')
  t.equal(statusName(-1), 'CODE_-1')
})

t.test('gRPC PROTOCOL-HTTP2 Status: read', async (t) => {
  for (const code of vectors.names.keys()) {
    t.strictSame(parseGrpcStatus(String(code)), { code, malformed: undefined })
  }
  for (const { section, input, expect } of vectors.parse)
    t.equal(parseGrpcStatus(input).code, expect, section)
  t.equal(parseGrpcStatus('0'), parseGrpcStatus('0'), 'no allocation for a good one')
})

t.test('gRPC PROTOCOL-HTTP2 Status: anything else is UNKNOWN and keeps its text', async (t) => {
  for (const { section, input } of vectors.malformed) {
    t.strictSame(
      parseGrpcStatus(input),
      { code: Status.UNKNOWN, malformed: input },
      `${section}: ${JSON.stringify(input)}`,
    )
  }
})
