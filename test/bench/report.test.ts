import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { chartsOf } from '../../bench/charts.ts'
import { paragraphOf, ratio } from '../../bench/prose.ts'
import { mainFigure, type Results, spread, spreadOf } from '../../bench/results.ts'
import { scenarios } from '../../bench/scenarios.ts'
import { renderTable, rowsOf, short } from '../../bench/table.ts'
import { blockOf, fillBlock, pageOf } from '../../bench/write-report.ts'

const results: Results = {
  date: '2026-01-02T03:04:05.000Z',
  machine: { cpu: 'A CPU', cores: 2, memoryGiB: 4, os: 'Linux 6', pinned: true },
  versions: { node: 'v20.0.0', '@grpc/grpc-js': '1.2.3' },
  durationMs: 1,
  firstWarmUpMs: 1,
  warmUpMs: 1,
  missing: ['Python: not there'],
  series: [
    ...['1', '8', '64', '512'].flatMap((variant) => [
      {
        scenario: 'unary',
        variant,
        library: 'pure',
        rounds: [30, 10, 20].map((n) => ({
          operationsPerSecond: n * 1000,
          p50Ms: n / 100,
          p99Ms: n / 50,
          clientCpuUsPerOperation: n,
          serverCpuUsPerOperation: n,
          clientGcPausesUsPerOperation: n / 10,
        })),
      },
      {
        scenario: 'unary',
        variant,
        library: 'grpc-js',
        rounds: [
          {
            operationsPerSecond: 2000,
            p50Ms: 0.1,
            p99Ms: 1,
            clientCpuUsPerOperation: 300,
            serverCpuUsPerOperation: 100,
          },
        ],
      },
    ]),
    {
      scenario: 'server',
      variant: 'h2load, 64 streams',
      library: 'pure',
      rounds: [{ operationsPerSecond: 300 }],
    },
    {
      scenario: 'server',
      variant: 'h2load, 64 streams',
      library: 'grpc-go',
      rounds: [{ operationsPerSecond: 200 }],
    },
    {
      scenario: 'soak',
      variant: 'a million calls',
      library: 'pure',
      rounds: [{ heapOctetsGrownPerCall: -0.5 }],
    },
  ],
}

t.test('median and spread', (t) => {
  t.same(spreadOf([3, 1, 2]), { median: 2, least: 1, greatest: 3 })
  t.same(spreadOf([4, 1, 2, 3]), { median: 2.5, least: 1, greatest: 4 })
  t.same(spread(results.series[0], 'p99Ms'), { median: 0.4, least: 0.2, greatest: 0.6 })
  t.equal(spread(results.series[0], 'nothing'), undefined)
  t.equal(spread(undefined, 'p99Ms'), undefined)
  t.end()
})

t.test('ratios say how many times better, whichever way is better', (t) => {
  const rows = rowsOf(results)
  const ratioOf = (variant: string) =>
    rows.find((row) => row.variant.name === variant)!.cells.find(({ library }) => library === 'pure')!.ratio
  t.equal(ratioOf('64'), 10)
  t.equal(ratioOf('1'), 0.5, 'one call at a time is about its latency')
  t.equal(ratioOf('h2load, 64 streams'), undefined, 'there is nothing to compare with')
  const text = renderTable(results)
  t.match(
    text,
    /pure +20,000 +10\.0 x grpc-js; 10,000 … 30,000; p50 0\.200 ms, p99 0\.400 ms; client 20\.0 µs CPU, 2\.00 µs GC; /,
  )
  t.match(text, /Not measured:\n {2}Python: not there/)
  t.same([0, 1234.5, 12.345, undefined].map(short), ['0', '1,235', '12.3', ''])
  t.end()
})

t.test('the paragraph tells where we are not ahead, too', (t) => {
  const text = paragraphOf(results)
  t.match(
    text,
    'With 64 unary calls outstanding on one connection, `pure` makes 10 times as many calls a second as grpc-js ' +
      '1.2.3, for 10 % of its CPU time a call; one call at a time takes 200 % of its time.',
  )
  t.match(text, 'Of 4 comparisons with it, `pure` is ahead in 3 and behind in 1.')
  t.match(text, 'We are behind, which is a ratio below 1×, in unary calls with 1 outstanding (`pure` 0.5×).')
  t.match(text, 'as a server under h2load, `pure` makes 1.5 times the calls of grpc-go on one core.')
  t.match(text, 'grew by less than an octet a call')
  t.match(text, 'Medians of 3 rounds on 2026-01-02 with Node.js 20.0.0 on 2 cores of A CPU')
  t.notMatch(text, 'undefined')
  t.end()
})

