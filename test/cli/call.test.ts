import { once } from 'node:events'
import net from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../../src/cli/program.ts'
import { loadProto, retryInfo, Server, Status, StatusError } from '../../src/index.ts'
import { ENGINES } from '../rpc/support/pair.ts'
import { FakeTerminal, glass } from './support/fake-terminal.ts'
import { serving } from './support/serving.ts'

const json = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

for (const engine of ENGINES) {
  t.test(`${engine}: calls`, async (t) => {
    const { address } = await serving(t, '--engine', engine)
    const call = (method: string, ...flags: string[]) =>
      glass(['call', address, method, '--engine', engine, ...flags])

    t.test('the four kinds, with every way to write the method', async (t) => {
      for (const [method, data, messages] of [
        ['helloworld.Greeter/SayHello', '{"name":"Ada"}', ['Hello Ada']],
        ['/helloworld.Greeter/SayHellos', '{"name":"Ada"}', ['Hello Ada', 'Hello again, Ada', 'Goodbye Ada']],
        ['helloworld.Greeter.GreetAll', '{"name":"Ada"} {"name":"Bob"}', ['Hello Ada, Bob']],
        ['helloworld.Greeter/Chat', '{"name":"Ada"}{"name":"Bob"}', ['Hello Ada', 'Hello Bob']],
      ] as const) {
        const { exitCode, stdout, stderr } = await call(method, '-d', data, '--json')
        t.equal(stderr, '')
        t.equal(exitCode, 0)
        t.same(
          json(stdout),
          messages.map((message) => ({ message })),
          method,
        )
      }
    })

    t.test('laid out for reading unless --json', async (t) => {
      const { stdout } = await call('helloworld.Greeter/SayHello', '-d', '{"name":"Ada"}')
      t.equal(stdout, '{\n  "message": "Hello Ada"\n}\n')
    })

    t.test('without -d: an empty message, or none in a stream', async (t) => {
      t.match(await call('helloworld.Greeter/SayHello', '--json'), {
        exitCode: 0,
        stdout: '{"message":"Hello "}\n',
      })
      t.match(await call('helloworld.Greeter/Chat'), { exitCode: 0, stdout: '' })
    })

    t.test('-v shows what went over the wire, on standard error', async (t) => {
      const flags = ['-H', 'x-a: one', '-H', 'x-bin: AAH/', '--deadline', '5s', '-v']
      const { stdout, stderr } = await call('helloworld.Greeter/SayHello', '-d', '{"name":"Ada"}', ...flags)
      t.equal(stdout, '{\n  "message": "Hello Ada"\n}\n')
      t.match(
        stderr,
        new RegExp(`^Request headers, to ${address} \\(plaintext, engine ${engine}\\)\n> :method: POST\n`),
      )
      t.match(stderr, /\n> :path: \/helloworld\.Greeter\/SayHello\n/)
      t.match(stderr, /\n> grpc-timeout: \d+[mu]\n/)
      t.match(stderr, /\n> x-a: one\n> x-bin: AAH\/\n/)
      t.match(stderr, /\nResponse headers\n< :status: 200\n< content-type: application\/grpc\n/)
      t.match(stderr, /\nTrailers\n< grpc-status: 0\n$/)
    })

    t.test('-v with --json shows it as lines of JSON', async (t) => {
      const flags = ['-d', '{"name":"atlantis"}', '-v', '--json']
      const { exitCode, stdout, stderr } = await call('countries.Country/Search', ...flags)
      t.equal(exitCode, 64 + 5)
      t.equal(stdout, '')
      t.match(json(stderr), [
        { requestHeaders: [[':method', 'POST']] },
        {
          trailersOnly: [
            [':status', '200'],
            ['content-type', 'application/grpc'],
            ['grpc-status', '5'],
          ],
        },
        { status: { code: 5, name: 'NOT_FOUND', details: 'No country is called "atlantis"' } },
      ])
    })

    t.test('requests from standard input, each sent when it is there', async (t) => {
      const terminal = new FakeTerminal()
      const args = ['call', address, 'helloworld.Greeter/Chat', '-d', '@', '--json', '--engine', engine]
      const ended = run(args, terminal)
      terminal.stdin.write('{"name":\n"Ada"}')
      await terminal.shows(/Hello Ada/)
      terminal.stdin.write(' {"name":"B')
      terminal.stdin.write('ob"}')
      await terminal.shows(/Hello Bob/)
      terminal.stdin.end()
      t.equal(await ended, 0)
      t.same(json(terminal.printed.stdout), [{ message: 'Hello Ada' }, { message: 'Hello Bob' }])
    })

    t.test('bad JSON in the midst of a stream ends the call', async (t) => {
      const args = ['call', address, 'helloworld.Greeter/Chat', '-d', '@', '--engine', engine]
      const { exitCode, stderr } = await glass(args, '{"name":"Ada"} {oops')
      t.equal(exitCode, 67)
      t.match(stderr, /^glass: JSON value 2: [^\n]+\n$/)
    })

    t.test('a call that is over does not wait for more of its input', async (t) => {
      const terminal = new FakeTerminal()
      const args = [
        'call',
        address,
        'helloworld.Greeter/Chat',
        '-d',
        '@',
        '--deadline',
        '100ms',
        '--engine',
        engine,
      ]
      t.equal(await run(args, terminal), 64 + 4)
      t.ok(terminal.stdin.destroyed)
      t.match(terminal.printed.stderr, /^glass: 4 DEADLINE_EXCEEDED: Deadline exceeded after 0\.100s/)
    })

    t.test('a signal cancels the call', async (t) => {
      for (const method of ['Chat', 'SayHello']) {
        const terminal = new FakeTerminal()
        const ended = run(
          ['call', address, `helloworld.Greeter/${method}`, '-d', '@', '--engine', engine],
          terminal,
        )
        terminal.stdin.write('{"name":"Ada"} ')
        if (method === 'Chat') await terminal.shows(/Hello Ada/)
        else await terminal.listens
        terminal.stop()
        t.equal(await ended, 64 + 1, method)
        t.equal(terminal.printed.stderr, 'glass: 1 CANCELLED: Interrupted\n')
      }
    })

    t.test('a failed call: one line and the exit code of its status', async (t) => {
      t.match(await call('countries.Country/Search', '-d', '{"name":"atlantis"}'), {
        exitCode: 64 + 5,
        stdout: '',
        stderr: 'glass: 5 NOT_FOUND: No country is called "atlantis"\n',
      })
    })

    t.test('text of the server can’t move the cursor', async (t) => {
      const source = 'syntax = "proto3"; package evil; message M {} service Evil { rpc Do(M) returns (M); }'
      const proto = join(t.testdir({ 'evil.proto': source }), 'evil.proto')
      const server = new Server({ engine })
      server.add((await loadProto(proto)).evil.Evil, {
        do() {
          throw new StatusError(10, 'a\u001b[2J\nb')
        },
      })
      const evil = await server.listen('127.0.0.1:0')
      t.teardown(() => server.close({ graceMs: 0 }))
      t.same(await glass(['call', evil, 'evil.Evil/Do', '--proto', proto, '--engine', engine]), {
        exitCode: 64 + 10,
        stdout: '',
        stderr: 'glass: 10 ABORTED: a\\x1b[2J\\nb\n',
      })
    })

    t.test('an answer that is too large is refused, and can be allowed', async (t) => {
      const data = JSON.stringify({ name: 'a'.repeat(1000) })
      const refused = await call('helloworld.Greeter/SayHello', '-d', data, '--max-message-octets', '100')
      t.match(refused, { exitCode: 64 + 8, stderr: /8 RESOURCE_EXHAUSTED/ })
      const allowed = await call('helloworld.Greeter/SayHello', '-d', data, '--max-message-octets', '2000')
      t.equal(allowed.exitCode, 0)
    })

    t.test('compressed requests', async (t) => {
      const flags = ['-d', '{"name":"Ada"}', '--compression', 'gzip', '-v']
      const { exitCode, stderr } = await call('helloworld.Greeter/SayHello', ...flags)
      t.equal(exitCode, 0)
      t.match(stderr, '> grpc-encoding: gzip')
    })
  })

  t.test(`${engine}: peers that are no gRPC server: the line names phase, address and cause`, async (t) => {
    const listen = async (handle: (socket: net.Socket) => void): Promise<string> => {
      const server = net.createServer((socket) => handle(socket.on('error', () => {})))
      const sockets = new Set<net.Socket>()
      server.on('connection', (socket) => sockets.add(socket))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.teardown(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
      return `127.0.0.1:${(server.address() as net.AddressInfo).port}`
    }
    const glassServer = await serving(t)
    const closed = await listen((socket) => socket.destroy())
    const silent = await listen(() => {})
    const web = await listen((socket) =>
      socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')),
    )
    for (const [address, flags, exitCode, says] of [
      [
        '127.0.0.1:1',
        [],
        78,
        /^glass: 14 UNAVAILABLE: .*Connecting to 127\.0\.0\.1:1 failed: connection refused/,
      ],
      [closed, [], 78, new RegExp(`Starting HTTP/2 with ${closed} failed: the peer closed the connection`)],
      [
        silent,
        ['--connect-timeout', '100ms'],
        78,
        new RegExp(`Starting HTTP/2 with ${silent} failed: no SETTINGS`),
      ],
      [
        silent,
        ['--deadline', '100ms'],
        68,
        new RegExp(`4 DEADLINE_EXCEEDED: .*waiting for a connection to ${silent}`),
      ],
      [web, [], 78, new RegExp(`Starting HTTP/2 with ${web} failed: the peer answered in HTTP/1\\.1`)],
      [
        glassServer.address,
        ['--tls'],
        78,
        new RegExp(`TLS with ${glassServer.address} failed: the server does not speak TLS`),
      ],
      ['no-such-host.invalid:1', [], 78, /no-such-host\.invalid/],
    ] as const) {
      const outcome = await glass([
        'call',
        address,
        'helloworld.Greeter/SayHello',
        '--engine',
        engine,
        ...flags,
      ])
      t.match(outcome, { exitCode, stdout: '', stderr: says }, `${address} ${flags.join(' ')}`)
      t.match(outcome.stderr, /^glass: [^\n]+\n$/, 'one line')
    }
  })
}

t.test('a .proto file of the user, with imports from another folder', async (t) => {
  const { address } = await serving(t)
  const folder = t.testdir({
    'mine.proto': `syntax = "proto3"; package helloworld; import "names.proto";
      message Reply { string message = 1; }
      service Greeter { rpc SayHello(names.Named) returns (Reply); }`,
    shared: { 'names.proto': 'syntax = "proto3"; package names; message Named { string name = 1; }' },
  })
  const args = ['call', address, 'helloworld.Greeter/SayHello', '-d', '{"name":"Ada"}', '--json']
  const proto = ['--proto', join(folder, 'mine.proto'), '-I', join(folder, 'shared')]
  t.match(await glass([...args, ...proto]), { exitCode: 0, stdout: '{"message":"Hello Ada"}\n' })
  t.match(await glass([...args, '--proto', join(folder, 'none.proto')]), {
    exitCode: 67,
    stderr: /none\.proto: no such file/,
  })
})

t.test('details of a status are shown', async (t) => {
  const server = new Server()
  const { helloworld } = await loadProto('proto/helloworld.proto')
  server.add(helloworld.Greeter, {
    sayHello() {
      throw new StatusError(Status.RESOURCE_EXHAUSTED, 'slow down', {
        statusDetails: [
          retryInfo({ retryDelayMs: 1500 }),
          { type: 'Any', typeUrl: 'type.googleapis.com/my.Own', value: Uint8Array.of(8, 1, 255) },
        ],
      })
    },
  })
  const address = await server.listen('127.0.0.1:0')
  t.teardown(() => server.close({ graceMs: 0 }))
  const args = ['call', address, 'helloworld.Greeter/SayHello']
  t.same(await glass(args), {
    exitCode: 64 + 8,
    stdout: '',
    stderr: [
      'glass: 8 RESOURCE_EXHAUSTED: slow down',
      '  RetryInfo {"retryDelayMs":1500}',
      '  type.googleapis.com/my.Own "CAH/"',
      '',
    ].join('\n'),
  })
  t.match(json((await glass([...args, '--json'])).stderr), [
    {
      status: {
        code: 8,
        statusDetails: [{ type: 'RetryInfo', value: { retryDelayMs: 1500 } }, { value: 'CAH/' }],
      },
    },
  ])
})

t.test('what can’t be used: one line, and the exit code', async (t) => {
  const address = '127.0.0.1:1'
  const method = 'helloworld.Greeter/SayHello'
  const folder = t.testdir({ 'bad.proto': 'this is no proto file' })
  for (const [args, exitCode, stderr] of [
    [[], 67, /missing required argument 'address'/],
    [[address], 67, /missing required argument 'method'/],
    [[address, method, '--frob'], 67, /unknown option '--frob'; see glass call --help/],
    [[address, method, '--deadline', 'soon'], 67, /Write a number and a unit/],
    [[address, method, '--max-message-octets', '-1'], 67, /Write a number of octets/],
    [[address, method, '--engine', 'steam'], 67, /node, pure/],
    [[address, method, '-H', 'nonsense'], 67, /Write "name: value"/],
    [[address, method, '-d', '{oops'], 67, /JSON value 1: /],
    [[address, method, '-d', '{"nmae":"Ada"}'], 67, /helloworld\.HelloRequest\.nmae: unknown field/],
    [[address, method, '-d', '{"name":7}'], 67, /helloworld\.HelloRequest\.name/],
    [[address, method, '-d', '{} {}'], 67, /takes one request, 2 requests were given/],
    [[address, method, '-d', ''], 67, /takes one request, no request was given/],
    [[address, method, '--tls-ca', join(folder, 'none.pem')], 67, /none\.pem: ENOENT/],
    [[address, method, '--tls-cert', 'x'], 67, /--tls-cert needs --tls-key/],
    [[address, method, '--compression', 'rar'], 67, /"rar" is unknown/],
    [[address, method, '--proto', join(folder, 'bad.proto')], 67, /bad\.proto/],
    [['http://127.0.0.1:1', method], 67, /gRPC addresses have no http:/],
    [[address, 'SayHello'], 67, /"SayHello" is no method: write package\.Service\/Method/],
    [
      [address, 'helloworld.Greeter/SayNothing'],
      76,
      /has no method SayNothing: there are SayHello, SayHellos/,
    ],
    [
      [address, 'helloworld.Nobody/SayHello', '--proto', 'proto/helloworld.proto'],
      76,
      /helloworld\.Nobody is unknown: there are helloworld\.Greeter/,
    ],
    [[address, 'helloworld.Nobody/SayHello'], 78, /127\.0\.0\.1:1 failed: connection refused/],
  ] as const) {
    const outcome = await glass(['call', ...args])
    t.match(outcome, { exitCode, stdout: '', stderr }, args.join(' '))
    t.match(outcome.stderr, /^glass: [^\n]+\n$/, 'one line')
  }
})

t.test('colours: on a terminal only, and never with NO_COLOR', async (t) => {
  const { address } = await serving(t)
  for (const [isTTY, env, coloured] of [
    [true, {}, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, {}, false],
  ] as const) {
    const terminal = new FakeTerminal(env)
    terminal.stderr.isTTY = isTTY
    const { stderr } = await glass(
      ['call', address, 'helloworld.Greeter/SayHello', '-v'],
      undefined,
      terminal,
    )
    t.equal(stderr.includes('\u001b['), coloured, JSON.stringify({ isTTY, env }))
  }
})
