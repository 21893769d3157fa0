/**
 * The library as JavaScript: one file for each entry point of the package, and chunks for what they share, so that
 * classes are the same whichever entry point they come from. Few files, because Node.js takes more time to find and
 * link a module than to compile it: from a file for each source, a first call took half as long again.
 *
 * Run by `npm run build`, after the declarations. Benchmarks and the soak test measure what this makes.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'

const ENTRY_POINTS = ['index.ts', 'wire/index.ts', 'http2/index.ts', 'rpc/index.ts', 'cli/glass.ts']

/**
 * Compiles `src` of a checkout.
 *
 * @param checkout the folder that `src` is in
 * @param outdir where the files go, with the same paths; chunks go to `chunks`
 */
export async function compile(checkout: string, outdir: string): Promise<void> {
  const src = join(checkout, 'src')
  // chunks are named by their contents: those of earlier builds would stay
  rmSync(join(outdir, 'chunks'), { recursive: true, force: true })
  const { outputFiles } = await build({
    entryPoints: ENTRY_POINTS.map((file) => join(src, file)),
    outbase: src,
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    // the package has the sources beside
    sourcesContent: false,
    logLevel: 'warning',
    write: false,
  })
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, path.endsWith('.js') ? withOwnNames(text) : text)
  }
}

/** esbuild calls a class that refers to itself `_Name`, and users would see that in traces: gives it its own name. */
function withOwnNames(code: string): string {
  const names = [...code.matchAll(/^var (\w+) = class _\1\b/gm)].map((match) => match[1]!)
  return names.reduce((text, name) => text.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name), code)
}

if (process.argv[1] === import.meta.filename) {
  const root = resolve(import.meta.dirname, '..')
  await compile(root, join(root, 'dist'))
}