t.test('the paragraph follows the figures', (t) => {
  const row = (variant: string, figures: [string, number][], scenario = 'unary') =>
    figures.map(([library, each]) => ({
      scenario,
      variant,
      library,
      rounds: [{ operationsPerSecond: each, p50Ms: 1 / each, p99Ms: 1 / each, heapOctetsGrownPerCall: each }],
    }))
  const textOf = (series: Results['series']) => paragraphOf({ ...results, series })
  const ahead = textOf(
    row('64', [
      ['pure', 30],
      ['node', 20],
      ['grpc-js', 10],
      ['connect-node', 25],
    ]),
  )
  t.match(ahead, '`pure` makes 3 times and `node` 2 times as many calls')
  t.match(ahead, 'Of 1 comparisons with it, `pure` is ahead in all; `node` is ahead in all.')
  t.notMatch(ahead, /behind|Another library|h2load|heaps/)
  const level = textOf(
    row('8', [
      ['pure', 10.5],
      ['node', 5],
      ['grpc-js', 10],
      ['connect-node', 25],
    ]),
  )
  t.match(level, '`pure` is within 10 % in 1; `node` is behind in 1.')
  t.match(level, 'in unary calls with 8 outstanding (`node` 0.5×)')
  t.match(level, 'ahead of both engines in unary calls with 8 outstanding (connect-node).')
  t.notMatch(level, 'With 64')
  t.match(
    textOf(
      row(
        'a million calls',
        [
          ['pure', 30],
          ['node', -5],
        ],
        'soak',
      ),
    ),
    '30.0 octets a call with `pure` and 0 oct',
  )
  t.end()
})

t.test('ratios have two digits that count', (t) => {
  t.same([28.04, 9.96, 2.345, 0.0333, 123.4].map(ratio), ['28×', '10×', '2.3×', '0.033×', '123×'])
  t.end()
})

t.test('the block stands between its marks, again and again', (t) => {
  const block = blockOf(results, new Set(['overview.svg']))
  const once = fillBlock('a\n<!-- benchmarks -->\n<!-- /benchmarks -->\nb\n', block)!
  t.match(once, /^a\n<!-- benchmarks -->\n\nWith 64 [\s\S]*overview\.svg\)[\s\S]*<!-- \/benchmarks -->\nb\n$/)
  t.notMatch(once, 'unary-throughput.svg', 'a chart that was not drawn is not shown')
  t.match(once, '| unary calls with 64 outstanding | 10× |')
  t.equal(fillBlock(once, block), once)
  t.equal(fillBlock('no marks', block), undefined)
  t.end()
})

t.test('charts: an overview, costs, and curves of what has a scale', async (t) => {
  const charts = await chartsOf(results)
  t.same([...charts.keys()], ['overview.svg', 'costs.svg', 'unary-throughput.svg', 'unary-p99.svg'])
  for (const svg of charts.values()) t.match(svg, /^<svg [\s\S]*pure[\s\S]*<\/svg>\n$/)
  const page = pageOf(results, new Set(charts.keys()))
  for (const name of charts.keys()) t.match(page, `](${name})`)
  t.match(page, '| not measured | Python: not there |')
  t.match(page, '| 64 (calls/s) | pure | 10× | 20,000 | 10,000 … 30,000 | 0.200 | 0.400 | 20.0 | 20.0 |')
  t.notMatch(page, /undefined|NaN/)
})

t.test('what is published agrees with the results it was made from', async (t) => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  const published = JSON.parse(read('bench/results/all.json')) as Results
  const charts = new Set((await chartsOf(published)).keys())
  const readme = read('README.md')
  t.equal(fillBlock(readme, blockOf(published, charts)), readme, 'README.md; npm run bench:report writes it')
  t.equal(pageOf(published, charts), read('bench/results/README.md'))
  for (const name of charts) {
    t.ok(existsSync(new URL(`../../bench/results/${name}`, import.meta.url)), `bench/results/${name}`)
  }
})

t.test('scenarios have names of their own and figures', (t) => {
  const names = scenarios.flatMap((scenario) =>
    scenario.variants.map(({ name }) => `${scenario.name} ${name}`),
  )
  t.equal(new Set(names).size, names.length)
  for (const { variants, phrase } of scenarios) {
    t.match(phrase, '{}')
    for (const { plan } of variants) t.ok(mainFigure(plan).figure)
  }
  t.end()
})
