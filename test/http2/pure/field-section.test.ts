/** Well-formed messages (RFC 9113 §8.2, §8.3). */
import t from 'tap'
import { FieldSectionChecker } from '../../../src/http2/pure/field-section.ts'

const REQUEST = [':method', 'POST', ':scheme', 'https', ':path', '/a/b', ':authority', 'host:1']
const without = (name: string) => REQUEST.filter((_, index) => REQUEST[index & ~1] !== name)

const GOOD_REQUESTS: [string, string[]][] = [
  ['RFC 9113 §8.3.1: the four pseudo-header fields', REQUEST],
  ['RFC 9113 §8.3.1: without :authority', without(':authority')],
  ['RFC 9113 §8.3.1: OPTIONS *', [':method', 'OPTIONS', ':scheme', 'http', ':path', '*']],
  [
    'RFC 9113 §8.3.1: another scheme may have another path',
    [':method', 'GET', ':scheme', 'coap', ':path', 'x'],
  ],
  ['RFC 9113 §8.5: CONNECT', [':method', 'CONNECT', ':authority', 'host:443']],
  ['RFC 9113 §8.2.2: te: trailers', [...REQUEST, 'te', 'trailers']],
  ['RFC 9113 §8.3.1: host like :authority', [...REQUEST, 'host', 'HOST:1']],
  [
    'RFC 9113 §8.2.1: values with spaces inside, empty, octets above 127',
    [...REQUEST, 'a', 'x y', 'b', '', 'c', '\xe9'],
  ],
  ['names of JavaScript objects', [...REQUEST, '__proto__', '1', 'constructor', '2', 'hasownproperty', '3']],
  [
    'RFC 9110 §8.6: the same content-length twice',
    [...REQUEST, 'content-length', '5', 'content-length', '5'],
  ],
]

const BAD_REQUESTS: [string, string[], RegExp][] = [
  ['RFC 9113 §8.3.1: no :method', without(':method'), /no :method/],
  ['RFC 9113 §8.3.1: no :scheme', without(':scheme'), /no :scheme/],
  ['RFC 9113 §8.3.1: no :path', without(':path'), /no :path/],
  ['RFC 9113 §8.3.1: empty :path', [...without(':path'), ':path', ''], /no :path/],
  ['RFC 9113 §8.3.1: :path without slash', [...without(':path'), ':path', 'p.S/M'], /:path "p.S\/M"/],
  ['RFC 9113 §8.3.1: * is for OPTIONS', [...without(':path'), ':path', '*'], /:path/],
  [
    'RFC 9113 §8.3.1: user information',
    [...without(':authority'), ':authority', 'me@host'],
    /user information/,
  ],
  ['RFC 9113 §8.3.1: host differs', [...REQUEST, 'host', 'other'], /host is "other"/],
  ['RFC 9113 §8.3: twice', [...REQUEST, ':path', '/'], /:path twice/],
  ['RFC 9113 §8.3.1: unknown', [':unknown', 'x', ...REQUEST], /":unknown"/],
  ['RFC 9113 §8.3.1: of a response', [':status', '200', ...REQUEST], /":status"/],
  ['RFC 8441 §4: :protocol without the setting', [...REQUEST, ':protocol', 'websocket'], /":protocol"/],
  ['RFC 9113 §8.3: after other fields', [...without(':path'), 'a', 'b', ':path', '/'], /:path/],
  ['RFC 9113 §8.5: CONNECT with :path', [':method', 'CONNECT', ':authority', 'h', ':path', '/'], /CONNECT/],
  ['RFC 9113 §8.5: CONNECT without :authority', [':method', 'CONNECT'], /CONNECT/],
  ['RFC 9113 §8.2.1: upper case', [...REQUEST, 'X-Up', 'v'], /"X-Up"/],
  ['RFC 9113 §8.2.1: empty name', [...REQUEST, '', 'v'], /field name ""/],
  ['RFC 9113 §8.2.1: space in a name', [...REQUEST, 'a b', 'v'], /"a b"/],
  ['RFC 9113 §8.2.1: colon in a name', [...REQUEST, 'a:b', 'v'], /"a:b"/],
  ['RFC 9113 §8.2.1: NUL in a name', [...REQUEST, 'a\0b', 'v'], /field name/],
  ['RFC 9113 §8.2.1: DEL in a name', [...REQUEST, 'a\x7f', 'v'], /field name/],
  ['RFC 9113 §8.2.1: octet above 127 in a name', [...REQUEST, 'caf\xe9', 'v'], /field name/],
  ['RFC 9113 §8.2.1: NUL in a value', [...REQUEST, 'a', 'x\0'], /value of field "a"/],
  ['RFC 9113 §8.2.1: CR in a value', [...REQUEST, 'a', 'x\ry'], /value of field "a"/],
  ['RFC 9113 §8.2.1: LF in a value', [...REQUEST, 'a', 'x\ny'], /value of field "a"/],
  ['RFC 9113 §8.2.1: space first', [...REQUEST, 'a', ' x'], /value of field "a"/],
  ['RFC 9113 §8.2.1: tab last', [...REQUEST, 'a', 'x\t'], /value of field "a"/],
  ['RFC 9113 §8.2.1: LF in a pseudo-header field', [...without(':path'), ':path', '/\n'], /":path"/],
  ['RFC 9113 §8.2.2: connection', [...REQUEST, 'connection', 'close'], /connection-specific/],
  ['RFC 9113 §8.2.2: proxy-connection', [...REQUEST, 'proxy-connection', 'x'], /connection-specific/],
  ['RFC 9113 §8.2.2: keep-alive', [...REQUEST, 'keep-alive', 'x'], /connection-specific/],
  ['RFC 9113 §8.2.2: transfer-encoding', [...REQUEST, 'transfer-encoding', 'chunked'], /connection-specific/],
  ['RFC 9113 §8.2.2: upgrade', [...REQUEST, 'upgrade', 'h2c'], /connection-specific/],
  ['RFC 9113 §8.2.2: te: gzip', [...REQUEST, 'te', 'gzip'], /te is "gzip"/],
  ['RFC 9113 §8.1.1: content-length is no number', [...REQUEST, 'content-length', '1x'], /content-length/],
  ['RFC 9113 §8.1.1: negative content-length', [...REQUEST, 'content-length', '-1'], /content-length/],
  [
    'RFC 9113 §8.1.1: content-length too large',
    [...REQUEST, 'content-length', '9'.repeat(16)],
    /content-length/,
  ],
  [
    'RFC 9113 §8.1.1: two content-lengths',
    [...REQUEST, 'content-length', '5', 'content-length', '6'],
    /5 and 6/,
  ],
]

