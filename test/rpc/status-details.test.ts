import protobuf from 'protobufjs'
import t from 'tap'
import {
  anyDetail,
  badRequest,
  debugInfo,
  errorInfo,
  fromJson,
  help,
  loadProto,
  localizedMessage,
  Metadata,
  preconditionFailure,
  quotaFailure,
  requestInfo,
  resourceInfo,
  retryInfo,
  type StatusDetail,
  StatusError,
  statusDetails,
  toJson,
} from '../../src/rpc/index.ts'
import { Status } from '../../src/wire/grpc/status-codes.ts'
import { collect, ENGINES, echo, pair, rejection } from './support/pair.ts'

const KEY = 'grpc-status-details-bin'
const { google } = await loadProto(['proto/google/rpc/status.proto', 'proto/google/rpc/error_details.proto'])

/** What a peer could send as the trailer. */
function withTrailer(octets: Uint8Array): { metadata: Metadata } {
  return { metadata: new Metadata({ [KEY]: octets }) }
}

/** Every standard type: what is given, and the whole message that comes back, as JSON. */
const everyType: readonly [StatusDetail, object][] = [
  [
    errorInfo({ reason: 'EMPTY', domain: 'shop.test', metadata: { sku: '1', ['__proto__']: 'x' } }),
    { reason: 'EMPTY', domain: 'shop.test', metadata: { sku: '1', ['__proto__']: 'x' } },
  ],
  [retryInfo({ retryDelayMs: 1500.25 }), { retryDelay: '1.500250s' }],
  [debugInfo({ stackEntries: ['a', 'b'], detail: 'c' }), { stackEntries: ['a', 'b'], detail: 'c' }],
  [
    quotaFailure({
      violations: [
        {
          subject: 'project:1',
          description: 'too much',
          apiService: 'a.test',
          quotaMetric: 'calls',
          quotaId: 'perDay',
          quotaDimensions: { region: 'eu' },
          quotaValue: 2 ** 40,
          futureQuotaValue: 0n,
        },
      ],
    }),
    {
      violations: [
        {
          subject: 'project:1',
          description: 'too much',
          apiService: 'a.test',
          quotaMetric: 'calls',
          quotaId: 'perDay',
          quotaDimensions: { region: 'eu' },
          quotaValue: '1099511627776',
          futureQuotaValue: '0',
        },
      ],
    },
  ],
  [
    preconditionFailure({ violations: [{ type: 'TOS', subject: 'x', description: 'sign' }] }),
    { violations: [{ type: 'TOS', subject: 'x', description: 'sign' }] },
  ],
  [
    badRequest({
      fieldViolations: [
        {
          field: 'name',
          description: 'empty',
          reason: 'EMPTY',
          localizedMessage: { locale: 'de', message: 'leer' },
        },
      ],
    }),
    {
      fieldViolations: [
        {
          field: 'name',
          description: 'empty',
          reason: 'EMPTY',
          localizedMessage: { locale: 'de', message: 'leer' },
        },
      ],
    },
  ],
  [requestInfo({ requestId: '7', servingData: 'z' }), { requestId: '7', servingData: 'z' }],
  [
    resourceInfo({ resourceType: 'book', resourceName: 'b/1', owner: 'me', description: 'gone' }),
    { resourceType: 'book', resourceName: 'b/1', owner: 'me', description: 'gone' },
  ],
  [
    help({ links: [{ description: 'read', url: 'https://a.test' }] }),
    { links: [{ description: 'read', url: 'https://a.test' }] },
  ],
  [localizedMessage({ locale: 'de-CH', message: 'Grüezi' }), { locale: 'de-CH', message: 'Grüezi' }],
]

t.test('each of the ten standard types is written as error_details.proto says, and read again', async (t) => {
  t.equal(new Set(everyType.map(([{ type }]) => type)).size, 10)
  for (const [detail, json] of everyType) {
    const error = new StatusError(Status.ABORTED, 'x', { statusDetails: [detail] })
    const status = google.rpc.Status.decode(error.metadata.get(KEY)!)
    t.match(status, { code: 10, message: 'x' }, detail.type)
    t.equal(status.details[0].typeUrl, `type.googleapis.com/google.rpc.${detail.type}`)
    const type = google.rpc[detail.type]
    t.strictSame(toJson(type, type.decode(status.details[0].value)), fromOwn(json), detail.type)
    // From the JSON, through protobufjs alone, back to what the application sees.
    const octets = type.toBinary(fromJson(type, json as never))
    const sent = { code: 10, details: [{ typeUrl: detail.typeUrl, value: octets }] }
    t.strictSame(statusDetails(withTrailer(google.rpc.Status.toBinary(sent))), [detail], detail.type)
    t.strictSame(error.statusDetails, [detail])
  }
})

