/**
 * A set of .proto files on its way into one protobufjs root: which file is wanted next, and where it may be.
 *
 * Reads no file of the application itself: whoever does asks for the next path, and gives its text or says that there is none. The files of
 * google/protobuf come with protobufjs.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve, sep } from 'node:path'
import protobuf from 'protobufjs'
import { type DescribedFile, describeFile } from './file-descriptors.ts'

/** One file that was parsed. */
interface ProtoFile extends DescribedFile {
  readonly imports: string[]
}

/** A file that something asked for, and where it may still be. */
interface Wanted {
  /** As given or imported. */
  readonly asked: string
  /** The file that imports it. */
  readonly importer: ProtoFile | undefined
  readonly candidates: Candidate[]
  readonly tried: string[]
}

interface Candidate {
  readonly path: string
  /** The name it has if it is there. */
  readonly name: string
}

/** protobufjs takes the file's name for its errors here. */
const parser = protobuf.parse as typeof protobuf.parse & { filename: string | null }
const requireFromHere = createRequire(import.meta.url)

/** Parses files as they are read, and knows which are still missing. */
export class ProtoFiles {
  readonly root: protobuf.Root = new protobuf.Root()
  readonly #files = new Map<string, ProtoFile>()
  readonly #declared = new Set<protobuf.ReflectionObject>()
  readonly #includeDirs: readonly string[] | undefined
  readonly #keepCase: boolean
  readonly #wanted: Wanted[] = []
  readonly #nameByPath = new Map<string, string>()

  constructor(paths: readonly string[], includeDirs: readonly string[] | undefined, keepCase: boolean) {
    this.#includeDirs = includeDirs?.map((dir) => resolve(dir))
    this.#keepCase = keepCase
    for (const path of paths) this.#want(path, undefined, undefined)
  }

  /** The path that should be read next, or undefined if every file is here. */
  next(): string | undefined {
    for (let wanted = this.#wanted[0]; wanted !== undefined; wanted = this.#wanted[0]) {
      const path = wanted.candidates[0]?.path
      const known = path === undefined ? undefined : this.#nameByPath.get(path)
      if (known !== undefined) {
        wanted.importer?.imports.push(known)
        this.#wanted.shift()
      } else if (path !== undefined) return path
      else if (this.#takeBuiltIn(wanted)) this.#wanted.shift()
      else throw notFound(wanted)
    }
    return undefined
  }

  /**
   * Takes the text of the path that `next` gave.
   *
   * @param source undefined if there is no such file
   * @throws Error with file name and line if it can't be parsed
   */
  take(source: string | undefined): void {
    const wanted = this.#wanted[0]!
    const candidate = wanted.candidates.shift()!
    wanted.tried.push(candidate.path)
    if (source === undefined) return
    this.#wanted.shift()
    this.#nameByPath.set(candidate.path, candidate.name)
    wanted.importer?.imports.push(candidate.name)
    this.#parse(candidate.name, source, dirname(candidate.path))
  }

  #want(asked: string, importer: ProtoFile | undefined, importerDir: string | undefined): void {
    const candidates: Candidate[] = []
    if (importer === undefined) {
      const path = resolve(asked)
      candidates.push({ path, name: this.#nameOf(path) })
    }
    const dirs = this.#includeDirs ?? (importerDir === undefined ? [] : withParents(importerDir))
    for (const dir of dirs) {
      const path = join(dir, asked)
      candidates.push({ path, name: asked })
    }
    this.#wanted.push({ asked, importer, candidates, tried: [] })
  }

  /** A file given by path is named as an import of it would be: relative to an include directory. */
  #nameOf(path: string): string {
    for (const dir of this.#includeDirs ?? [dirname(path)]) {
      const name = relative(dir, path)
      if (!name.startsWith('..')) return name.split(sep).join('/')
    }
    return path.slice(dirname(path).length + 1)
  }

  #parse(name: string, source: string, dir: string | undefined): void {
    parser.filename = name
    let parsed: protobuf.IParserResult
    try {
      parsed = protobuf.parse(source, this.root, { keepCase: this.#keepCase })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new Error(message.includes(name) ? message : `${message} (${name})`, { cause: error })
    } finally {
      parser.filename = null
    }
    const file = this.#add(name, source, parsed.package ?? '')
    for (const asked of [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])])
      this.#want(asked, file, dir)
  }

