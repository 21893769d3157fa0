/** Values of flags: durations and metadata. */
import t from 'tap'
import { parseDuration } from '../../src/cli/duration.ts'
import { addHeader } from '../../src/cli/header-flag.ts'

t.test('a duration is a number and a unit', async (t) => {
  for (const [text, ms] of [
    ['500ms', 500],
    ['1.5s', 1500],
    ['0s', 0],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ] as const) {
    t.equal(parseDuration(text), ms, text)
  }
  for (const text of ['', '5', 's', '-1s', '1 s', '1d', '1.s', 'abc', '1e3s']) {
    t.throws(() => parseDuration(text), /Write a number and a unit/, JSON.stringify(text))
  }
})

t.test('metadata is "name: value", repeated names add up', async (t) => {
  const metadata = addHeader('Y-Bin: AAH/', addHeader('X-A:  two: parts ', addHeader('x-a: one')))
  t.same(metadata.getAll('x-a'), ['one', 'two: parts'])
  t.same(metadata.get('y-bin'), Buffer.of(0, 1, 255))
  t.same(addHeader('empty:').get('empty'), '')
  for (const [text, message] of [
    ['no colon', /Write "name: value"/],
    [': value', /Write "name: value"/],
    ['na me: value', /no metadata name/],
    ['te: gzip', /written by gRPC itself/],
    ['x: Zoë', /printable ASCII/],
    ['x-bin: ***', /base64/],
  ] as const) {
    t.throws(() => addHeader(text), { code: 'commander.invalidArgument', message }, text)
  }
})
