/**
 * A client that shows a certificate: `npx tsx examples/secure-client.ts FOLDER [ADDRESS] [NAME]`. The folder holds ca.pem,
 * client.pem and client-key.pem; NAME is what the server's certificate says, where that is not the host.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, loadProto, StatusError } from 'grpc-glass'

const [folder = '.', address = 'localhost:50051', servername] = process.argv.slice(2)
const read = (name: string) => readFileSync(join(folder, name))

const { helloworld } = await loadProto('proto/helloworld.proto')
await using channel = connect(address, {
  tls: {
    ca: read('ca.pem'),
    cert: read('client.pem'),
    key: read('client-key.pem'),
    ...(servername !== undefined && { servername }),
  },
})
try {
  console.log(
    (await channel.client(helloworld.Greeter).sayHello({ name: 'Ada' }, { deadline: 5000 })).message,
  )
} catch (error) {
  if (!(error instanceof StatusError)) throw error
  console.error(`${error.message}\nin phase ${error.phase}`)
  process.exitCode = 1
}
