import t from 'tap'
import { chartsOf } from '../../bench/charts.ts'
import { mainFigure, type Results, spread, spreadOf } from '../../bench/results.ts'
import { scenarios } from '../../bench/scenarios.ts'
import { renderTable, rowsOf, short } from '../../bench/table.ts'
import { blockOf, fillBlock, paragraphOf } from '../../bench/write-report.ts'

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
        rounds: [30, 10, 20].map((n) => ({ operationsPerSecond: n * 1000, p50Ms: n / 100, p99Ms: n / 50 })),
      },
      {
        scenario: 'unary',
        variant,
        library: 'grpc-js',
        rounds: [{ operationsPerSecond: 2000, p50Ms: 0.1, p99Ms: 1 }],
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
  const ratio = (variant: string) =>
    rows.find((row) => row.variant.name === variant)!.cells.find(({ library }) => library === 'pure')!.ratio
  t.equal(ratio('64'), 10)
  t.equal(ratio('1'), 0.5, 'one call at a time is about its latency')
  t.equal(ratio('h2load, 64 streams'), undefined, 'there is nothing to compare with')
  const text = renderTable(results)
  t.match(text, /pure +20,000 +10\.0 x grpc-js; 10,000 … 30,000; p50 0\.200 ms, p99 0\.400 ms/)
  t.match(text, /Not measured:\n {2}Python: not there/)
  t.same([0, 1234.5, 12.345, undefined].map(short), ['0', '1,235', '12.3', ''])
  t.end()
})

t.test('the paragraph tells where we are not ahead, too', (t) => {
  const text = paragraphOf(results)
  t.match(text, 'Ahead: unary 8 (`pure`, 10.0), unary 64 (`pure`, 10.0), unary 512 (`pure`, 10.0).')
  t.match(text, 'Not ahead: unary 1 (`pure`, 0.500).')
  t.match(text, 'To grpc-go on one core: server h2load, 64 streams: `pure` 1.50.')
  t.match(text, 'grew by -0.500 octets a call on `pure`')
  t.end()
})

t.test('the block stands between its marks, again and again', (t) => {
  const block = blockOf(results, 'chart.svg')
  const once = fillBlock('a\n<!-- benchmarks -->\n<!-- /benchmarks -->\nb\n', block)!
  t.match(
    once,
    /^a\n<!-- benchmarks -->\nRatios to [\s\S]*!\[Ratios to grpc-js\]\(chart\.svg\)[\s\S]*<!-- \/benchmarks -->\nb\n$/,
  )
  t.equal(fillBlock(once, block), once)
  t.equal(fillBlock('no marks', block), undefined)
  t.end()
})

t.test('charts: ratios, and curves of what has a scale', async (t) => {
  const charts = await chartsOf('standard', results)
  t.same([...charts.keys()], ['standard.svg', 'unary-throughput.svg', 'unary-p99.svg'])
  for (const svg of charts.values()) t.match(svg, /^<svg [\s\S]*pure[\s\S]*<\/svg>$/)
})

t.test('scenarios have names of their own, figures, and all that the standard set needs', (t) => {
  const names = scenarios.flatMap((scenario) =>
    scenario.variants.map(({ name }) => `${scenario.name} ${name}`),
  )
  t.equal(new Set(names).size, names.length)
  for (const { variants } of scenarios) for (const { plan } of variants) t.ok(mainFigure(plan).figure)
  const standard = scenarios.flatMap(({ name, variants }) =>
    variants.filter((variant) => variant.standard).map((variant) => `${name} ${variant.name}`),
  )
  t.same(standard, [
    'unary 1',
    'unary 64',
    'sizes 1 MiB',
    'streaming server, 16 B',
    'memory 10000 idle streams',
    'memory 1000 idle connections',
    'soak a million calls',
    'server h2load, 64 streams',
  ])
  t.end()
})
