/** Health and reflection, and how a watcher learns that a server goes: `npx tsx examples/health.ts`. */
import { addHealth, addReflection, connect, Health, loadProto, Server, ServerReflection } from 'grpc-glass'

const { helloworld } = await loadProto('proto/helloworld.proto')
await using server = new Server().add(helloworld.Greeter, {
  sayHello: ({ name }: { name: string }) => ({ message: `Hello ${name}` }),
})
const health = addHealth(server)
addReflection(server) // now grpcurl and buf curl need no .proto files
await using channel = connect(await server.listen('127.0.0.1:0'))

const client = channel.client(Health)
console.log((await client.check({ service: 'helloworld.Greeter' })).status)
for await (const { listServicesResponse } of channel
  .client(ServerReflection)
  .serverReflectionInfo([{ listServices: '' }])) {
  console.log(listServicesResponse?.service.map(({ name }) => name).join(' '))
}

const watch = client.watch({ service: 'helloworld.Greeter' })
const changes = [
  () => health.set('helloworld.Greeter', 'NOT_SERVING'),
  () => health.set('helloworld.Greeter', 'SERVING'),
  () => void server.close(), // everything is NOT_SERVING before clients are sent away
]
try {
  for await (const { status } of watch) {
    console.log('watched', status)
    changes.shift()?.()
  }
} catch (error) {
  console.log(String(error))
}
