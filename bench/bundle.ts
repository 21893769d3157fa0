/** Makes what is measured: the workers as plain JavaScript, with this library from the sources that are asked for. */
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { compile } from '../scripts/compile.ts'
import { createAuthority } from '../test/support/certificates.ts'
import type { Identity } from './worker/contender.ts'

/** The repository. */
export const root = resolve(import.meta.dirname, '..')
/** What is made for benchmarks; not kept in the repository. */
export const cacheFolder = join(root, '.cache/bench')

const run = promisify(execFile)

/**
 * Bundles the workers; libraries stay files of their own, ours as its package has it.
 * @param sources the repository, or another checkout of it, whose `src` is measured
 * @returns the script to run
 */
export async function bundleWorkers(name: string, sources = root): Promise<string> {
  const outdir = join(cacheFolder, name)
  // what a source file that is gone has left behind must not be found
  rmSync(outdir, { recursive: true, force: true })
  const library = join(outdir, 'grpc-glass')
  await compile(sources, library)
  await build({
    entryPoints: { worker: join(root, 'bench/worker/main.ts') },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    plugins: [
      {
        name: 'this library',
        setup({ onResolve }) {
          onResolve({ filter: /^grpc-glass$/ }, () => ({
            path: pathToFileURL(join(library, 'index.js')).href,
            external: true,
          }))
        },
      },
    ],
    define: { BENCH_ROOT: JSON.stringify(root) },
    logLevel: 'warning',
  })
  return join(outdir, 'worker.mjs')
}

/** The declarations as a FileDescriptorSet, for connect-node. */
export async function makeDescriptorSet(): Promise<void> {
  mkdirSync(cacheFolder, { recursive: true })
  const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf')
  const folder = join(cacheFolder, 'proto')
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(root, 'bench/proto/bench.proto'), join(folder, 'bench.proto'))
  copyFileSync(join(root, 'proto/helloworld.proto'), join(folder, 'helloworld.proto'))
  await run(buf, ['build', folder, '-o', join(cacheFolder, 'bench.binpb')], {
    env: { ...process.env, BUF_CACHE_DIR: cacheFolder },
  })
}

/** A certificate for localhost, made for one run. */
export async function makeIdentity(): Promise<Identity> {
  const authority = await createAuthority()
  return { ...(await authority.issue('localhost', ['localhost', '127.0.0.1'])), ca: authority.ca }
}
