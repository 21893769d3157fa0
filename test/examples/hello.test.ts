import t from 'tap'
import { runExample, serveExample } from './support/run-example.ts'

t.test('hello-server and hello-client: a call of each kind', async (t) => {
  const server = await serveExample(t, 'examples/hello-server.ts', '127.0.0.1:0')
  const { exitCode, stdout, stderr } = await runExample('examples/hello-client.ts', server.address)
  t.equal(stderr, '')
  t.same(stdout.trimEnd().split('\n'), [
    'Hello world',
    'Hello world',
    'Bonjour world',
    'Hallo world',
    'Hello Ada and Bob',
    'Hello Ada',
    'Hello Bob',
  ])
  t.equal(exitCode, 0, 'the closed channel does not hold the process, nor end it early')
})

t.test('typed-hello: types that the compiler checks', async (t) => {
  t.same(await runExample('examples/typed-hello.ts'), {
    exitCode: 0,
    stdout: 'Hello typed world\n',
    stderr: '',
  })
})