  /** Remembers what a file has just declared. */
  #add(name: string, source: string | undefined, packageName: string): ProtoFile {
    const scope = packageName === '' ? this.root : this.root.lookup(packageName)
    const declarations =
      scope instanceof protobuf.Namespace
        ? scope.nestedArray.filter((object) => isDeclaration(object) && !this.#declared.has(object))
        : []
    for (const object of declarations) this.#declared.add(object)
    const file: ProtoFile = { name, imports: [], source, packageName, declarations }
    this.#files.set(name, file)
    return file
  }

  /** The files of google/protobuf that nobody has to bring along. */
  #takeBuiltIn(wanted: Wanted): boolean {
    if (!this.addBuiltIn(wanted.asked)) return false
    wanted.importer?.imports.push(wanted.asked)
    return true
  }

  /** Adds a file of google/protobuf; false if there is none of that name. */
  addBuiltIn(name: string): boolean {
    if (!name.startsWith('google/protobuf/')) return false
    if (this.#files.has(name)) return true
    const common = name === ANY_FILE && !this.#keepCase ? anyInCamelCase : builtInCommon(name)
    if (common !== undefined) {
      this.root.addJSON(common.nested!)
      this.#add(name, undefined, 'google.protobuf')
      return true
    }
    const source = builtInSource(name)
    if (source === undefined) return false
    this.#parse(name, source, undefined)
    return true
  }

  /** What is known of a file; its types must be resolved. */
  describe(name: string): DescribedFile {
    return this.#files.get(name)!
  }

  /** The serialized FileDescriptorProto of the file that declares a service, and of all that it imports. */
  descriptorsOf(service: protobuf.Service): readonly Uint8Array[] {
    const found = new Map<string, Uint8Array>()
    const visit = (file: ProtoFile | undefined): void => {
      if (file === undefined || found.has(file.name)) return
      found.set(file.name, describeFile(file))
      for (const imported of file.imports) visit(this.#files.get(imported))
    }
    visit([...this.#files.values()].find((file) => file.declarations.includes(service)))
    return [...found.values()]
  }
}

/** Everything but a package on the way to another one. */
function isDeclaration(object: protobuf.ReflectionObject): boolean {
  return !(object.constructor === protobuf.Namespace)
}

function withParents(dir: string): string[] {
  const parent = dirname(dir)
  return parent === dir ? [dir] : [dir, ...withParents(parent)]
}

function notFound(wanted: Wanted): Error {
  const by = wanted.importer === undefined ? '' : `, imported by ${wanted.importer.name}`
  const tried = wanted.tried.length === 0 ? 'nowhere to look' : `looked for ${wanted.tried.join(', ')}`
  return new Error(`${wanted.asked}${by}: no such file (${tried}); includeDirs says where imports are`)
}

const ANY_FILE = 'google/protobuf/any.proto'

/** protobufjs describes Any with `type_url`, alone among the names it describes; a field here is in lower camel case. */
const anyInCamelCase = {
  nested: {
    google: {
      nested: {
        protobuf: {
          nested: {
            Any: {
              fields: {
                typeUrl: { type: 'string', id: 1, protoName: 'type_url' },
                value: { type: 'bytes', id: 2 },
              },
            },
          },
        },
      },
    },
  },
} as protobuf.INamespace

/** A file that protobufjs has as a description in JSON. */
function builtInCommon(name: string): protobuf.INamespace | undefined {
  if (name === ANY_FILE) return anyInCamelCase
  const files = protobuf.common as unknown as Record<string, protobuf.INamespace>
  return Object.hasOwn(files, name) ? files[name] : undefined
}

/** A file that comes with protobufjs as text, but is not loaded by it. */
function builtInSource(name: string): string | undefined {
  try {
    return readFileSync(requireFromHere.resolve(`protobufjs/${name}`), 'utf8')
  } catch {
    return undefined
  }
}
