/**
 * What validation costs a call: the header sections of a gRPC request and response, names known and names new.
 *
 * Run: `node --import=tsx bench/micro/pure-field-section.ts`
 */
import { FieldSectionChecker } from '../../src/http2/pure/field-section.ts'
import { checkOutgoing } from '../../src/http2/pure/outgoing-fields.ts'

const ROUNDS = 5
const COUNT = 1_000_000
const REQUEST = [
  ...[
    ':method',
    'POST',
    ':scheme',
    'http',
    ':path',
    '/helloworld.Greeter/SayHello',
    ':authority',
    '127.0.0.1:50051',
  ],
  ...[
    'te',
    'trailers',
    'content-type',
    'application/grpc',
    'user-agent',
    'grpc-glass/0.1.0',
    'grpc-timeout',
    '999m',
  ],
]
const TRAILERS = ['grpc-status', '0']
const NEW_NAME = ['x-name-longer-than-those-that-are-remembered-by-the-checker-of-field-sections', 'v']
const KNOWN_NAME = ['grpc-accept-encoding', 'v']

const checker = new FieldSectionChecker()
const cases: [string, () => unknown][] = [
  ['request received', () => checker.checkRequest(REQUEST)],
  ['trailers received', () => checker.checkTrailers(TRAILERS)],
  ['a known name', () => checker.checkTrailers(KNOWN_NAME)],
  ['a name that is read each time', () => checker.checkTrailers(NEW_NAME)],
  ['request sent', () => checkOutgoing(REQUEST, 'request')],
]

for (let round = 0; round < ROUNDS; round++) {
  const line = cases.map(([name, act]) => {
    const started = performance.now()
    for (let n = 0; n < COUNT; n++) act()
    return `${name} ${(((performance.now() - started) * 1e6) / COUNT).toFixed(0)} ns`
  })
  process.stdout.write(`${line.join(', ')}\n`)
}