/** Own properties only, as JSON.parse makes them. */
function fromOwn(json: object): unknown {
  return JSON.parse(JSON.stringify(json))
}

t.test('what is left out of a detail has its default', async (t) => {
  t.strictSame(errorInfo({}).value, { reason: '', domain: '', metadata: {} })
  t.strictSame(retryInfo({}).value, { retryDelayMs: 0 })
  t.strictSame(quotaFailure({ violations: [{}] }).value.violations, [
    {
      subject: '',
      description: '',
      apiService: '',
      quotaMetric: '',
      quotaId: '',
      quotaDimensions: {},
      quotaValue: 0n,
    },
  ])
  t.strictSame(badRequest({ fieldViolations: [{ field: 'a' }] }).value.fieldViolations, [
    { field: 'a', description: '', reason: '' },
  ])
})

t.test("a detail that can't be sent is refused where it is made", async (t) => {
  t.throws(() => errorInfo({ reason: 5 as never }), {
    name: 'MessageError',
    message: /^google\.rpc\.ErrorInfo\.reason: expected string, got number 5/,
  })
  t.throws(() => badRequest({ violations: [] } as never), { name: 'MessageError', message: /violations/ })
  for (const retryDelayMs of [-1, Number.NaN, 315_576_000_000_001, '1s', null, 1n]) {
    t.throws(() => retryInfo({ retryDelayMs: retryDelayMs as never }), {
      name: 'TypeError',
      message: /retryDelayMs: expected milliseconds from 0/,
    })
  }
  t.equal(retryInfo({ retryDelayMs: 315_576_000_000_000 }).value.retryDelayMs, 315_576_000_000_000)
})

t.test('retryDelayMs keeps nanoseconds and never carries a full second of them', async (t) => {
  for (const ms of [0, 0.000001, 0.25, 999.999999, 1000, 999.9999999]) {
    const { value } = retryInfo({ retryDelayMs: ms })
    t.ok(Math.abs(value.retryDelayMs - ms) < 1e-6, `${ms}`)
  }
})

t.test('metadata that was given is kept, and not changed', async (t) => {
  const metadata = new Metadata({ 'x-hint': 'korea' })
  const error = new StatusError(Status.NOT_FOUND, 'x', { metadata, statusDetails: [help({})] })
  t.equal(error.metadata.get('x-hint'), 'korea')
  t.equal(error.statusDetails.length, 1)
  t.equal(metadata.has(KEY), false)
  t.strictSame(new StatusError(Status.NOT_FOUND).statusDetails, [])
  t.strictSame(statusDetails({ metadata }), [])
})

t.test('details of other types are kept as octets, and sent on', async (t) => {
  const { helloworld } = await loadProto('proto/helloworld.proto')
  const own = anyDetail(helloworld.HelloRequest, { name: 'you' })
  const unknown: StatusDetail = { type: 'Any', typeUrl: 'a.test/b.C', value: Buffer.from([1, 2]) }
  const error = new StatusError(Status.ABORTED, '', { statusDetails: [own, unknown] })
  const [first, second] = error.statusDetails
  t.match(first, { type: 'Any', typeUrl: 'type.googleapis.com/helloworld.HelloRequest' })
  if (first?.type === 'Any') t.strictSame(helloworld.HelloRequest.decode(first.value), { name: 'you' })
  t.strictSame(second, unknown)
  const again = new StatusError(Status.ABORTED, '', { statusDetails: error.statusDetails })
  t.strictSame(again.statusDetails, error.statusDetails)
  t.throws(() => anyDetail(helloworld.HelloRequest, { name: 5 }), { name: 'MessageError' })
})

t.test('any.proto: the type is what follows the last slash, whatever stands before', async (t) => {
  const value = google.rpc.LocalizedMessage.toBinary({ locale: 'de' })
  for (const [typeUrl, type] of [
    ['type.googleapis.com/google.rpc.LocalizedMessage', 'LocalizedMessage'],
    ['https://a.test/b/google.rpc.LocalizedMessage', 'LocalizedMessage'],
    ['google.rpc.LocalizedMessage', 'LocalizedMessage'],
    ['type.googleapis.com/rpc.LocalizedMessage', 'Any'],
    ['type.googleapis.com/google.rpc.constructor', 'Any'],
    ['type.googleapis.com/google.rpc.Status', 'Any'],
    ['', 'Any'],
  ] as const) {
    const octets = google.rpc.Status.toBinary({ details: [{ typeUrl, value }] })
    t.match(statusDetails(withTrailer(octets)), [{ type, typeUrl }], JSON.stringify(typeUrl))
  }
})

