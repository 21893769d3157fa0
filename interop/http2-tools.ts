/**
 * Tools that speak HTTP/2 and know nothing of gRPC, against our server: curl, nghttp, h2load, and nginx in between
 * (`grpc_pass`), through which our client reaches it. Cleartext only.
 */
import { deepStrictEqual, match, ok, rejects } from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { EngineName } from '../src/http2/transport.ts'
import { connect, loadProto } from '../src/index.ts'
import type { TapReport } from './tap-report.ts'
import { outcome, root, start } from './toolchain.ts'

const timeoutMs = 30_000
const PATH = '/helloworld.Greeter/SayHello'
/** A HelloRequest for "Ada", framed. */
const REQUEST = Buffer.from('00000000050a03416461', 'hex')
const HEADERS = ['-H', 'content-type: application/grpc', '-H', 'te: trailers']

/** Runs a tool of the system. @throws Error that says which package has it */
async function tool(name: string, debianPackage: string, ...args: string[]) {
  const result = await outcome(name, args, timeoutMs).catch((error: unknown) => {
    throw new Error(
      `${name} can't be run (${error}); install it, for example: apt-get install ${debianPackage}`,
    )
  })
  return result
}

interface Setting {
  address: string
  engine: EngineName
  /** A private folder with the request in `request.bin`. */
  folder: string
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

function nginxConfiguration(port: number, address: string): string {
  return `
    worker_processes 1;
    pid nginx.pid;
    error_log stderr warn;
    events { worker_connections 256; }
    http {
      access_log off;
      client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
      uwsgi_temp_path uwsgi; scgi_temp_path scgi;
      server {
        listen 127.0.0.1:${port} http2;
        location / { grpc_pass grpc://${address}; }
      }
    }`
}

const cases: Record<string, (setting: Setting) => Promise<void>> = {
  async 'curl --http2-prior-knowledge'({ address, folder }) {
    const body = join(folder, 'reply.bin')
    const { code, output } = await tool(
      ...(['curl', 'curl', '-sS', '--http2-prior-knowledge', '-X', 'POST', ...HEADERS] as const),
      ...[
        '--data-binary',
        `@${join(folder, 'request.bin')}`,
        '-D',
        '-',
        '-o',
        body,
        `http://${address}${PATH}`,
      ],
    )
    deepStrictEqual(code, 0)
    match(output, /^HTTP\/2 200/)
    match(output, /content-type: application\/grpc/)
    match(output, /grpc-status: 0/)
  },
  async 'nghttp -v shows frames and trailers'({ address, folder }) {
    const { code, output } = await tool(
      ...(['nghttp', 'nghttp2-client', '-v', ...HEADERS] as const),
      ...['-d', join(folder, 'request.bin'), `http://${address}${PATH}`],
    )
    deepStrictEqual(code, 0)
    match(output, /recv \(stream_id=\d+\) :status: 200/)
    match(output, /recv \(stream_id=\d+\) grpc-status: 0/)
    match(output, /recv SETTINGS frame/)
  },
  async 'h2load: every request is answered'({ address, folder }) {
    const { code, output } = await tool(
      ...(['h2load', 'nghttp2-client', '-n', '5000', '-c', '5', '-m', '20', ...HEADERS] as const),
      ...['-d', join(folder, 'request.bin'), `http://${address}${PATH}`],
    )
    deepStrictEqual(code, 0)
    match(output, /5000 total, 5000 started, 5000 done, 5000 succeeded, 0 failed, 0 errored, 0 timeout/)
  },
  async 'behind nginx grpc_pass'({ address, engine, folder }) {
    const port = await freePort()
    const configuration = join(folder, 'nginx.conf')
    await writeFile(configuration, nginxConfiguration(port, address))
    const nginx = start('nginx', ['-p', folder, '-c', configuration, '-e', 'stderr', '-g', 'daemon off;'])
    const errors: string[] = []
    nginx.on('error', (error) =>
      errors.push(`${error}; install it, for example: apt-get install nginx-light`),
    )
    nginx.stderr?.on('data', (chunk) => errors.push(String(chunk)))
    try {
      await using channel = connect(`127.0.0.1:${port}`, { engine, initialBackoffMs: 50 })
      await channel.ready({ deadline: 10_000 }).catch((error) => {
        throw new Error(`${error}; nginx said: ${errors.join('')}`)
      })
      const { helloworld } = await loadProto(join(root, 'proto/helloworld.proto'))
      const greeter = channel.client(helloworld.Greeter)
      for (let i = 0; i < 20; i++)
        deepStrictEqual((await greeter.sayHello({ name: 'Ada' })).message, 'Hello Ada')
      let replies = 0
      for await (const { message } of greeter.sayHellos({ name: 'Ada' })) {
        match(message, /Ada/)
        replies++
      }
      ok(replies > 1)
      match((await greeter.greetAll([{ name: 'Ada' }, { name: 'Bob' }])).message, /Ada.*Bob/)
      await rejects(greeter.sayHello({ name: 'x' }, { metadata: { 'glass-behavior': 'fail' } }), { code: 5 })
      await rejects(channel.unary({ ...helloworld.Greeter.methods.sayHello, path: '/no.Such/Method' }, {}), {
        code: 12,
      })
    } finally {
      nginx.kill('SIGTERM')
      await Promise.race([new Promise((resolve) => nginx.once('exit', resolve)), wait(3000)])
    }
  },
}

/**
 * Runs every case.
 * @param address of a server as in interop/node/server.ts, in the clear
 * @param engine for our client behind nginx
 */
export async function runHttp2Tools(address: string, engine: EngineName): Promise<TapReport> {
  const folder = await mkdtemp(join(tmpdir(), 'glass-http2-tools-'))
  await writeFile(join(folder, 'request.bin'), REQUEST)
  const report: TapReport = { lines: [], passed: 0, failed: 0 }
  for (const [index, [name, check]] of Object.entries(cases).entries()) {
    try {
      await check({ address, engine, folder })
      report.passed++
      report.lines.push(`ok ${index + 1} - ${name}`)
    } catch (error) {
      report.failed++
      report.lines.push(`not ok ${index + 1} - ${name}`, ...String(error).replaceAll(/^/gm, '# ').split('\n'))
    }
  }
  report.lines.push(`1..${Object.keys(cases).length}`)
  await rm(folder, { recursive: true, force: true })
  return report
}
