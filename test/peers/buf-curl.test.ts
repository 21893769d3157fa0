/** `buf curl`, a client in Go that shares no code with grpc-go, and our server, on both engines. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { countryService } from '../../src/cli/country-service.ts'
import { loadProtoSync } from '../../src/index.ts'
import { ENGINES } from '../rpc/support/pair.ts'
import { createAuthority } from '../support/certificates.ts'
import { startOurs } from './support/greeter.ts'

const { countries } = loadProtoSync('proto/countries.proto')
const buf = join('node_modules', '.bin', 'buf')
const env = { ...process.env, BUF_CACHE_DIR: t.testdir() }

interface Outcome {
  exitCode: number
  /** JSON values on standard output, or the error on standard error. */
  values: unknown[]
  /** What `-v` tells. */
  log: string
}

/** Runs `buf curl`. */
function curl(url: string, requests: readonly unknown[], ...flags: string[]): Promise<Outcome> {
  const data = requests.map((request) => JSON.stringify(request)).join('\n')
  const args = ['curl', '--schema', 'proto', '--protocol', 'grpc', '-v', '-d', data, ...flags, url]
  return new Promise((resolve) => {
    const child = execFile(buf, args, { env }, (_error, stdout, stderr) => {
      const log = stderr.match(/^buf: .*$/gm)?.join('\n') ?? ''
      const text = stdout + stderr.replace(/^buf: .*$/gm, '')
      const values = text.split(/^(?=\{)/m).flatMap((part) => (part.trim() === '' ? [] : [JSON.parse(part)]))
      resolve({ exitCode: child.exitCode ?? -1, values, log })
    })
  })
}

for (const engine of ENGINES) {
  t.test(`${engine}: buf curl and our server`, async (t) => {
    const { address, server } = await startOurs(t, engine)
    server.add(countries.Country, countryService)
    const call = (method: string, requests: unknown[], ...flags: string[]) =>
      curl(`http://${address}/${method}`, requests, '--http2-prior-knowledge', ...flags)

    t.test('the four kinds of call', async (t) => {
      for (const [method, names, messages] of [
        ['SayHello', ['Ada'], ['Hello Ada']],
        ['SayHellos', ['Ada'], ['Hello Ada', 'Goodbye Ada']],
        ['GreetAll', ['Ada', 'Bob'], ['Hello Ada, Bob']],
        ['Chat', ['Ada', 'Bob'], ['Hello Ada', 'Hello Bob']],
      ] as const) {
        const requests = names.map((name) => ({ name }))
        t.match(
          await call(`helloworld.Greeter/${method}`, requests),
          { exitCode: 0, values: messages.map((message) => ({ message })) },
          method,
        )
      }
    })

    t.test('metadata both ways', async (t) => {
      const flags = ['-H', 'echo: a', '-H', 'echo: b', '-H', 'echo-bin: AAH/']
      const { log } = await call('helloworld.Greeter/SayHello', [{ name: 'Ada' }], ...flags)
      t.match(log, /< .* Echo: a\n.*< .* Echo: b\n/)
      t.match(log, /< .* Echo-Bin: AAH\//)
    })

    t.test('a status', async (t) => {
      const { exitCode, values } = await call('countries.Country/Search', [{ name: 'Atlantis' }])
      // exit codes of buf curl are the status code times eight
      t.equal(exitCode, 5 * 8)
      t.same(values, [{ code: 'not_found', message: 'No country is called "Atlantis"' }])
    })

    t.test('a status of which not all is ASCII', async (t) => {
      const { exitCode, values } = await call(
        'helloworld.Greeter/SayHello',
        [{ name: 'Ada' }],
        '-H',
        'behavior: throw',
      )
      t.equal(exitCode, 2 * 8)
      t.same(values, [{ code: 'unknown', message: 'Unknown error' }])
      const search = await call('countries.Country/Search', [{ name: 'Ñandú %' }])
      t.same(search.values, [{ code: 'not_found', message: 'No country is called "Ñandú %"' }])
    })

    t.test('a message with every kind of field of its schema', async (t) => {
      const { values } = await call('countries.Country/Search', [{ name: 'korea' }])
      t.match(values, [
        {
          name: 'South Korea',
          alpha2Code: 'KR',
          nativeName: '대한민국',
          population: Number,
          currencies: [{ symbol: '₩' }],
        },
      ])
    })

    t.test('compressed responses', async (t) => {
      const gzip = await startOurs(t, engine, { compression: 'gzip', minCompressOctets: 0 })
      const url = `http://${gzip.address}/helloworld.Greeter/SayHello`
      const { values, log } = await curl(url, [{ name: 'a'.repeat(10_000) }], '--http2-prior-knowledge')
      t.match(log, /Grpc-Encoding: gzip/)
      t.same(values, [{ message: `Hello ${'a'.repeat(10_000)}` }])
    })

    t.test('TLS', async (t) => {
      const authority = await createAuthority()
      const { address } = await startOurs(t, engine, { tls: await authority.issue('localhost') })
      const roots = join(t.testdir({ 'ca.pem': authority.ca }), 'ca.pem')
      const url = `https://${address}/helloworld.Greeter/SayHello`
      const { exitCode, values } = await curl(url, [{ name: 'Ada' }], '--cacert', roots)
      t.same({ exitCode, values }, { exitCode: 0, values: [{ message: 'Hello Ada' }] })
    })
  })
}