t.test('requests', async (t) => {
  const checker = new FieldSectionChecker()
  for (const [name, fields] of GOOD_REQUESTS) {
    // twice: what was learned of a name changes nothing
    for (let round = 0; round < 2; round++) {
      t.equal(checker.checkRequest(fields), true, `${name}: ${checker.violation}`)
    }
  }
  for (const [name, fields, says] of BAD_REQUESTS) {
    for (let round = 0; round < 2; round++) {
      t.equal(checker.checkRequest(fields), false, name)
      t.match(checker.violation, says, name)
      t.match(checker.section, /^RFC 9113 §8\./, name)
    }
  }
  t.equal(checker.checkRequest(REQUEST), true, 'and a good one is good again')
  t.equal(checker.violation, undefined)
})

t.test('what the connection needs to know of a request', async (t) => {
  const checker = new FieldSectionChecker()
  checker.checkRequest([...REQUEST, 'content-length', '17', 'priority', 'u=1'])
  t.match(checker, { contentLength: 17, priority: 'u=1', method: 'POST' })
  checker.checkRequest(REQUEST)
  t.match(checker, { contentLength: -1, priority: undefined })
})

t.test('responses (RFC 9113 §8.3.2)', async (t) => {
  const checker = new FieldSectionChecker()
  for (const status of ['100', '103', '200', '204', '404', '599']) {
    t.equal(checker.checkResponse([':status', status, 'a', 'b']), true)
    t.equal(checker.status, Number(status))
  }
  const bad: [string[], RegExp][] = [
    [[], /no :status/],
    [['a', 'b'], /no :status/],
    [['a', 'b', ':status', '200'], /no :status/],
    [[':method', 'GET'], /":method"/],
    [[':status', '200', ':status', '200'], /":status" after/],
    [[':status', '200', ':path', '/'], /":path" after/],
    [[':status', '20'], /:status is "20"/],
    [[':status', '099'], /:status is "099"/],
    [[':status', '2000'], /:status/],
    [[':status', 'abc'], /:status/],
    [[':status', '101'], /101/],
    [[':status', '200', 'connection', 'close'], /connection-specific/],
    [[':status', '200', 'X', 'y'], /"X"/],
  ]
  for (const [fields, says] of bad) {
    t.equal(checker.checkResponse(fields), false)
    t.match(checker.violation, says)
  }
})

t.test('trailers have no pseudo-header fields (RFC 9113 §8.1)', async (t) => {
  const checker = new FieldSectionChecker()
  t.equal(checker.checkTrailers(['grpc-status', '0', 'grpc-message', '']), true)
  t.equal(checker.checkTrailers([]), true)
  t.equal(checker.checkTrailers([':status', '200']), false)
  t.match(checker.violation, /":status"/)
  t.equal(checker.checkTrailers(['a', 'x\n']), false)
})

t.test('names that a peer makes up fill no memory, and stay right', async (t) => {
  const checker = new FieldSectionChecker()
  for (let n = 0; n < 5000; n++) {
    if (!checker.checkTrailers([`x-made-up-${n}`, 'v'])) t.fail(String(n))
    if (n % 500 === 0) t.equal(checker.checkTrailers([`X-made-up-${n}`, 'v']), false)
  }
})

t.test('violations quote what came, cut to a readable length', async (t) => {
  const checker = new FieldSectionChecker()
  checker.checkTrailers([`X${'y'.repeat(5000)}`, 'v'])
  t.ok(checker.violation!.length < 250)
})

t.test('the list that came last gives the same again, whatever came between', async (t) => {
  const checker = new FieldSectionChecker()
  const request = Object.freeze([...REQUEST, 'content-length', '7', 'priority', 'u=1'])
  const response = Object.freeze([':status', '404', 'content-length', '9'])
  const trailers = Object.freeze(['grpc-status', '0'])
  for (let round = 0; round < 3; round++) {
    t.equal(checker.checkRequest(request), true)
    t.strictSame([checker.method, checker.contentLength, checker.priority], ['POST', 7, 'u=1'])
    t.equal(checker.checkResponse(response), true)
    t.strictSame([checker.status, checker.contentLength], [404, 9])
    t.equal(checker.checkTrailers(trailers), true)
    t.equal(checker.checkRequest(without(':path')), false, 'one that breaks a rule is not remembered')
    t.match(checker.violation, /no :path/)
    t.equal(checker.checkTrailers([':status', '200']), false)
  }
  t.equal(checker.checkRequest(request), true)
  t.equal(checker.violation, undefined)
})
