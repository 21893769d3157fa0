/** Files that workers read: the bundle says where the repository is. */
import { join } from 'node:path'

declare const BENCH_ROOT: string
const root = BENCH_ROOT

/** The declarations of all services that are called. */
export const protoFiles = [join(root, 'bench/proto/bench.proto'), join(root, 'proto/helloworld.proto')]
/** The same as a FileDescriptorSet. */
export const descriptorSetFile = join(root, '.cache/bench/bench.binpb')
