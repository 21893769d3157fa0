/** Fields as node:http2 takes them. The rules themselves are in the contract suite. */
import { sensitiveHeaders } from 'node:http2'
import t from 'tap'
import { toHeaders } from '../../../src/http2/node/fields.ts'

t.test('repeated names become arrays, others strings', async (t) => {
  t.strictSame(
    { ...toHeaders(['a', '1', 'b', '2', 'a', '3', 'a', '4'], 'trailers') },
    { a: ['1', '3', '4'], b: '2' },
  )
})

t.test('the object has no prototype that a field could reach', async (t) => {
  const headers = toHeaders(['__proto__', 'x', 'constructor', 'y'], 'trailers')
  t.equal(Object.getPrototypeOf(headers), null)
  t.strictSame(Object.keys(headers), ['__proto__', 'constructor'])
  t.equal(({} as Record<string, unknown>).x, undefined)
})

t.test('fields with secrets are marked as never indexed (RFC 7541 §7.1.3)', async (t) => {
  const marked = (name: string) =>
    (toHeaders([name, 'secret'], 'trailers') as Record<symbol, unknown>)[sensitiveHeaders as symbol]
  for (const name of ['authorization', 'proxy-authorization', 'cookie', 'set-cookie']) {
    t.ok((marked(name) as string[]).includes(name), name)
  }
  t.equal(marked('x-plain'), undefined)
})

t.test('fields that Node sends only once', async (t) => {
  t.throws(() => toHeaders(['content-type', 'a', 'content-type', 'b'], 'response'), /"content-type".*once/)
  t.throws(() => toHeaders(['authorization', 'a', 'authorization', 'b'], 'request'), /"authorization".*once/)
  t.throws(() => toHeaders([':path', '/', ':path', '/'], 'request'), /":path".*once/)
  t.strictSame({ ...toHeaders(['set-cookie', 'a', 'set-cookie', 'b'], 'trailers') }['set-cookie'], ['a', 'b'])
})

t.test('pseudo-header fields belong to their section (RFC 9113 §8.3)', async (t) => {
  t.throws(() => toHeaders([':status', '200'], 'request'), /:status/)
  t.throws(() => toHeaders([':path', '/'], 'response'), /:path/)
  t.throws(() => toHeaders([':status', '200'], 'trailers'), /:status/)
  for (const status of ['100', '600', 'abc', '']) {
    t.throws(() => toHeaders([':status', status], 'response'), /200 to 599/, status)
  }
})

t.test('many different names do not grow the memory of names without limit', async (t) => {
  for (let i = 0; i < 5000; i++) toHeaders([`x-${i}`, 'v'], 'trailers')
  t.throws(() => toHeaders(['X-5000', 'v'], 'trailers'), /X-5000/)
})
