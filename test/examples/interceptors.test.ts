import t from 'tap'
import { runExample } from './support/run-example.ts'

t.test('interceptor-logging: each call, on both sides', async (t) => {
  const { exitCode, stdout, stderr } = await runExample('examples/interceptor-logging.ts')
  t.same({ exitCode, stderr }, { exitCode: 0, stderr: '' })
  t.same(stdout.trimEnd().split('\n').sort(), [
    'Hello Ada',
    'Hello Bob',
    'Hello Eve',
    'client /helloworld.Greeter/Chat 2 OK',
    'client /helloworld.Greeter/SayHello 0 INVALID_ARGUMENT: a name is needed',
    'client /helloworld.Greeter/SayHello 1 OK',
    'server /helloworld.Greeter/Chat 2 OK',
    'server /helloworld.Greeter/SayHello 0 INVALID_ARGUMENT: a name is needed',
    'server /helloworld.Greeter/SayHello 1 OK',
  ])
})

t.test('interceptor-retry: after UNAVAILABLE, and as late as the server asks', async (t) => {
  t.same(await runExample('examples/interceptor-retry.ts'), {
    exitCode: 0,
    stdout: [
      'attempt 1: 14 UNAVAILABLE: waking up',
      'attempt 2: 14 UNAVAILABLE: nearly there; again in 20 ms',
      'Hello Ada, it took 3 attempts',
      'not again: 3 INVALID_ARGUMENT: a name is needed',
      '',
    ].join('\n'),
    stderr: '',
  })
})

t.test('interceptor-auth: a token is asked for, renewed and checked', async (t) => {
  t.same(await runExample('examples/interceptor-auth.ts'), {
    exitCode: 0,
    stdout: [
      '16 UNAUTHENTICATED: an old token',
      'Hello Ada',
      '16 UNAUTHENTICATED: an old token',
      'Hello Bob',
      '16 UNAUTHENTICATED: a token is needed',
      'SERVING',
      '',
    ].join('\n'),
    stderr: '',
  })
})
