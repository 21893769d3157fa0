/** Metadata, deadlines, errors and cancelling, on both sides: `npx tsx examples/call-options.ts`. */
import { setTimeout } from 'node:timers/promises'
import { connect, type HandlerCall, loadProto, Server, Status, StatusError } from 'grpc-glass'

const { helloworld } = await loadProto('proto/helloworld.proto')
await using server = new Server().add(helloworld.Greeter, {
  async sayHello({ name }: { name: string }, call: HandlerCall) {
    call.sendHeaders({ 'x-served-by': 'example' })
    call.setTrailers({ 'x-cost-bin': Uint8Array.of(1, 2, 3) })
    if (name === '') throw new StatusError(Status.INVALID_ARGUMENT, 'name is empty')
    if (name === 'slow') await setTimeout(60_000, undefined, { signal: call.signal }) // ends with the call
    return { message: `Hello ${name}, ${call.metadata.get('x-tenant')}` }
  },
  async *sayHellos({ name }: { name: string }) {
    for (let count = 1; ; count++) yield { message: `Hello ${name} for the ${count}. time` }
  },
})
await using channel = connect(await server.listen('127.0.0.1:0'), { engine: 'pure' })
const greeter = channel.client(helloworld.Greeter)

const call = greeter.sayHello({ name: 'Ada' }, { metadata: { 'x-tenant': 'blue' }, deadline: 1000 })
console.log((await call).message)
console.log((await call.headers).get('x-served-by'), (await call.trailers).get('x-cost-bin'))

for (const [name, deadline] of [
  ['', 1000],
  ['slow', 100],
] as const) {
  const error = await greeter.sayHello({ name }, { deadline }).catch((thrown: StatusError) => thrown)
  console.log(error.code, error.message)
}

const endless = greeter.sayHellos({ name: 'Bob' })
for await (const { message } of endless) {
  console.log(message)
  if (message.includes('2.')) break // leaving the loop cancels the call
}
console.log((await endless.status).code === Status.CANCELLED)
