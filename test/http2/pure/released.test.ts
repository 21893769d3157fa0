/** What an idle connection of the `pure` engine holds: nothing of streams that are over. */
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { connect, type HandlerCall, loadProto, Server } from '../../../src/index.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const CALLS = 5
const TRIES = 100

t.test('calls that are over are freed while their connection stays', async (t) => {
  const { helloworld } = await loadProto('proto/helloworld.proto')
  const served: WeakRef<HandlerCall>[] = []
  const server = new Server({ engine: 'pure' }).add(helloworld.Greeter, {
    sayHello: ({ name }: { name: string }, call: HandlerCall) => {
      served.push(new WeakRef(call))
      return { message: name }
    },
  })
  const channel = connect(await server.listen('127.0.0.1:0'), { engine: 'pure' })
  t.teardown(async () => {
    await channel.close()
    await server.close()
  })
  const greeter = channel.client(helloworld.Greeter)
  const asked: WeakRef<object>[] = []
  const call = async (): Promise<void> => {
    const made = greeter.sayHello({ name: 'Ada' })
    asked.push(new WeakRef(made))
    await made
  }
  for (let i = 0; i < CALLS; i++) await call()
  const left = (refs: WeakRef<object>[]) => refs.filter((ref) => ref.deref() !== undefined).length
  for (let i = 0; i < TRIES && left(served) + left(asked) > 0; i++) {
    await setTimeout(20)
    collect()
  }
  t.equal(left(served), 0, 'of the server')
  t.equal(left(asked), 0, 'of the client')
  t.equal(channel.state, 'READY')
})
