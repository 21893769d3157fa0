/** The types of a service, so that the compiler checks handlers and calls: `npx tsx examples/typed-hello.ts`. */
import { connect, loadProto, type Method, Server, type Service } from 'grpc-glass'

interface HelloRequest {
  name: string
}
interface HelloReply {
  message: string
}
/** Request, response, whether requests are a stream, whether responses are one. */
type GreeterMethods = {
  sayHello: Method<HelloRequest, HelloReply, false, false>
  sayHellos: Method<HelloRequest, HelloReply, false, true>
  greetAll: Method<HelloRequest, HelloReply, true, false>
  chat: Method<HelloRequest, HelloReply, true, true>
}

const { helloworld } = await loadProto('proto/helloworld.proto')
const Greeter: Service<GreeterMethods> = helloworld.Greeter

await using server = new Server().add(Greeter, {
  // request is a HelloRequest, and what is returned must be a HelloReply
  sayHello: (request) => ({ message: `Hello ${request.name}` }),
})
await using channel = connect(await server.listen('127.0.0.1:0'))
const reply = await channel.client(Greeter).sayHello({ name: 'typed world' })
console.log(reply.message)
