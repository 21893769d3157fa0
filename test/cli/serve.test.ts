import { mkdtempSync, rmSync } from 'node:fs'
import http2 from 'node:http2'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { connect, loadProtoSync } from '../../src/index.ts'
import { ENGINES } from '../rpc/support/pair.ts'
import { createAuthority } from '../support/certificates.ts'
import { FakeTerminal, glass } from './support/fake-terminal.ts'
import { serving } from './support/serving.ts'

const { helloworld } = loadProtoSync('proto/helloworld.proto')

const line = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\S+) 127\.0\.0\.1:\d+ (\S+) \d+ ms( .*)?$/

for (const engine of ENGINES) {
  t.test(`${engine}: a line for each call`, async (t) => {
    const server = await serving(t, '--engine', engine)
    const { address, terminal } = server
    const call = (method: string, data: string, ...more: string[]) =>
      glass(['call', address, method, '-d', data, '--engine', engine, ...more])
    await call('helloworld.Greeter/SayHello', '{"name":"Ada"}')
    await call('countries.Country/Search', '{"name":"atlantis\\u001b[2J\\n"}')
    await terminal.shows(/atlantis.*\n/)
    const [, first = '', second = ''] = terminal.printed.stdout.split('\n')
    t.same(line.exec(first)?.slice(1), ['/helloworld.Greeter/SayHello', 'OK', undefined])
    t.same(line.exec(second)?.slice(1), [
      '/countries.Country/Search',
      'NOT_FOUND',
      ' No country is called "atlantis\\u001b[2J\\n"',
    ])
    t.equal(await server.stop(), 0)
    t.equal(terminal.printed.stderr, '')
  })

  t.test(`${engine}: lines as JSON`, async (t) => {
    const { address, terminal } = await serving(t, '--engine', engine, '--json')
    await glass(['call', address, 'helloworld.Greeter/GreetAll', '-d', '{"name":"Ada"}{"name":"Bob"}'])
    await terminal.shows(/GreetAll.*\n/)
    const [first, second] = terminal.printed.stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text))
    t.same(first, { listening: address, tls: false })
    t.match(second, {
      time: /Z$/,
      method: '/helloworld.Greeter/GreetAll',
      peer: /^127\.0\.0\.1:\d+$/,
      code: 0,
      status: 'OK',
      durationMs: Number,
      messagesReceived: 2,
      messagesSent: 1,
    })
  })

  t.test(`${engine}: none with --quiet`, async (t) => {
    const server = await serving(t, '--engine', engine, '--quiet')
    await glass(['call', server.address, 'helloworld.Greeter/SayHello', '-d', '{}'])
    t.equal(await server.stop(), 0)
    t.equal(server.terminal.printed.stdout, `listening on ${server.address}\n`)
  })

  t.test(`${engine}: requests that are no gRPC get an HTTP status, and a line`, async (t) => {
    const { address, terminal } = await serving(t, '--engine', engine)
    const client = http2.connect(`http://${address}`)
    t.teardown(() => client.destroy())
    const ask = (headers: http2.OutgoingHttpHeaders) =>
      new Promise<number | undefined>((resolve) => {
        client
          .request(headers)
          .on('response', (response) => resolve(response[':status']))
          .end()
      })
    const path = '/helloworld.Greeter/SayHello'
    t.equal(await ask({ ':method': 'GET', ':path': path }), 405)
    t.equal(await ask({ ':method': 'POST', ':path': path, 'content-type': 'text/html' }), 415)
    await terminal.shows(/ HTTP 405 \d+ ms no gRPC request: GET /)
    await terminal.shows(/ HTTP 415 \d+ ms no gRPC request: POST with content-type text\/html\n/)
  })

  t.test(`${engine}: a client that speaks something else is told on standard error`, async (t) => {
    const { address, terminal } = await serving(t, '--engine', engine)
    const url = new URL(`tcp://${address}`)
    const socket = net.connect(Number(url.port), url.hostname)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) =>
      socket
        .on('error', () => {})
        .on('close', resolve)
        .resume(),
    )
    await terminal.shows(
      /^glass: .*127\.0\.0\.1:\d+ failed: the peer sent an HTTP\/1\.1 request.*\n/,
      'stderr',
    )
    t.equal(terminal.printed.stderr.trim().split('\n').length, 1, 'once')
  })

  t.test(`${engine}: the first signal lets calls end, the second cuts them`, async (t) => {
    for (const cut of [false, true]) {
      const server = await serving(t, '--engine', engine)
      await using channel = connect(server.address)
      const chat = channel.client(helloworld.Greeter).chat()
      const replies = chat[Symbol.asyncIterator]()
      await chat.write({ name: 'Ada' })
      await replies.next()
      const ended = server.stop()
      if (cut) {
        server.terminal.stop()
        t.match(await chat.status, { code: 14, details: 'The server is shutting down' })
      } else {
        await chat.write({ name: 'Bob' })
        t.same(await replies.next(), { done: false, value: { message: 'Hello Bob' } })
        chat.end()
        t.match(await chat.status, { code: 0 })
      }
      t.equal(await ended, 0)
    }
  })

  t.test(`${engine}: --grace limits how long calls may run on`, async (t) => {
    const server = await serving(t, '--engine', engine, '--grace', '50ms')
    await using channel = connect(server.address)
    const chat = channel.client(helloworld.Greeter).chat()
    await chat.write({ name: 'Ada' })
    await chat.headers
    t.equal(await server.stop(), 0)
    t.match(await chat.status, { code: 14 })
  })

  t.test(`${engine}: TLS, client certificates, several addresses, compression`, async (t) => {
    const authority = await createAuthority()
    const identity = await authority.issue('localhost')
    const customer = await authority.issue('customer')
    const folder = t.testdir({
      'ca.pem': authority.ca,
      'cert.pem': identity.cert,
      'key.pem': identity.key,
      'me.pem': customer.cert,
      'me.key': customer.key,
    })
    const file = (name: string): string => join(folder, name)
    const tls = ['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem')]
    // the folders of tests may be deeper than a socket's path can be long
    const socket = join(mkdtempSync(join(tmpdir(), 'glass-')), 's')
    t.teardown(() => rmSync(dirname(socket), { recursive: true }))
    const { address, terminal } = await serving(
      t,
      ...['--engine', engine, '--listen', `unix:${socket}`, '--compression', 'gzip', ...tls],
      ...['--tls-ca', file('ca.pem')],
    )
    await terminal.shows(/listening on unix:/)
    const me = ['--tls-ca', file('ca.pem'), '--tls-cert', file('me.pem'), '--tls-key', file('me.key')]
    for (const [target, extra] of [
      [address, []],
      [`unix:${socket}`, ['--servername', 'localhost']],
    ] as const) {
      const data = JSON.stringify({ name: 'a'.repeat(2000) })
      const args = ['call', target, 'helloworld.Greeter/SayHello', '-d', data, '-v', ...me, ...extra]
      const { exitCode, stdout, stderr } = await glass(args)
      t.equal(exitCode, 0, stderr)
      t.same(JSON.parse(stdout), { message: `Hello ${'a'.repeat(2000)}` })
      t.match(stderr, /\(TLS, engine node\)[\s\S]*< grpc-encoding: gzip/)
    }
    const stranger = ['--tls-ca', file('ca.pem')]
    t.match(await glass(['call', address, 'helloworld.Greeter/SayHello', ...stranger]), {
      exitCode: 64 + 14,
      stderr: /certificate/,
    })
  })
}

