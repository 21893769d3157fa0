import t from 'tap'
import { run } from '../../src/cli/program.ts'
import { addHealth, Server } from '../../src/index.ts'
import { ENGINES } from '../rpc/support/pair.ts'
import { FakeTerminal, glass } from './support/fake-terminal.ts'
import { serving } from './support/serving.ts'

for (const engine of ENGINES) {
  t.test(`${engine}: glass health asks glass serve`, async (t) => {
    const { address } = await serving(t, '--engine', engine)
    const health = (...args: string[]) => glass(['health', address, ...args, '--engine', engine])
    t.same(await health(), { exitCode: 0, stdout: 'SERVING\n', stderr: '' })
    t.same(await health('helloworld.Greeter', '--json'), {
      exitCode: 0,
      stdout: '{"status":"SERVING"}\n',
      stderr: '',
    })
    t.match(await health('no.Service'), {
      exitCode: 69,
      stdout: '',
      stderr: 'glass: 5 NOT_FOUND: This server has no service "no.Service"\n',
    })
  })

  t.test(`${engine}: NOT_SERVING and UNKNOWN are not healthy`, async (t) => {
    const server = new Server({ engine })
    const control = addHealth(server)
    const address = await server.listen('127.0.0.1:0')
    t.teardown(() => server.close({ graceMs: 0 }))
    for (const status of ['NOT_SERVING', 'UNKNOWN'] as const) {
      control.set('', status)
      t.same(await glass(['health', address]), { exitCode: 78, stdout: `${status}\n`, stderr: '' })
    }
    // Without reflection: what glass call needs to know is part of it.
    const check = await glass(['call', address, 'grpc.health.v1.Health/Check', '--json'])
    t.same(check, { exitCode: 0, stdout: '{}\n', stderr: '' })
    control.set('', 'SERVING')
    const again = await glass(['call', address, 'grpc.health.v1.Health/Check', '--json'])
    t.same(again, { exitCode: 0, stdout: '{"status":"SERVING"}\n', stderr: '' })
  })
}

t.test('a server without health, none at all, and a silent one', async (t) => {
  const server = new Server()
  const address = await server.listen('127.0.0.1:0')
  t.match(await glass(['health', address]), { exitCode: 76, stdout: '', stderr: /12 UNIMPLEMENTED/ })
  await server.close()
  t.match(await glass(['health', address]), { exitCode: 78, stderr: /14 UNAVAILABLE: .*refused/ })
  t.match(await glass(['health', 'nonsense:x:y']), { exitCode: 67, stderr: /^glass: / })
  const terminal = new FakeTerminal()
  const interrupted = run(['health', address, '--deadline', '1m'], terminal)
  await terminal.listens
  terminal.stop()
  t.match(await interrupted, 65)
})
