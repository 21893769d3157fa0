/**
 * HTTP and JSON in front of gRPC: `npx tsx examples/http-front.ts [PORT] [ADDRESS]`, with `glass serve` behind it.
 * Then `curl localhost:6000/countries/korea` and `curl localhost:6000/helloworld/Ada`.
 */
import fastify from 'fastify'
import { connect, loadProto, Status, StatusError, statusName } from 'grpc-glass'

/** HTTP status of the gRPC statuses that have one of their own; all others are 500. */
const HTTP_STATUS: Readonly<Record<number, number>> = {
  [Status.INVALID_ARGUMENT]: 400,
  [Status.UNAUTHENTICATED]: 401,
  [Status.PERMISSION_DENIED]: 403,
  [Status.NOT_FOUND]: 404,
  [Status.ALREADY_EXISTS]: 409,
  [Status.RESOURCE_EXHAUSTED]: 429,
  [Status.UNIMPLEMENTED]: 501,
  [Status.UNAVAILABLE]: 503,
  [Status.DEADLINE_EXCEEDED]: 504,
}

const [port = '6000', address = 'localhost:50051'] = process.argv.slice(2)
const { countries, helloworld } = await loadProto(['proto/countries.proto', 'proto/helloworld.proto'])
const channel = connect(address, { defaultDeadlineMs: 2000 })
const country = channel.client(countries.Country)
const greeter = channel.client(helloworld.Greeter)

type Named = { Params: { name: string } }
const front = fastify()
front.get<Named>('/countries/:name', async ({ params }) => country.search({ name: params.name }))
front.get<Named>('/helloworld/:name', async ({ params }) => greeter.sayHello({ name: params.name }))
front.setErrorHandler((error, _request, reply) => {
  if (!(error instanceof StatusError)) return reply.send(error)
  const { code, details } = error
  return reply.code(HTTP_STATUS[code] ?? 500).send({ code, status: statusName(code), details })
})
console.log(`listening on ${await front.listen({ port: Number(port), host: '127.0.0.1' })}`)
process.once('SIGTERM', async () => {
  await front.close()
  await channel.close()
})
