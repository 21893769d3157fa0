/** A client that makes a call of each kind: `npx tsx examples/hello-client.ts [ADDRESS]`. */
import { connect, loadProto } from 'grpc-glass'

const { helloworld } = await loadProto('proto/helloworld.proto')
const channel = connect(process.argv[2] ?? 'localhost:50051')
const greeter = channel.client(helloworld.Greeter)

const reply = await greeter.sayHello({ name: 'world' }, { deadline: 1000 })
console.log(reply.message)

for await (const { message } of greeter.sayHellos({ name: 'world' })) console.log(message)

const together = await greeter.greetAll([{ name: 'Ada' }, { name: 'Bob' }])
console.log(together.message)

const chat = greeter.chat()
for (const name of ['Ada', 'Bob']) await chat.write({ name })
chat.end()
for await (const { message } of chat) console.log(message)

await channel.close()
