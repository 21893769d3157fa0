/**
 * grpcurl against our server: a client in Go that has no .proto files and learns everything by reflection. It also asks for
 * health, and shows error details.
 */
import { deepStrictEqual, match } from 'node:assert/strict'
import type { TapReport } from './tap-report.ts'
import { goTool, type Outcome, outcome } from './toolchain.ts'

const pathAtVersion = 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3'
const timeoutMs = 20_000
/** grpcurl ends with the status code and this, as `glass call` does. */
const statusExitCode = 64

type Grpcurl = (...args: string[]) => Promise<Outcome>

/** The JSON objects that it printed. @throws AssertionError if the call failed */
async function json(call: Promise<Outcome>): Promise<unknown[]> {
  const { code, output, errors } = await call
  deepStrictEqual({ code, errors }, { code: 0, errors: '' })
  return output
    .split(/(?<=^\})$/m)
    .filter((text) => text.trim() !== '')
    .map((text) => JSON.parse(text))
}

async function failure(call: Promise<Outcome>, status: number, ...patterns: RegExp[]): Promise<void> {
  const { code, errors } = await call
  deepStrictEqual(code, statusExitCode + status)
  for (const pattern of patterns) match(errors, pattern)
}

/** Each gets grpcurl with the flags of the connection; `target` stands between flags and symbol. */
const cases: Record<string, (call: Grpcurl, target: string) => Promise<void>> = {
  async 'list services'(call, target) {
    const { output } = await call(target, 'list')
    deepStrictEqual(output.trim().split('\n'), [
      'countries.Country',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'helloworld.Greeter',
    ])
  },
  async 'list methods'(call, target) {
    const { output } = await call(target, 'list', 'helloworld.Greeter')
    deepStrictEqual(
      output.trim().split('\n'),
      ['Chat', 'GreetAll', 'SayHello', 'SayHellos'].map((name) => `helloworld.Greeter.${name}`),
    )
  },
  async 'describe a method, a message and a field'(call, target) {
    match(
      (await call(target, 'describe', 'helloworld.Greeter.Chat')).output,
      /rpc Chat \( stream \.helloworld\.HelloRequest \) returns \( stream \.helloworld\.HelloReply \);/,
    )
    match((await call(target, 'describe', 'helloworld.HelloRequest')).output, /string name = 1;/)
    match((await call(target, 'describe', 'helloworld.HelloRequest.name')).output, /is a field/)
    match(
      (await call(target, 'describe', 'grpc.health.v1.HealthCheckResponse.ServingStatus')).output,
      /SERVICE_UNKNOWN = 3;/,
    )
  },
  async 'unary call'(call, target) {
    const reply = json(call('-d', '{"name":"Zoë 🦉"}', target, 'helloworld.Greeter/SayHello'))
    deepStrictEqual(await reply, [{ message: 'Hello Zoë 🦉' }])
  },
  async 'bidirectional call'(call, target) {
    const replies = json(call('-d', '{"name":"Ada"}{"name":"Grace"}', target, 'helloworld.Greeter/Chat'))
    deepStrictEqual(await replies, [{ message: 'Hello Ada' }, { message: 'Hello Grace' }])
  },
  async 'error with details'(call, target) {
    await failure(
      call('-H', 'glass-behavior: fail', '-d', '{"name":"Zoë"}', target, 'helloworld.Greeter/SayHello'),
      5,
      /Code: NotFound\n {2}Message: no such name: Zoë\n/,
      /"@type":\s*"type\.googleapis\.com\/google\.rpc\.ErrorInfo"/,
      /"reason":\s*"UNKNOWN_NAME"/,
    )
  },
  async health(call, target) {
    const check = (service: string) =>
      call('-d', JSON.stringify({ service }), target, 'grpc.health.v1.Health/Check')
    deepStrictEqual(await json(check('')), [{ status: 'SERVING' }])
    deepStrictEqual(await json(check('countries.Country')), [{ status: 'SERVING' }])
    await failure(check('countries.Nowhere'), 5, /no service "countries\.Nowhere"/)
  },
  async 'unknown service'(call, target) {
    const { code, errors } = await call(target, 'helloworld.Nobody/SayHello')
    deepStrictEqual(code, 1)
    match(errors, /server does not expose service "helloworld\.Nobody"/)
  },
}

/**
 * Runs every case.
 * @param address of a server as in interop/node/server.ts
 * @param ca file of the server's root certificate; in the clear without
 */
export async function runGrpcurl(address: string, ca: string | undefined): Promise<TapReport> {
  const file = await goTool('grpcurl', pathAtVersion)
  const connection = ca === undefined ? ['-plaintext'] : ['-cacert', ca]
  const call: Grpcurl = (...args) => outcome(file, [...connection, ...args], timeoutMs)
  const report: TapReport = { lines: [], passed: 0, failed: 0 }
  for (const [index, [name, check]] of Object.entries(cases).entries()) {
    try {
      await check(call, address)
      report.passed++
      report.lines.push(`ok ${index + 1} - ${name}`)
    } catch (error) {
      report.failed++
      report.lines.push(`not ok ${index + 1} - ${name}`, ...String(error).replaceAll(/^/gm, '# ').split('\n'))
    }
  }
  report.lines.push(`1..${Object.keys(cases).length}`)
  return report
}
