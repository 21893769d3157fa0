/** A server with a method of each kind: `npx tsx examples/hello-server.ts [ADDRESS]`. */
import { loadProto, Server } from 'grpc-glass'

type Hello = { name: string }
const { helloworld } = await loadProto('proto/helloworld.proto')
const server = new Server().add(helloworld.Greeter, {
  sayHello: ({ name }: Hello) => ({ message: `Hello ${name}` }),
  async *sayHellos({ name }: Hello) {
    for (const hello of ['Hello', 'Bonjour', 'Hallo']) yield { message: `${hello} ${name}` }
  },
  async greetAll(requests: AsyncIterable<Hello>) {
    const names = []
    for await (const { name } of requests) names.push(name)
    return { message: `Hello ${names.join(' and ')}` }
  },
  async *chat(requests: AsyncIterable<Hello>) {
    for await (const { name } of requests) yield { message: `Hello ${name}` }
  },
})
console.log(`listening on ${await server.listen(process.argv[2] ?? '127.0.0.1:50051')}`)
