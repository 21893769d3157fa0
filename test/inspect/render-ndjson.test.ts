import t from 'tap'
import { ndjson } from '../../src/inspect/render-ndjson.ts'
import { FrameType, ProtobufWriter } from '../../src/wire/index.ts'
import { prefixed, Recorder, Sent } from './traffic.ts'

const message = new ProtobufWriter()
  .field(1, 'string', 'a "b"\n')
  .field(2, 'int64', -2n)
  .field(3, 'bytes', Uint8Array.of(255, 254, 253))
  .message(4, (inner) => inner.field(1, 'uint32', 7))
  .packed(5, 'uint64', [1n << 30n, 3n])
  .group(6, (group) => group.field(1, 'double', Number.NaN))
  .finish()

t.test('each event is one line of JSON', async (t) => {
  const client = new Sent().preface().settings([3, 100]).request(1, '/p.S/M').data(1, prefixed(message), true)
  client.frame(FrameType.PING, 0, 0, Buffer.from('12345678'))
  const server = new Sent().settings().headers(1, true, ':status', '200', 'grpc-status', '0').frame(6, 0, 0)
  const recorder = new Recorder().push('client', client).push('server', server)
  recorder.dissector.end('client', 5)
  const lines = recorder.events.map(ndjson)
  const events = lines.map((line) => JSON.parse(line))
  for (const line of lines) t.equal(line.indexOf('\n'), line.length - 1)
  t.same(
    events.map(({ type }) => type),
    recorder.events.map(({ type }) => type),
  )
  const at = (type: string) => events.find((event) => event.type === type)
  t.match(events[1].frame, { kind: 'SETTINGS', settings: [{ identifier: 3, value: 100 }], offset: 24 })
  t.match(at('fields'), { section: 'request', fields: [':method', 'POST'] })
  t.match(at('message'), { lengthOctets: message.length, octets: Buffer.from(message).toString('hex') })
  const records: Record<string, unknown>[] = at('message').scan.records
  t.match(records, [
    { fieldNumber: 1, wireType: 'LEN', offset: 0, end: 8, kinds: ['text'], value: 'a "b"\n' },
    { fieldNumber: 2, wireType: 'VARINT', value: '18446744073709551614' },
    { fieldNumber: 3, wireType: 'LEN', kinds: ['octets'], value: 'fffefd' },
    { fieldNumber: 4, wireType: 'LEN', records: [{ fieldNumber: 1, wireType: 'VARINT', value: 7 }] },
    { fieldNumber: 5, wireType: 'LEN', kinds: ['packed varint'], value: [1073741824, 3] },
    { fieldNumber: 6, wireType: 'SGROUP', records: [{ fieldNumber: 1, wireType: 'I64' }] },
  ])
  const field = { number: 1, name: 'x', type: 'double', repeated: false } as const
  const named = { name: 'M', field: () => field }
  const nan = new ProtobufWriter().field(1, 'double', Number.NaN).finish()
  const doubles = new Recorder({ schema: () => ({ request: named, response: undefined }) })
  doubles.push('client', new Sent().preface().settings().request(1, '/x').data(1, prefixed(nan)))
  t.match(JSON.parse(ndjson(doubles.of('message')[0]!)).scan.records, [
    { name: 'x', type: 'double', value: 'NaN' },
  ])
  t.match(at('error'), { fatal: true, error: { layer: 'frame', section: 'RFC 9113 §6.7', code: 6 } })
  t.notOk('data' in events.find((event) => event.frame?.kind === 'DATA').frame, 'messages have the data')
  t.equal(events.find((event) => event.frame?.kind === 'PING').frame.data, '3132333435363738')
})
