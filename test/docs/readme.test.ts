/** What README.md says is so: its code, its commands, its links, its scripts. */
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { withExamples } from '../../scripts/readme.ts'
import { glass } from '../cli/support/fake-terminal.ts'
import { serving } from '../cli/support/serving.ts'

const readme = readFileSync('README.md', 'utf8')
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }

t.test('its code is that of the examples', async (t) => {
  t.equal(withExamples(readme), readme, 'run node --import=tsx scripts/readme.ts')
  t.equal(readme.match(/```ts\n/g)?.length, readme.match(/<!-- file: /g)?.length, 'all of its code is')
})

t.test('its scripts and links exist', async (t) => {
  const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? '')
  t.ok(named.length > 2)
  for (const name of named) t.ok(name in scripts, `npm run ${name}`)
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link ?? '')
  for (const link of links.filter((each) => !each.startsWith('https://'))) t.ok(existsSync(link), link)
})

/** Words of a line of a shell, without what a shell does beyond quotes. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}

t.test('its calls work as they are written', async (t) => {
  const { address } = await serving(t)
  const lines = readme.split('\n').filter((line) => line.includes('glass call localhost:50051'))
  t.equal(lines.length, 3)
  for (const line of lines) {
    const input = /^printf '(.*)' \|/.exec(line)?.[1]
    const command = words(line.slice(line.indexOf('glass call')))
    const args = command.slice(1).map((word) => (word === 'localhost:50051' ? address : word))
    const { exitCode, stdout, stderr } = await glass(args, input)
    t.equal(exitCode, 0, `${line}\n${stderr}`)
    t.match(stdout, /Hello (Ada|Bob)|South Korea/)
  }
})

t.test('its exit codes are those of glass', async (t) => {
  const address = '127.0.0.1:1'
  for (const [args, exitCode] of [
    [['call', address, 'helloworld.Greeter/SayHello'], 78],
    [['call', address, 'helloworld.Greeter/SayHello', '--frob'], 67],
    [['call', address, 'helloworld.Greeter/Nope'], 76],
    [['serve', '--listen', '192.0.2.1:1'], 73],
  ] as const) {
    t.equal((await glass(args)).exitCode, exitCode, args.join(' '))
    t.match(readme, new RegExp(`\\b${exitCode}\\b`))
  }
})
