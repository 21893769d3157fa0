/**
 * Puts the examples into README.md: each block of code below `<!-- file: PATH -->` becomes the text of that file.
 * `node --import=tsx scripts/readme.ts`; a test fails where they differ.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..')

/** The text of README.md with every example as it is now. */
export function withExamples(readme: string): string {
  return readme.replace(
    /<!-- file: (\S+) -->\n\n```ts\n[\s\S]*?```\n/g,
    (_, path: string) =>
      `<!-- file: ${path} -->\n\n\`\`\`ts\n${readFileSync(join(root, path), 'utf8')}\`\`\`\n`,
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const path = join(root, 'README.md')
  writeFileSync(path, withExamples(readFileSync(path, 'utf8')))
}