t.test('octets that are no google.rpc.Status give no details and no error', async (t) => {
  const whole = new StatusError(Status.ABORTED, 'text', {
    statusDetails: everyType.map(([detail]) => detail),
  }).metadata.get(KEY)!
  let none = 0
  for (let end = 0; end < whole.length; end++) {
    const details = statusDetails(withTrailer(whole.slice(0, end)))
    if (details.length === 0) none++
  }
  t.ok(none > whole.length / 2, 'most cuts fall into a field')
  t.strictSame(statusDetails(withTrailer(Buffer.from('nonsense'))), [])
  t.strictSame(statusDetails(withTrailer(Buffer.alloc(0))), [])
  // Inverted octets, one after the other.
  for (let at = 0; at < whole.length; at++) {
    const wrong = Uint8Array.from(whole)
    wrong[at] = ~wrong[at]! & 0xff
    t.ok(Array.isArray(statusDetails(withTrailer(wrong))))
  }
})

t.test('a standard type with octets that are none is kept as octets', async (t) => {
  const typeUrl = 'type.googleapis.com/google.rpc.RetryInfo'
  const durations = [
    { seconds: 315_576_000_001n, nanos: 0 },
    { seconds: 0n, nanos: 1_000_000_000 },
    { seconds: 1n, nanos: -1 },
    { seconds: 2n ** 63n - 1n, nanos: 0 },
  ].map((retryDelay) => google.rpc.RetryInfo.toBinary({ retryDelay }))
  for (const value of [Buffer.from([0xff]), Buffer.from([0x0a, 0x05]), ...durations]) {
    const octets = google.rpc.Status.toBinary({ details: [{ typeUrl, value }] })
    const [detail] = statusDetails(withTrailer(octets))
    t.match(detail, { type: 'Any', typeUrl })
    t.ok(Buffer.from(value).equals(detail!.value as Uint8Array))
  }
})

t.test('fields that the type does not have are skipped', async (t) => {
  const writer = protobuf.Writer.create().uint32(8).int32(10).uint32(802).string('new')
  t.strictSame(statusDetails(withTrailer(writer.finish())), [])
})

t.test('of a repeated trailer the first counts', async (t) => {
  const [one, two] = ['de', 'fr'].map(
    (locale) =>
      new StatusError(Status.ABORTED, '', {
        statusDetails: [localizedMessage({ locale })],
      }).metadata.get(KEY)!,
  )
  t.match(statusDetails({ metadata: new Metadata({ [KEY]: [one!, two!] }) }), [{ value: { locale: 'de' } }])
})

for (const engine of ENGINES) {
  for (const clientEngine of ENGINES) {
    t.test(`${clientEngine} client, ${engine} server: details arrive with the status`, async (t) => {
      const sent = everyType.map(([detail]) => detail)
      const { client } = await pair(
        t,
        engine,
        {
          ...echo,
          one: () => {
            throw new StatusError(Status.INVALID_ARGUMENT, 'wrong', {
              metadata: { 'x-more': 'yes' },
              statusDetails: sent,
            })
          },
          async *many() {
            yield { text: 'first' }
            throw new StatusError(Status.RESOURCE_EXHAUSTED, '', {
              statusDetails: [retryInfo({ retryDelayMs: 20 })],
            })
          },
        },
        { clientEngine },
      )
      const error = (await rejection(client.one({}))) as StatusError
      t.match(error, { code: 3, details: 'wrong' })
      t.strictSame(error.statusDetails, sent)
      t.equal(error.metadata.get('x-more'), 'yes')
      const call = client.many({})
      const streamError = await rejection(collect(call))
      t.match((streamError as StatusError).statusDetails, [
        { type: 'RetryInfo', value: { retryDelayMs: 20 } },
      ])
      t.strictSame(statusDetails(await call.status), (streamError as StatusError).statusDetails)
    })

    t.test(`${clientEngine} client, ${engine} server: grpc-status counts, not the code inside`, async (t) => {
      const inside = google.rpc.Status.toBinary({
        code: Status.OK,
        message: 'all is well',
        details: [{ typeUrl: 'a.test/google.rpc.Help', value: Buffer.alloc(0) }],
      })
      const { client } = await pair(
        t,
        engine,
        {
          ...echo,
          one: ({ text }) => {
            const octets = text === 'broken' ? Buffer.from('nonsense') : inside
            throw new StatusError(Status.INTERNAL, 'it broke', { metadata: { [KEY]: octets } })
          },
        },
        { clientEngine },
      )
      const error = (await rejection(client.one({}))) as StatusError
      t.match(error, { code: 13, details: 'it broke' })
      t.match(error.statusDetails, [{ type: 'Help', value: { links: [] } }])
      const broken = (await rejection(client.one({ text: 'broken' }))) as StatusError
      t.match(broken, { code: 13, details: 'it broke' })
      t.strictSame(broken.statusDetails, [])
    })
  }
}
