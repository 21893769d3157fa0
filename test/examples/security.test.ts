import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createAuthority, type Identity } from '../support/certificates.ts'
import { runExample, serveExample } from './support/run-example.ts'

t.test('secure-server and secure-client: certificates on both sides, and a new one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'grpc-glass-secure-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const authority = await createAuthority()
  const write = (name: string, { cert, key }: Identity): void => {
    writeFileSync(join(folder, `${name}.pem`), cert)
    writeFileSync(join(folder, `${name}-key.pem`), key)
  }
  writeFileSync(join(folder, 'ca.pem'), authority.ca)
  write('server', await authority.issue('server.test'))
  write('client', await authority.issue('ada.test'))
  const server = await serveExample(t, 'examples/secure-server.ts', folder, '127.0.0.1:0')
  const client = (...args: string[]) => runExample('examples/secure-client.ts', folder, ...args)

  const hello = { exitCode: 0, stdout: 'Hello Ada, your certificate says ada.test\n', stderr: '' }
  t.same(await client(server.address), hello)
  const misnamed = await client(server.address, 'other.test')
  t.match(misnamed, { exitCode: 1, stdout: '', stderr: /^14 UNAVAILABLE: .*other\.test.*\nin phase tls\n$/s })

  write('server', await authority.issue('server.test', ['other.test']))
  // Even where the file system counts in whole seconds, these are newer.
  const later = new Date(Date.now() + 5000)
  for (const name of ['server.pem', 'server-key.pem']) utimesSync(join(folder, name), later, later)
  t.same(await client(server.address, 'other.test'), hello)

  write('client', await (await createAuthority()).issue('eve.test'))
  t.match(await client(server.address, 'other.test'), { exitCode: 1, stdout: '', stderr: /^14 UNAVAILABLE/ })
  const { exitCode, stdout } = await server.stop()
  t.equal(exitCode, 0)
  t.match(stdout, /TLS with a client failed: the client's certificate was refused/)
})
