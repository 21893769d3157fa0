/**
 * The contract of the seam: everything `src/http2/transport.ts` promises, as tests for any engine, and for any
 * pair of engines.
 */
import type { Test } from 'tap'
import type { Http2Engine } from '../../../src/http2/transport.ts'
import { connections } from './connections.ts'
import { fields } from './fields.ts'
import { flowControl } from './flow-control.ts'
import { frames } from './frames.ts'
import { lifetime } from './lifetime.ts'
import { limits } from './limits.ts'
import { peers } from './peers.ts'
import { reset } from './reset.ts'
import { streams } from './streams.ts'
import { tlsContract } from './tls.ts'

/** Runs the suite with `engine` as client and `peerEngine` as server. */
export async function contract(
  t: Test,
  engine: Http2Engine,
  peerEngine: Http2Engine = engine,
): Promise<void> {
  const engines = { client: engine, server: peerEngine }
  await t.test('streams', (t) => streams(t, engines))
  await t.test('fields', (t) => fields(t, engines))
  await t.test('flow control', (t) => flowControl(t, engines))
  await t.test('reset, exceptions, misuse', (t) => reset(t, engines))
  await t.test('limits', (t) => limits(t, engines))
  await t.test('connections', (t) => connections(t, engines))
  await t.test('tls', (t) => tlsContract(t, engines))
  await t.test('peers that speak something else', (t) => peers(t, engines))
  await t.test('lifetime', (t) => lifetime(t, engines))
  await t.test('frames', (t) => frames(t, engines))
}
