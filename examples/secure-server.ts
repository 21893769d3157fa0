/**
 * A server that shows a certificate and asks for one: `npx tsx examples/secure-server.ts FOLDER [ADDRESS]`. The folder
 * holds ca.pem, server.pem and server-key.pem; new files are used for new connections, without a restart.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type HandlerCall, loadProto, Server, type ServerTls } from 'grpc-glass'

const [folder = '.', address = '127.0.0.1:50051'] = process.argv.slice(2)

/** Reads the files again when they have changed. The same object means: nothing has. */
function certificates(): () => ServerTls {
  const paths = ['server.pem', 'server-key.pem', 'ca.pem'].map((name) => join(folder, name))
  let current: ServerTls | undefined
  let seen = ''
  return () => {
    const stamp = paths.map((path) => statSync(path).mtimeMs).join()
    if (current === undefined || stamp !== seen) {
      const [cert, key, ca] = paths.map((path) => readFileSync(path))
      current = { cert: cert!, key: key!, ca: ca! }
      seen = stamp
    }
    return current
  }
}

const { helloworld } = await loadProto('proto/helloworld.proto')
const server = new Server({ onConnectionError: (error) => console.log(error.message) })
server.add(helloworld.Greeter, {
  sayHello: ({ name }: { name: string }, { peer }: HandlerCall) => ({
    message: `Hello ${name}, your certificate says ${peer.certificate?.subject.CN}`,
  }),
})
console.log(`listening on ${await server.listen(address, { tls: certificates() })}`)
process.once('SIGTERM', () => server.close())
