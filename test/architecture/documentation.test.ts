/** Every symbol of the four entry points says what it is, members included. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compileEntries, undocumentedExports } from './documented-exports.ts'
import { root } from './source-files.ts'

const manifest: { exports: Record<string, string | { types: string }> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)

/** The sources behind the entry points that package.json names. */
const entries = Object.values(manifest.exports).flatMap((entry) =>
  typeof entry === 'string'
    ? []
    : [join(root, entry.types.replace('./dist/', 'src/').replace(/\.d\.ts$/, '.ts'))],
)

t.test('there are four entry points', async (t) => {
  t.equal(entries.length, 4)
})

t.test('every exported symbol is documented', async (t) => {
  t.strictSame(undocumentedExports(compileEntries(entries), entries), [])
})

t.test('an undocumented symbol is found, with its place', async (t) => {
  const path = join(root, 'src/made-up.ts')
  const text = `
/** A documented class. */
export class Door {
  /** Documented. */
  readonly open = true
  readonly kind = 'door'
  width = 80
  #secret = 1
  private lock(): number { return this.#secret }
  knock(): number { return this.lock() }
}
export interface Room { type: 'room'; doors: Door[] }
/** Inherits its comments. */
export class Hall implements Named { name = 'hall' }
interface Named {
  /** What it is called. */
  name: string
}
export type Shape = { sides: number }
`
  const program = compileEntries([path], new Map([[path, text]]))
  t.strictSame(undocumentedExports(program, [path]), [
    'src/made-up.ts:10 Door.knock',
    'src/made-up.ts:12 Room',
    'src/made-up.ts:12 Room.doors',
    'src/made-up.ts:19 Shape',
    'src/made-up.ts:19 Shape.sides',
    'src/made-up.ts:7 Door.width',
  ])
})
