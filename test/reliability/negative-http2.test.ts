/**
 * The eight negative HTTP/2 cases of gRPC's interop tests (grpc/tools/http2_interop): a raw server misbehaves within
 * the rules, and our client must end each call as it should.
 */
import t, { type Test } from 'tap'
import { connect } from '../../src/rpc/index.ts'
import { ENGINES, rejection } from '../rpc/support/pair.ts'
import { Text } from '../rpc/support/text-service.ts'
import {
  ACK,
  dataFrame,
  frame,
  goawayFrame,
  greetAsServer,
  headersFrame,
  type RawPeer,
  RawServer,
  rstFrame,
  Type,
} from '../support/raw-http2.ts'

const HEADERS = [':status', '200', 'content-type', 'application/grpc']
const TEXT = 'x'.repeat(2000)
const BODY = ((): Buffer => {
  const json = Buffer.from(JSON.stringify({ text: TEXT }))
  const octets = Buffer.alloc(5 + json.length)
  octets.writeUInt32BE(json.length, 1)
  json.copy(octets, 5)
  return octets
})()
const NO_ERROR = 0

/** DATA with `paddingOctets` of padding. */
function padded(streamId: number, piece: Uint8Array, paddingOctets: number): Buffer {
  return frame(
    Type.DATA,
    0x8,
    streamId,
    Buffer.concat([Buffer.from([paddingOctets]), piece, Buffer.alloc(paddingOctets)]),
  )
}

function answer(streamId: number): Buffer {
  return Buffer.concat([
    headersFrame(streamId, false, ...HEADERS),
    dataFrame(streamId, false, BODY),
    headersFrame(streamId, true, 'grpc-status', '0'),
  ])
}

type OnRequest = (peer: RawPeer, streamId: number, connection: number) => void

/** A client of a raw server that does `onRequest` for each request. */
async function facing(
  t: Test,
  engine: 'node' | 'pure',
  onRequest: OnRequest,
  settings: [number, number][] = [],
) {
  let connections = 0
  const server = await RawServer.start((peer) => {
    const connection = ++connections
    void greetAsServer(peer, ...settings)
    let told = 0
    const look = (): void => {
      const requests = peer.frames.filter(({ type }) => type === Type.HEADERS)
      while (told < requests.length) onRequest(peer, requests[told++]!.streamId, connection)
    }
    peer.socket.on('data', look)
  })
  const channel = connect(`127.0.0.1:${server.address.port}`, { engine, initialBackoffMs: 20 })
  t.teardown(async () => {
    await channel.close({ graceMs: 0 })
    await server.close()
  })
  return { client: channel.client(Text), connections: () => connections, server }
}

const DEADLINE = { deadline: 5000 }

for (const engine of ENGINES) {
  t.test(`${engine}: goaway: the call that runs is finished, the next takes a new connection`, async (t) => {
    const { client, connections } = await facing(t, engine, (peer, id, connection) => {
      peer.write(...(connection === 1 ? [goawayFrame(id, NO_ERROR)] : []), answer(id))
    })
    t.equal((await client.one({}, DEADLINE)).text, TEXT)
    t.equal((await client.one({}, DEADLINE)).text, TEXT)
    t.equal(connections(), 2)
  })

  for (const [name, frames] of [
    ['rst_after_header', (id: number) => [headersFrame(id, false, ...HEADERS)]],
    [
      'rst_during_data',
      (id: number) => [headersFrame(id, false, ...HEADERS), dataFrame(id, false, BODY.subarray(0, 1000))],
    ],
    ['rst_after_data', (id: number) => [headersFrame(id, false, ...HEADERS), dataFrame(id, false, BODY)]],
  ] as const) {
    t.test(`${engine}: ${name}: the call ends with an error, not with half an answer`, async (t) => {
      const { client } = await facing(t, engine, (peer, id) =>
        peer.write(...frames(id), rstFrame(id, NO_ERROR)),
      )
      t.match(await rejection(client.one({}, DEADLINE)), { code: 13 })
    })
  }

  t.test(
    `${engine}: ping: each is acknowledged, before, between and after the frames of an answer`,
    async (t) => {
      const ping = (n: number): Buffer => frame(Type.PING, 0, 0, Buffer.alloc(8, n))
      const { client, server } = await facing(t, engine, (peer, id) => {
        peer.write(ping(1), headersFrame(id, false, ...HEADERS), ping(2), dataFrame(id, false, BODY), ping(3))
        peer.write(headersFrame(id, true, 'grpc-status', '0'), ping(4))
      })
      t.equal((await client.one({}, DEADLINE)).text, TEXT)
      const peer = server.peers[0]!
      const acknowledged = (): number =>
        peer.frames.filter(
          ({ type, flags, payload }) =>
            type === Type.PING && flags === ACK && payload[0]! <= 4 && payload[0]! > 0,
        ).length
      await peer.until(() => (acknowledged() >= 4 ? true : undefined))
      t.pass('four acknowledgements')
    },
  )

  t.test(`${engine}: max_streams: of many calls only one runs at a time`, async (t) => {
    let open = 0
    let most = 0
    const { client } = await facing(
      t,
      engine,
      (peer, id) => {
        most = Math.max(most, ++open)
        setTimeout(() => {
          open--
          peer.write(answer(id))
        }, 2)
      },
      [[3, 1]],
    )
    await client.one({}, DEADLINE)
    const answers = await Promise.all(Array.from({ length: 15 }, () => client.one({}, DEADLINE)))
    t.equal(answers.filter(({ text }) => text === TEXT).length, 15)
    t.equal(most, 1)
  })

  for (const [name, paddingOctets] of [
    ['data_frame_padding', 250],
    ['no_df_padding_sanity_test', -1],
  ] as const) {
    t.test(`${engine}: ${name}: messages in pieces of 5 octets`, async (t) => {
      const { client } = await facing(t, engine, (peer, id) => {
        const pieces: Buffer[] = [headersFrame(id, false, ...HEADERS)]
        for (let at = 0; at < BODY.length; at += 5) {
          const piece = BODY.subarray(at, at + 5)
          pieces.push(paddingOctets < 0 ? dataFrame(id, false, piece) : padded(id, piece, paddingOctets))
        }
        peer.write(...pieces, headersFrame(id, true, 'grpc-status', '0'))
      })
      for (let i = 0; i < 20; i++) t.equal((await client.one({}, DEADLINE)).text, TEXT)
    })
  }
}
