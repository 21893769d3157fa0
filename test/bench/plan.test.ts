import t from 'tap'
import { estimateSeconds, groupsOf, jobsOf, orderOf } from '../../bench/plan.ts'

const all = { scenarios: [], libraries: undefined, quick: false }
const libraries = ['pure', 'node', 'grpc-js', 'nice-grpc', 'connect-node']
const names = (groups: ReturnType<typeof groupsOf>) =>
  groups.flatMap(({ jobs }) =>
    jobs.map(({ scenario, variant, library }) => `${scenario.name}, ${variant.name}, ${library}`),
  )

t.test('every scenario has every library, and a quick run leaves none out', (t) => {
  const pairs = (quick: boolean) =>
    new Set(jobsOf({ ...all, quick }).map(({ scenario, library }) => `${scenario.name}, ${library}`))
  const whole = pairs(false)
  for (const { scenario } of jobsOf(all)) {
    const wanted = scenario.name === 'soak' ? ['pure', 'node'] : libraries
    for (const library of wanted)
      t.ok(whole.has(`${scenario.name}, ${library}`), `${scenario.name}, ${library}`)
  }
  for (const each of [
    'unary, raw TCP',
    'unary, bare http2',
    'server, grpc-go',
    'server, Python',
    'client, grpc-go',
  ]) {
    t.ok(whole.has(each), each)
  }
  t.same(pairs(true), whole)
  t.end()
})

t.test('the scenarios and libraries that are asked for', (t) => {
  const jobs = jobsOf({ scenarios: ['sizes'], libraries: ['pure', 'grpc-js'], quick: false })
  t.same(
    jobs.map(({ variant, library }) => `${library} ${variant.name}`),
    ['pure', 'grpc-js'].flatMap((library) =>
      ['16 B', '1 KiB', '64 KiB', '1 MiB'].map((size) => `${library} ${size}`),
    ),
  )
  t.end()
})

t.test('variants share processes only if their servers are set up alike', (t) => {
  const groups = groupsOf(jobsOf({ scenarios: ['features'], libraries: ['pure'], quick: false }), false)
  t.same(
    groups.map(({ seat, jobs }) => [seat.tls, seat.gzip, jobs.length]),
    [
      [true, false, 1],
      [false, true, 1],
      [false, false, 2],
    ],
  )
  const memory = jobsOf({ scenarios: ['memory'], libraries: ['pure'], quick: false })
  t.equal(groupsOf(memory, false).length, memory.length, 'memory is measured in fresh processes')
  const client = groupsOf(jobsOf({ scenarios: ['client'], libraries: ['pure'], quick: false }), false)
  t.same(client[0]!.seat, { library: 'pure', server: 'grpc-go', tls: false, gzip: false })
  const whole = jobsOf(all)
  t.ok(
    groupsOf(whole, true).length < groupsOf(whole, false).length,
    'a quick run has no processes of their own',
  )
  t.same(
    groupsOf(whole, false)
      .filter(({ fresh }) => fresh)
      .map(({ jobs }) => jobs[0]!.scenario.name)
      .filter((name) => name !== 'memory' && name !== 'soak'),
    [],
  )
  t.end()
})

t.test('each second round goes backwards; a soak is in the first one', (t) => {
  const groups = groupsOf(jobsOf({ scenarios: ['unary', 'soak'], libraries: undefined, quick: false }), false)
  const first = names(orderOf(groups, 0))
  const second = names(orderOf(groups, 1))
  t.same(first, names(groups))
  t.equal(first.filter((name) => name.startsWith('soak')).length, 2)
  t.same(second, first.filter((name) => !name.startsWith('soak')).reverse())
  t.same(names(orderOf(groups, 2)), [...second].reverse(), 'turning around has changed nothing')
  t.end()
})

t.test('the estimate grows with rounds and durations', (t) => {
  const groups = groupsOf(jobsOf({ scenarios: ['unary'], libraries: ['pure'], quick: false }), false)
  const times = { firstWarmUpMs: 600, warmUpMs: 200, durationMs: 600, scaleDown: 1 }
  const one = estimateSeconds(groups, 1, times)
  t.ok(one > 4 * 0.8, `${one} s`)
  t.ok(Math.abs(estimateSeconds(groups, 5, times) - 5 * one) < 1e-9)
  t.ok(estimateSeconds(groups, 1, { ...times, durationMs: 1600 }) >= one + 4)
  t.end()
})
