import t from 'tap'
import { runExample, serveExample } from './support/run-example.ts'

t.test('the country story: a server, a client, and an HTTP front', async (t) => {
  const server = await serveExample(t, 'examples/country-server.ts', '127.0.0.1:0')

  t.test('the client shows a country', async (t) => {
    const { exitCode, stdout } = await runExample('examples/country-client.ts', 'korea', server.address)
    t.equal(exitCode, 0)
    t.match(
      stdout,
      /^South Korea \(대한민국\), Eastern Asia\ncapital Seoul, \d{2},\d{3},\d{3} people, .*Won \(₩\)\n$/,
    )
  })

  t.test('the client says that there is none', async (t) => {
    t.same(await runExample('examples/country-client.ts', 'atlantis', server.address), {
      exitCode: 1,
      stdout: '',
      stderr: 'No country is called "atlantis"\n',
    })
  })

  t.test('the front answers with JSON, and an error with its gRPC status', async (t) => {
    const front = await serveExample(t, 'examples/http-front.ts', '0', server.address)
    const get = async (path: string) => {
      const response = await fetch(`${front.address}${path}`)
      return { status: response.status, body: await response.json() }
    }
    t.match(await get('/countries/korea'), {
      status: 200,
      body: { name: 'South Korea', alpha2Code: 'KR', capital: 'Seoul', currencies: [{ code: 'KRW' }] },
    })
    t.same(await get('/countries/atlantis'), {
      status: 404,
      body: { code: 5, status: 'NOT_FOUND', details: 'No country is called "atlantis"' },
    })
    t.match(await get('/helloworld/Ada'), {
      status: 501,
      body: { code: 12, status: 'UNIMPLEMENTED', details: /SayHello/ },
    })
    t.equal((await front.stop()).exitCode, 0)
  })

  t.test('the server logged the calls, and drains at SIGTERM', async (t) => {
    const { exitCode, stdout } = await server.stop()
    t.equal(exitCode, 0)
    t.match(stdout, /^\/countries\.Country\/Search 0 \d+ ms$/m)
    t.match(stdout, /^\/countries\.Country\/Search 5 \d+ ms$/m)
  })
})

t.test('the front greets, and tells that nobody is behind it', async (t) => {
  const server = await serveExample(t, 'examples/hello-server.ts', '127.0.0.1:0')
  const front = await serveExample(t, 'examples/http-front.ts', '0', server.address)
  const first = await fetch(`${front.address}/helloworld/Ada`)
  t.same(await first.json(), { message: 'Hello Ada' })
  await server.stop('SIGKILL')
  const second = await fetch(`${front.address}/helloworld/Ada`)
  t.equal(second.status, 503)
  t.match(await second.json(), { code: 14, status: 'UNAVAILABLE', details: /connection refused/ })
})
