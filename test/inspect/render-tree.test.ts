import { gzipSync } from 'node:zlib'
import t from 'tap'
import { coloured } from '../../src/inspect/colours.ts'
import { columnsOf } from '../../src/inspect/columns.ts'
import { type TreeOptions, TreeRenderer } from '../../src/inspect/render-tree.ts'
import { encodeBinaryValue, FrameType, ProtobufWriter } from '../../src/wire/index.ts'
import { hello, prefixed, Recorder, Sent } from './traffic.ts'

function render(recorder: Recorder, options: TreeOptions = {}): string[] {
  const tree = new TreeRenderer(options)
  return recorder.events.flatMap((event) => tree.lines(event))
}

const client = new Sent()
  .preface()
  .settings([3, 100])
  .request(1, '/p.S/M', 'authorization', 'Bearer x')
  .data(1, prefixed(hello('대한민국')), true)
const server = new Sent()
  .settings()
  .headers(
    1,
    true,
    ':status',
    '200',
    'content-type',
    'application/grpc',
    'grpc-status',
    '5',
    'grpc-message',
    'no',
  )

t.test('a call as a tree', async (t) => {
  const recorder = new Recorder().push('client', client).push('server', server)
  t.same(render(recorder), [
    '   0.0 ms > connection preface 24 octets',
    '   0.0 ms > SETTINGS connection MAX_CONCURRENT_STREAMS=100',
    '   0.0 ms > HEADERS stream 1 END_HEADERS 34 octets',
    '              request: 34 octets for 285; table 3 entries, 146 octets',
    '                :method: POST                                          indexed 3',
    '                :scheme: http                                          indexed 6',
    '                :path: /p.S/M                                     added to table',
    '                :authority: x                                     added to table',
    '                content-type: application/grpc                    added to table',
    '                authorization: Bearer x                            never indexed',
    '   0.0 ms > DATA stream 1 END_STREAM 19 octets',
    '              message 1: 14 octets',
    '                00 00 00 00 0e                                 prefix, length 14',
    '                0a 0c eb 8c 80 ed 95 9c eb af bc ea b5 ad       ..............',
    '                1 LEN: "대한민국" (text?)',
    '   1.0 ms < SETTINGS connection',
    '   1.0 ms < HEADERS stream 1 END_STREAM END_HEADERS 40 octets',
    '              trailers-only: 40 octets for 192; table 2 entries, 104 octets',
    '                :status: 200                                           indexed 8',
    '                content-type: application/grpc                    added to table',
    '                grpc-status: 5                                    added to table',
    '                grpc-message: no                                     not indexed',
    '              status 5 NOT_FOUND "no"',
  ])
  t.same(
    render(recorder, { frames: 'calls' }).filter((line) => / [<>] /.test(line)),
    [
      '   0.0 ms > HEADERS stream 1 END_HEADERS 34 octets',
      '   0.0 ms > DATA stream 1 END_STREAM 19 octets',
      '   1.0 ms < HEADERS stream 1 END_STREAM END_HEADERS 40 octets',
    ],
  )
})

t.test('every line fits, whatever it shows', async (t) => {
  const busy = new Sent()
    .preface()
    .settings([1, 8192], [2, 0], [3, 100], [4, 65_536], [5, 16_384], [6, 32_768])
    .request(1, `/${'long.'.repeat(40)}S/M`, 'x-é', '\u001b[2Jvalue '.repeat(30), 'grpc-encoding', 'gzip')
    .data(1, prefixed(gzipSync(hello('대한민국 '.repeat(200))), true))
    .data(1, prefixed(hello('a'.repeat(5000))))
    .data(1, prefixed(new ProtobufWriter().packed(1, 'uint64', Array(500).fill(123_456n)).finish()))
    .data(1, Buffer.from('<html>'.repeat(50)))
  busy.frame(FrameType.GOAWAY, 0, 0, Buffer.concat([new Uint8Array(8), Buffer.from('too many '.repeat(100))]))
  const details = new ProtobufWriter().field(2, 'string', '한국어 '.repeat(100)).finish()
  const answer = new Sent().settings()
  answer.headers(
    1,
    true,
    ...[':status', '200', 'grpc-status', '13', 'grpc-message', '%ED%95%9C'.repeat(100)],
    ...['grpc-status-details-bin', encodeBinaryValue(details)],
  )
  const recorder = new Recorder()
    .push('client', busy)
    .push('server', answer)
    .push('server', Buffer.alloc(900, 'x'))
  recorder.dissector.end('server', 4, 'read ECONNRESET '.repeat(20))
  for (const columns of [40, 60, 80, 120]) {
    const lines = render(recorder, { columns })
    for (const line of lines) {
      t.ok(columnsOf(line) <= columns, line)
      t.notMatch(line, /\p{Cc}/u)
    }
    if (columns < 80) continue
    const text = lines.join('\n')
    for (const shown of [
      /decompressed: /,
      /octets more/,
      /body: /,
      /details: google.rpc.Status/,
      /lost: read/,
    ]) {
      t.match(text, shown)
    }
    t.match(text, /connection error: frame: /)
  }
})

t.test('what a table, a status or a message lacks is said', async (t) => {
  const strange = new Sent().settings().frame(FrameType.HEADERS, 4, 1, Buffer.from('2088', 'hex'))
  strange.headers(1, true, 'grpc-status', 'x')
  const lines = render(new Recorder().push('client', client).push('server', strange)).join('\n')
  t.match(lines, /dynamic table size update to 0 octets/)
  t.match(lines, /status 2 UNKNOWN \(grpc-status is "x"\)/)
  const cut = new Sent()
    .preface()
    .settings()
    .request(1, '/x')
    .data(1, prefixed(new Uint8Array(50)))
  t.match(
    render(new Recorder({ keptMessageOctets: 8 }).push('client', cut)).join('\n'),
    /only the first 8 octets are kept/,
  )
  const many = new Sent().preface().settings().request(1, '/x', 'a', 'v'.repeat(200))
  const truncated = render(new Recorder({ maxFieldBlockOctets: 250 }).push('client', many)).join('\n')
  t.match(truncated, /more fields than are shown/)
})

const ESCAPE = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')

t.test('colours change nothing but colours', async (t) => {
  const recorder = new Recorder().push('client', client).push('server', server)
  const painted = render(recorder, { paint: coloured })
  t.ok(painted.every((line, i) => line.replace(ESCAPE, '') === render(recorder)[i]))
  t.ok(painted.join('\n').includes(coloured('bad', 'status 5 NOT_FOUND "no"')))
})
