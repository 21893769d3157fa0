import t from 'tap'
import {
  authenticate,
  bearerToken,
  combineCredentials,
  credentialsFromHeaders,
} from '../../src/rpc/credentials.ts'
import { Metadata } from '../../src/rpc/metadata.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { ENGINES, pair, rejection } from './support/pair.ts'

const context = { serviceUrl: 'https://h/a.B', path: '/a.B/C' }

t.test('kinds of credentials', async (t) => {
  t.same(await bearerToken('t')(context), { authorization: 'Bearer t' })
  let count = 0
  const changing = bearerToken(async () => `t${++count}`)
  t.same(
    [await changing(context), await changing(context)],
    [{ authorization: 'Bearer t1' }, { authorization: 'Bearer t2' }],
  )
  const asked: unknown[] = []
  const google = credentialsFromHeaders({
    getRequestHeaders: async (url) => {
      asked.push(url)
      return new Headers({ Authorization: 'Bearer g', 'X-Goog-User-Project': 'p' })
    },
  })
  t.same(await google(context), { authorization: 'Bearer g', 'x-goog-user-project': 'p' })
  t.same(asked, ['https://h/a.B'])
  t.same(await credentialsFromHeaders({ getRequestHeaders: async () => ({ A: 'b' }) })(context), { a: 'b' })
  const both = await combineCredentials(
    () => ({ a: '1' }),
    () => ({ a: '2' }),
  )(context)
  t.same((both as Metadata).getAll('a'), ['1', '2'])
})

t.test('authenticate', async (t) => {
  const metadata = new Metadata({ x: 'y' })
  const merged = await authenticate(() => ({ authorization: 'z' }), context, true, metadata)
  t.same(
    [...merged],
    [
      ['x', 'y'],
      ['authorization', 'z'],
    ],
  )
  t.equal(metadata.size, 1, "the caller's metadata is not changed")
  t.match(await rejection(authenticate(() => ({}), context, false, undefined)), {
    code: 16,
    details: /not sent on a connection without TLS/,
  })
  t.match(
    await rejection(
      authenticate(
        () => {
          throw new Error('no disk')
        },
        context,
        true,
        undefined,
      ),
    ),
    {
      code: 2,
      details: 'Getting metadata from plugin failed with error: no disk',
    },
  )
  t.match(
    await rejection(
      authenticate(() => Promise.reject(new StatusError(14, 'busy')), context, true, undefined),
    ),
    {
      code: 14,
      details: 'Getting metadata from plugin failed with error: busy',
    },
  )
  // gRFC A54: a control plane does not speak for the application.
  t.match(
    await rejection(authenticate(() => Promise.reject(new StatusError(5, 'gone')), context, true, undefined)),
    {
      code: 13,
      details: 'Invalid status from control plane: 5 gone',
    },
  )
  t.match(await rejection(authenticate(() => ({ authorization: ['a', 'b'] }), context, true, undefined)), {
    code: 13,
    details: '"authorization" metadata cannot have multiple values',
  })
})

for (const engine of ENGINES) {
  t.test(`${engine}: refused in the clear unless allowed; channel's and call's are joined`, async (t) => {
    const handlers = {
      one: (_: unknown, call: { metadata: Metadata }) => ({ text: call.metadata.getAll('x').join() }),
    }
    const credentials = () => ({ x: 'channel' })
    const refused = await pair(t, engine, handlers, { channel: { credentials } })
    t.match(await rejection(refused.client.one({})), { code: 16 })
    const allowed = await pair(t, engine, handlers, {
      channel: { credentials, allowInsecureCredentials: true },
    })
    t.same(await allowed.client.one({}), { text: 'channel' })
    t.same(await allowed.client.one({}, { credentials: async () => ({ x: 'call' }) }), {
      text: 'channel,call',
    })
    const never = allowed.client.one({}, { credentials: () => new Promise(() => {}), deadline: 20 })
    t.match(await rejection(never), { code: 4 }, 'credentials that hang do not hang the call')
  })
}
