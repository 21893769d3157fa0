import net from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { Load } from '../../src/cli/bench-load.ts'
import { type BenchReport, BenchTally, renderBench } from '../../src/cli/bench-report.ts'
import { run } from '../../src/cli/program.ts'
import { addReflection, loadProto, Server, type Service, Status } from '../../src/index.ts'
import { ENGINES } from '../rpc/support/pair.ts'
import { FakeTerminal, glass } from './support/fake-terminal.ts'
import { serving } from './support/serving.ts'

const SHOP = `syntax = "proto3"; package shop; message Order { string name = 1; }
  service Orders { rpc Echo(Order) returns (Order); }`
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

for (const engine of ENGINES) {
  t.test(`${engine}: every kind of call, the report as JSON`, async (t) => {
    const { address } = await serving(t, '--engine', engine)
    for (const method of ['SayHello', 'SayHellos', 'GreetAll', 'Chat']) {
      const flags = [
        '-d',
        '{"name":"Ada"}{"name":"Bob"}',
        '-n',
        '25',
        '-c',
        '4',
        '--connections',
        '2',
        '--json',
      ]
      const { exitCode, stdout, stderr } = await glass([
        'bench',
        address,
        `helloworld.Greeter/${method}`,
        '--engine',
        engine,
        ...flags,
      ])
      t.equal(stderr, '')
      t.equal(exitCode, 0)
      const report = JSON.parse(stdout) as BenchReport
      t.equal(report.calls, 25, method)
      t.same(report.statuses, { OK: 25 })
      t.same(report.failures, {})
      t.equal(report.corrected, false)
      t.equal(sum(report.histogram.map(({ calls }) => calls)), 25)
      const { min, mean, max, percentiles } = report.latencyMs
      t.ok(min > 0 && min <= mean && mean <= max)
      t.ok(percentiles.p50! <= percentiles.p99! && percentiles.p99! <= max)
    }
  })
}

t.test('laid out for reading', async (t) => {
  const { address } = await serving(t)
  const { stdout, exitCode } = await glass(['bench', address, 'helloworld.Greeter/SayHello', '-n', '3'])
  t.equal(exitCode, 0)
  t.match(stdout, /^3 calls in [\d.]+ s: [\d.]+ calls\/s\n\nLatency\n {2}min /)
  t.match(stdout, /\n {2}p99\.99 /)
  t.match(stdout, /\nStatus\n {2}OK {19}3\n$/)
})

t.test('a duration ends it, and a rate counts latencies from when calls were due', async (t) => {
  const { address } = await serving(t)
  const flags = ['--duration', '100ms', '--rps', '200', '--json']
  const { stdout, exitCode } = await glass(['bench', address, 'helloworld.Greeter/SayHello', ...flags])
  t.equal(exitCode, 0)
  const report = JSON.parse(stdout) as BenchReport
  t.ok(report.calls >= 1 && report.calls <= 20, `${report.calls} calls`)
  t.equal(report.corrected, true)
})

t.test(
  'failed calls are counted by status, their texts shown, the most frequent one is the exit code',
  async (t) => {
    const { address } = await serving(t)
    const { stdout, exitCode } = await glass([
      'bench',
      address,
      'helloworld.Greeter/SayHello',
      '-n',
      '4',
      '--deadline',
      '0ms',
      '--json',
    ])
    t.equal(exitCode, 64 + Status.DEADLINE_EXCEEDED)
    t.same((JSON.parse(stdout) as BenchReport).statuses, { DEADLINE_EXCEEDED: 4 })
  },
)

t.test('a progress bar on a terminal; a signal ends the run with a report', async (t) => {
  const { address } = await serving(t)
  const terminal = new FakeTerminal()
  terminal.stderr.isTTY = true
  const ended = run(
    ['bench', address, 'helloworld.Greeter/SayHello', '--duration', '1h', '-c', '2'],
    terminal,
  )
  await terminal.shows(/%/, 'stderr')
  terminal.stop()
  t.equal(await ended, 0, 'calls that the signal cut do not count')
  t.match(terminal.printed.stderr, /\r·+ {3}0 % {2}0 calls/)
  t.match(terminal.printed.stdout, /calls in /)
  t.notMatch(terminal.printed.stdout, 'CANCELLED')
})

t.test('a signal ends the wait for a connection', async (t) => {
  // accepts connections and never says anything
  const silent = net.createServer((socket) => t.teardown(() => socket.destroy()))
  t.teardown(() => silent.close())
  const accepted = new Promise((resolve) => silent.once('connection', resolve))
  const { port } = await new Promise<net.AddressInfo>((resolve) =>
    silent.listen(0, '127.0.0.1', () => resolve(silent.address() as net.AddressInfo)),
  )
  const terminal = new FakeTerminal()
  const flags = ['--duration', '1h', '--json']
  const ended = run(['bench', `127.0.0.1:${port}`, 'helloworld.Greeter/SayHello', ...flags], terminal)
  await accepted
  terminal.stop()
  await ended
  t.match(JSON.parse(terminal.printed.stdout), { calls: 0, statuses: {} })
})

