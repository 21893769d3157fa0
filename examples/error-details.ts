/** What went wrong, for programs: error details on both sides: `npx tsx examples/error-details.ts`. */
import { badRequest, connect, loadProto, localizedMessage, Server, Status, StatusError } from 'grpc-glass'

const { helloworld } = await loadProto('proto/helloworld.proto')
await using server = new Server().add(helloworld.Greeter, {
  sayHello({ name }: { name: string }) {
    if (name !== '') return { message: `Hello ${name}` }
    throw new StatusError(Status.INVALID_ARGUMENT, 'a name is needed', {
      statusDetails: [
        badRequest({ fieldViolations: [{ field: 'name', description: 'must not be empty' }] }),
        localizedMessage({ locale: 'de', message: 'Bitte einen Namen angeben' }),
      ],
    })
  },
})
await using channel = connect(await server.listen('127.0.0.1:0'))
try {
  await channel.client(helloworld.Greeter).sayHello({ name: '' })
} catch (error) {
  if (!(error instanceof StatusError)) throw error
  console.log(error.message)
  for (const detail of error.statusDetails) {
    switch (detail.type) {
      case 'BadRequest':
        for (const { field, description } of detail.value.fieldViolations)
          console.log(`${field} ${description}`)
        break
      case 'LocalizedMessage':
        console.log(detail.value.locale, detail.value.message)
        break
      default:
        console.log(detail.typeUrl)
    }
  }
}
