/** The command as a process: help, exit codes, signals, closed pipes. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { glass } from './support/fake-terminal.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

t.test('help and version go to standard output', async (t) => {
  t.same(await glass(['--version']), { exitCode: 0, stdout: `${version}\n`, stderr: '' })
  for (const args of [['--help'], ['help'], ['serve', '--help'], ['call', '--help']]) {
    const { exitCode, stdout, stderr } = await glass(args)
    t.equal(exitCode, 0, args.join(' '))
    t.match(stdout, /^Usage: glass /)
    t.equal(stderr, '')
    t.ok(
      stdout.split('\n').every((line) => line.length <= 80),
      'fits into 80 columns',
    )
  }
})

t.test('without a command: help on standard error; an unknown one: a line', async (t) => {
  t.match(await glass([]), { exitCode: 67, stdout: '', stderr: /^Usage: glass / })
  t.same(await glass(['frob']), {
    exitCode: 67,
    stdout: '',
    stderr: "glass: unknown command 'frob'; see glass --help\n",
  })
  t.match(await glass(['--frob']), { exitCode: 67, stderr: /unknown option '--frob'.*; see glass --help\n/ })
})

function start(...args: string[]) {
  const child = spawn(process.execPath, ['--import=tsx', 'src/cli/glass.ts', ...args])
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  const ended = new Promise<{ exitCode: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, ...output }))
  })
  const shows = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(output.stdout)
      if (found !== null) return found[1] ?? ''
      await new Promise((resolve) => child.stdout.once('data', resolve))
    }
  }
  t.teardown(() => child.kill('SIGKILL'))
  return { child, ended, shows }
}

t.test('serve and call as processes', async (t) => {
  const server = start('serve', '--listen', '127.0.0.1:0')
  const address = await server.shows(/listening on (\S+)/)

  t.test('a call ends with its exit code, and nothing is printed in surplus', async (t) => {
    const good = start('call', address, 'helloworld.Greeter/SayHello', '-d', '{"name":"Ada"}', '--json')
    t.same(await good.ended, { exitCode: 0, stdout: '{"message":"Hello Ada"}\n', stderr: '' })
    const bad = start('call', address, 'countries.Country/Search', '-d', '{"name":"atlantis"}')
    t.same(await bad.ended, {
      exitCode: 69,
      stdout: '',
      stderr: 'glass: 5 NOT_FOUND: No country is called "atlantis"\n',
    })
  })

  t.test('a reader that goes away is no error', async (t) => {
    const { child, ended } = start('call', address, 'helloworld.Greeter/Chat', '-d', '@')
    child.stdin.on('error', () => {})
    child.stdin.write('{"name":"Ada"}')
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.stdout.destroy()
    for (let index = 0; index < 100; index++) child.stdin.write('{"name":"Bob"}')
    t.match(await ended, { exitCode: 0, stderr: '' })
  })

  t.test('SIGINT cancels a call', async (t) => {
    const { child, ended, shows } = start('call', address, 'helloworld.Greeter/Chat', '-d', '@')
    child.stdin.write('{"name":"Ada"}')
    await shows(/Hello Ada/)
    child.kill('SIGINT')
    t.match(await ended, { exitCode: 65, stderr: 'glass: 1 CANCELLED: Interrupted\n' })
  })

  t.test('SIGTERM ends the server in order', async (t) => {
    server.child.kill('SIGTERM')
    t.equal((await server.ended).exitCode, 0)
  })
})