t.test('a service that glass does not know is asked from its server', async (t) => {
  const shop = (await loadProto(join(t.testdir({ 'shop.proto': SHOP }), 'shop.proto'))).shop as never
  const { Orders } = shop as Record<string, Service>
  const server = new Server().add(Orders!, { echo: (order: object) => order })
  t.teardown(() => server.close({ graceMs: 0 }))
  const address = await server.listen('127.0.0.1:0')
  const args = ['bench', address, 'shop.Orders/Echo', '-d', '{"name":"book"}', '-n', '2', '--json']
  t.match(await glass(args), { exitCode: 76, stderr: /^glass: .*no reflection.*--proto/ })
  addReflection(server)
  const { stdout, exitCode } = await glass(args)
  t.equal(exitCode, 0)
  t.same((JSON.parse(stdout) as BenchReport).statuses, { OK: 2 })
})

t.test('many streams at the same time share one signal without a warning', async (t) => {
  const { address } = await serving(t)
  const warnings: Error[] = []
  const note = (warning: Error) => void warnings.push(warning)
  process.on('warning', note)
  t.teardown(() => process.off('warning', note))
  const { exitCode } = await glass(['bench', address, 'helloworld.Greeter/Chat', '-n', '40', '-c', '20'])
  t.equal(exitCode, 0)
  t.same(warnings, [])
})

t.test('what was typed wrong is told', async (t) => {
  for (const [flags, message] of [
    [['-n', '0'], /Write a whole number above 0/],
    [['-c', 'x'], /Write a whole number above 0/],
    [['--rps', '0'], /Write calls a second, above 0/],
    [['-d', ''], /takes a request, none was given/],
    [['-d', '{"nobody":1}'], /nobody/],
  ] as const) {
    const { exitCode, stderr } = await glass([
      'bench',
      '127.0.0.1:1',
      'helloworld.Greeter/SayHello',
      ...flags,
    ])
    t.equal(exitCode, 67)
    t.match(stderr, message)
  }
})

t.test('a closed loop keeps so many calls outstanding, no more', async (t) => {
  let running = 0
  let most = 0
  const load = new Load(
    { outstanding: 3, calls: 10, durationMs: undefined, callsPerSecond: undefined },
    async () => {
      most = Math.max(most, ++running)
      await Promise.resolve()
      running--
    },
    () => {},
  )
  await load.run()
  t.equal(load.started, 10)
  t.equal(most, 3)
})

t.test('at a fixed rate, a call that was held up by another one waits from when it was due', async (t) => {
  const latencies: number[] = []
  let release: () => void = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  // one slot: the second call, due 20 ms after the first, starts when that ends
  const load = new Load(
    { outstanding: 1, calls: 2, durationMs: undefined, callsPerSecond: 50 },
    (index) => (index === 0 ? held : Promise.resolve()),
    (latencyMs) => latencies.push(latencyMs),
  )
  const over = load.run()
  setTimeout(release, 100)
  await over
  t.ok(latencies[1]! > 50, `${latencies[1]} ms of the 80 ms that it waited`)
})

t.test('percentiles and histogram of known latencies', (t) => {
  const tally = new BenchTally()
  for (let i = 1; i <= 1000; i++) {
    tally.latency(i / 100)
    tally.status(i % 100 === 0 ? Status.UNAVAILABLE : Status.OK, 'away\u001b')
  }
  const report = tally.report(2, true)
  t.equal(report.calls, 1000)
  t.equal(report.callsPerSecond, 500)
  for (const [name, expected] of [
    ['p50', 5],
    ['p99', 9.9],
  ] as const) {
    t.ok(Math.abs(report.latencyMs.percentiles[name]! - expected) < 0.02, name)
  }
  t.equal(report.histogram.length, 10)
  for (const { calls } of report.histogram.slice(0, 9)) t.ok(Math.abs(calls - 110) <= 2, `${calls} calls`)
  t.same(report.statuses, { OK: 990, UNAVAILABLE: 10 })
  t.equal(tally.exitStatus, Status.UNAVAILABLE)
  t.match(renderBench(report), '10 x UNAVAILABLE: away\\x1b')
  t.match(renderBench(new BenchTally().report(1, false)), '0 calls in 1.00 s')
  const alike = new BenchTally()
  for (let i = 0; i < 4; i++) alike.latency(10)
  const limits = alike.report(1, false).histogram.map(({ upToMs }) => upToMs)
  t.equal(new Set(limits).size, 10, 'without a rest every bucket has a width')
  t.end()
})
