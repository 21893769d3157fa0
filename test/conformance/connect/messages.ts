/**
 * What both adapters share: connectconformance's messages, read at run time from the module's .proto files (folder
 * in CONFORMANCE_PROTOS), their framing on standard input and output, and headers between its form and ours.
 */
import { loadProtoSync, type MessageType, Metadata, type Service } from '../../../src/index.ts'

/** A header or trailer with all its values; those of `-bin` names are base64. */
export interface Header {
  name: string
  value: string[]
}
/** An error of a call. */
export interface ErrorMessage {
  code: number | string
  message?: string
  details: { typeUrl: string; value: Uint8Array }[]
}

const folder = process.env.CONFORMANCE_PROTOS
if (folder === undefined) throw new Error('CONFORMANCE_PROTOS names no folder of .proto files')
const files = ['client_compat', 'server_compat', 'service'].map(
  (name) => `connectrpc/conformance/v1/${name}.proto`,
)

/** The package connectrpc.conformance.v1: message types and ConformanceService by name. */
const conformance: Record<string, MessageType> & { ConformanceService: Service } = loadProtoSync(files, {
  includeDirs: [folder],
  enums: 'number',
}).connectrpc.conformance.v1

/** The service under test. */
export const service = conformance.ConformanceService

/** A message type of the package. @throws Error if there is none of that name */
export function messageType(name: string): MessageType {
  const type = conformance[name]
  if (type === undefined) throw new Error(`connectrpc.conformance.v1.${name} does not exist`)
  return type
}

/** Metadata from headers. */
export function toMetadata(headers: readonly Header[]): Metadata {
  const metadata = new Metadata()
  for (const { name, value } of headers) {
    for (const text of value)
      metadata.merge({ [name]: name.endsWith('-bin') ? Buffer.from(text, 'base64') : text })
  }
  return metadata
}

/** Headers from metadata. */
export function toHeaders(metadata: Metadata): Header[] {
  const headers = new Map<string, Header>()
  for (const [name, value] of metadata) {
    const header = headers.get(name) ?? { name, value: [] }
    header.value.push(
      typeof value === 'string' ? value : Buffer.from(value).toString('base64').replace(/=+$/, ''),
    )
    headers.set(name, header)
  }
  return [...headers.values()]
}

/** Reads messages from standard input: each is preceded by its length in four octets, big-endian. */
export async function* readMessages(): AsyncGenerator<Uint8Array> {
  let pending = Buffer.alloc(0)
  for await (const chunk of process.stdin) {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const end = 4 + pending.readUInt32BE(0)
      yield pending.subarray(4, end)
      pending = pending.subarray(end)
    }
  }
  if (pending.length > 0) throw new Error('standard input ends inside of a message')
}

/** Writes a message to standard output, preceded by its length. */
export function writeMessage(octets: Uint8Array): void {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(octets.length)
  process.stdout.write(Buffer.concat([length, octets]))
}
