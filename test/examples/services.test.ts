import t from 'tap'
import { runExample } from './support/run-example.ts'

t.test('health: asked, watched, and gone', async (t) => {
  t.same(await runExample('examples/health.ts'), {
    exitCode: 0,
    stdout: [
      'SERVING',
      'helloworld.Greeter grpc.health.v1.Health grpc.reflection.v1.ServerReflection grpc.reflection.v1alpha.ServerReflection',
      'watched SERVING',
      'watched NOT_SERVING',
      'watched SERVING',
      'watched NOT_SERVING',
      'StatusError: 14 UNAVAILABLE: The server is shutting down',
      '',
    ].join('\n'),
    stderr: '',
  })
})

t.test('error-details: sent and read', async (t) => {
  t.same(await runExample('examples/error-details.ts'), {
    exitCode: 0,
    stdout: '3 INVALID_ARGUMENT: a name is needed\nname must not be empty\nde Bitte einen Namen angeben\n',
    stderr: '',
  })
})
