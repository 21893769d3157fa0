import t from 'tap'
import { joinCookieCrumbs, splitCookieCrumbs } from '../../../src/wire/index.ts'

t.test('RFC 9113 §8.2.3: crumbs are joined with a semicolon and a space, in order', async (t) => {
  t.same(
    joinCookieCrumbs([
      ':path',
      '/',
      'cookie',
      'a=b',
      'te',
      'trailers',
      'cookie',
      'c=d',
      'cookie',
      'e=f',
      'x',
      'y',
    ]),
    [':path', '/', 'cookie', 'a=b; c=d; e=f', 'te', 'trailers', 'x', 'y'],
  )
})

t.test('RFC 9113 §8.2.3: without a second cookie field the list stays the one given', async (t) => {
  for (const fields of [[], ['x', 'cookie'], ['cookie', 'a=b; c=d'], ['a', 'b', 'cookie', 'c']]) {
    t.equal(joinCookieCrumbs(fields), fields)
  }
})

t.test('RFC 9113 §8.2.3: a cookie is split where two pairs meet', async (t) => {
  t.same(splitCookieCrumbs('a=b; c=d; e=f'), ['a=b', 'c=d', 'e=f'])
  t.same(splitCookieCrumbs('a=b'), ['a=b'])
  t.same(splitCookieCrumbs(''), [''])
  t.same(splitCookieCrumbs('a=b;c=d'), ['a=b;c=d'])
})

t.test('what is split is joined to the same again', async (t) => {
  for (const value of ['a=b; c=d', '', '; ', 'a=b; ', '; ; x']) {
    const fields = splitCookieCrumbs(value).flatMap((crumb) => ['cookie', crumb])
    t.same(joinCookieCrumbs(fields), ['cookie', value])
  }
})
