/** `npm run demo` in a process of its own: all parts are there, from real traffic, in 80 columns. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { columnsOf } from '../../src/inspect/columns.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { scripts: { demo: string } }

/** Runs what `npm run demo` runs. */
function demo(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const [, ...command] = scripts.demo.split(' ')
  return promisify(execFile)(process.execPath, [...command, ...args], {
    cwd: root,
    env: { PATH: process.env.PATH },
  })
}

/** The text of each chapter by its number. */
function chaptersOf(text: string): string[] {
  return text.split(/^(?=\d\. |The end$)/m)
}

t.match(scripts.demo, /^node /)

for (const engine of ['node', 'pure']) {
  t.test(`the demo with the ${engine} engine`, async (t) => {
    const { stdout, stderr } = await demo('--engine', engine)
    t.equal(stderr, '')
    for (const line of stdout.split('\n')) {
      t.ok(columnsOf(line) <= 80, line)
      t.notMatch(line, /\p{Cc}/u, 'no colours where there is no terminal')
    }
    const [intro, unary, serverStreaming, clientStreaming, bidirectional, deadline, cancel, end] =
      chaptersOf(stdout)
    t.match(intro, /The server listens on 127\.0\.0\.1:\d+/)

    const methods = ['SayHello', 'SayHellos', 'GreetAll', 'Chat', 'SayHello', 'Chat']
    const calls = [unary, serverStreaming, clientStreaming, bidirectional, deadline, cancel]
    for (const [i, call] of calls.entries()) {
      t.match(call, new RegExp(`^ {16}:path: /helloworld\\.Greeter/${methods[i]} +(added|not|indexed)`, 'm'))
      t.match(call, /^ {16}:method: POST +indexed 3$/m)
      t.match(call, /^ {16}te: trailers/m)
      t.match(call, /^ {14}message 1: \d+ octets, helloworld\.HelloRequest$/m)
      t.match(call, /^ {16}00 00 00 00 0\d +prefix, length \d$/m)
      t.match(call, /^ {16}1 LEN name: "\w+" \(string\)$/m)
      t.match(call, /^The client got: /m)
    }
    for (const call of calls.slice(0, 4)) {
      t.match(call, /^ {16}:status: 200 +indexed 8$/m)
      t.match(call, /^ {14}message 1: \d+ octets, helloworld\.HelloReply$/m)
      t.match(call, /^ {14}trailers: /m)
      t.match(call, /^ {16}grpc-status: 0/m)
      t.match(call, /^ {14}status 0 OK$/m)
    }
    t.match(unary, /> connection preface 24 octets/)
    t.match(unary, /> SETTINGS connection/)
    t.match(unary, /< SETTINGS connection ACK/)
    t.match(unary, /^ {16}0a 05 77 6f 72 6c 64 +\.\.world$/m)
    t.match(unary, /The client got: \{"message":"Hello world"\}/)
    t.match(serverStreaming, /message 3: /)
    t.match(serverStreaming, /1 LEN message: "안녕하세요 world" \(string\)/)
    t.match(clientStreaming, /message 2: \d+ octets, helloworld\.HelloRequest/)
    t.ok(
      bidirectional!.indexOf('"Hello Ada" (string)') < bidirectional!.indexOf('name: "Bob" (string)'),
      'the second name follows the first answer',
    )
    t.match(deadline, /^ {16}grpc-timeout: (100m|9\dm|99\d{3}u)/m)
    t.match(deadline, /> RST_STREAM stream 9 CANCEL|status 4 DEADLINE_EXCEEDED/)
    t.match(deadline, /The client got: 4 DEADLINE_EXCEEDED/)
    t.match(cancel, /> RST_STREAM stream 11 CANCEL/)
    t.match(end, /> GOAWAY connection NO_ERROR/)
  })
}

t.test('a flag that does not exist is one clear line', async (t) => {
  for (const [args, line] of [
    [['--engine', 'steam'], '--engine steam is unknown, allowed are node and pure\n'],
    [['--colour'], /^Unknown option '--colour'.*\n$/],
  ] as const) {
    await t.rejects(demo(...args), { code: 67, stdout: '', stderr: line })
  }
})