t.test('health and reflection are served, and glass call finds them by reflection', async (t) => {
  const { address } = await serving(t)
  t.match(await glass(['call', address, 'grpc.health.v1.Health/Check', '--json']), {
    exitCode: 0,
    stdout: '{"status":"SERVING"}\n',
  })
  const list = await glass([
    'call',
    address,
    'grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    '-d',
    '{"listServices":""}',
  ])
  t.equal(list.exitCode, 0, list.stderr)
  for (const name of ['helloworld.Greeter', 'countries.Country', 'grpc.health.v1.Health']) {
    t.match(list.stdout, `"${name}"`)
  }
})

t.test('flags that can’t be used: one line, and the exit code', async (t) => {
  const { address } = await serving(t)
  const folder = t.testdir({ 'bad.pem': 'no certificate' })
  const bad = join(folder, 'bad.pem')
  for (const [args, exitCode, stderr] of [
    [
      ['--engine', 'steam'],
      67,
      /'--engine <name>' argument 'steam' is invalid.*node, pure.*; see glass serve --help/,
    ],
    [['--grace', '5'], 67, /Write a number and a unit/],
    [['--compression', 'rar'], 67, /"rar" is unknown/],
    [['--tls-cert', bad], 67, /--tls-cert needs --tls-key/],
    [['--tls-key', bad], 67, /--tls-key needs --tls-cert/],
    [['--tls-ca', bad], 67, /--tls-ca needs/],
    [['--tls-cert', bad, '--tls-key', join(folder, 'none.pem')], 67, /none\.pem: ENOENT/],
    [
      ['--listen', '127.0.0.1:0', '--tls-cert', bad, '--tls-key', bad],
      73,
      /can't listen on 127\.0\.0\.1:0: .*PEM/i,
    ],
    [['--listen', 'nonsense'], 67, /the port is missing/],
    [['--listen', address], 73, /can't listen on .*EADDRINUSE/],
    [['extra'], 67, /too many arguments/],
  ] as const) {
    const outcome = await glass(['serve', ...args], undefined, new FakeTerminal())
    t.match(outcome, { exitCode, stdout: '', stderr }, args.join(' '))
    t.match(outcome.stderr, /^glass: [^\n]+\n$/, 'one line')
  }
})
