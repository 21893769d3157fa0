/**
 * Writes `src/rpc/services/bundled-protos.ts`: the .proto files that the library itself needs, as text, so that it
 * reads no file while it runs. `node --import=tsx scripts/embed-protos.ts`; a test says when that is due.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(import.meta.dirname, '..')
const target = join(root, 'src/rpc/services/bundled-protos.ts')

/** What is embedded, by the names under which it is imported. */
export const embedded: readonly string[] = [
  'google/rpc/error_details.proto',
  'google/rpc/status.proto',
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto',
]

/** The text of `src/rpc/services/bundled-protos.ts` as it must be. */
export function bundledProtos(): string {
  const entries = embedded.map((name) => {
    const source = readFileSync(join(root, 'proto', name), 'utf8')
    return `  '${name}': \`${source.replace(/[\\`]|\$\{/g, '\\$&')}\`,\n`
  })
  return `/**
 * The .proto files that the library itself needs, as text; the originals are in \`proto\`.
 * Written by \`scripts/embed-protos.ts\`.
 */

/** Texts by the name under which a file is imported. */
export const BUNDLED_PROTOS: Readonly<Record<string, string>> = {
${entries.join('')}}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, bundledProtos())
