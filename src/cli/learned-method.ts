/** The method that a command is to call: from .proto files, from those of this package, or from the server itself. */
import type { CallOptions } from '../rpc/call-options.ts'
import type { Channel } from '../rpc/channel.ts'
import { findService } from '../rpc/messages/find-declaration.ts'
import { reflectSchema } from './reflected-schema.ts'
import { findMethod, loadSchema, type SchemaMethod, splitMethodName } from './schema.ts'

/**
 * Finds a method.
 *
 * @param name as it is typed: `package.Service/Method`
 * @param files .proto files that declare the service, and folders of their imports; with files, nobody is asked
 * @param open opens the channel on which the server is asked; only called if it has to be
 * @param options of the conversation with the server
 * @throws CommandError if it is not found, StatusError if the server can't be asked
 */
export async function learnMethod(
  name: string,
  files: { proto?: readonly string[] | undefined; include?: readonly string[] | undefined },
  open: () => Channel,
  options: CallOptions,
): Promise<SchemaMethod> {
  const { service, method } = splitMethodName(name)
  const schema = await loadSchema(files.proto, files.include)
  if (files.proto !== undefined || findService(schema, service) !== undefined) {
    return findMethod(schema, service, method)
  }
  return findMethod(await reflectSchema(open(), service, options), service, method)
}
