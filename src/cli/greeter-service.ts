/** The Greeter of `proto/helloworld.proto`: one method of each kind. */

interface HelloRequest {
  name: string
}

interface HelloReply {
  message: string
}

/** The handlers of `glass serve`. */
export const greeter = {
  sayHello({ name }: HelloRequest): HelloReply {
    return greet(name)
  },
  *sayHellos({ name }: HelloRequest): Generator<HelloReply> {
    yield greet(name)
    yield { message: `Hello again, ${name}` }
    yield { message: `Goodbye ${name}` }
  },
  async greetAll(requests: AsyncIterable<HelloRequest>): Promise<HelloReply> {
    const names: string[] = []
    for await (const { name } of requests) names.push(name)
    return greet(names.join(', '))
  },
  async *chat(requests: AsyncIterable<HelloRequest>): AsyncGenerator<HelloReply> {
    for await (const { name } of requests) yield greet(name)
  },
}

function greet(name: string): HelloReply {
  return { message: `Hello ${name}` }
}
