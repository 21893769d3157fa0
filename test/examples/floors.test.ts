/** Each floor alone, and what a call can be told: the examples that README quotes. */
import t from 'tap'
import { runExample } from './support/run-example.ts'

t.test('wire-floor: octets written and taken apart', async (t) => {
  const { exitCode, stdout, stderr } = await runExample('examples/wire-floor.ts')
  t.same({ exitCode, stderr }, { exitCode: 0, stderr: '' })
  t.match(stdout, /^HEADERS stream 1 END_HEADERS \d+ octets\n/)
  t.match(stdout, /':path',\n +'\/helloworld\.Greeter\/SayHello',\n/)
  t.match(stdout, /\nDATA stream 1 END_STREAM 10 octets\n1 LEN: "Ada".*\n$/)
})

t.test('http2-floor: a request without gRPC', async (t) => {
  t.same(await runExample('examples/http2-floor.ts'), {
    exitCode: 0,
    stdout: ':status 200\nHello from node:http2\n',
    stderr: '',
  })
})

t.test('rpc-floor: calls without protobuf', async (t) => {
  t.same(await runExample('examples/rpc-floor.ts'), { exitCode: 0, stdout: '6\n', stderr: '' })
})

t.test('call-options: metadata, deadlines, errors, cancelling', async (t) => {
  const { exitCode, stdout, stderr } = await runExample('examples/call-options.ts')
  t.same({ exitCode, stderr }, { exitCode: 0, stderr: '' })
  t.same(stdout.replace(/:\d+$/m, ':PORT').split('\n'), [
    'Hello Ada, blue',
    'example <Buffer 01 02 03>',
    '3 3 INVALID_ARGUMENT: name is empty',
    '4 4 DEADLINE_EXCEEDED: Deadline exceeded after 0.100s,remote_addr=127.0.0.1:PORT',
    'Hello Bob for the 1. time',
    'Hello Bob for the 2. time',
    'true',
    '',
  ])
})
