/** Messages out of octets as they are asked for. */
import t from 'tap'
import { MessageInbox } from '../../src/rpc/message-inbox.ts'
import { StatusError } from '../../src/rpc/status-error.ts'
import { Status } from '../../src/wire/grpc/status-codes.ts'

const codec = {
  typeName: 'test.Octets',
  encode: (): Uint8Array => new Uint8Array(5),
  decode: (chunk: Uint8Array, start: number, end: number): string =>
    Buffer.from(chunk).toString('latin1', start, end),
}

/** An inbox for messages of at most 4 octets, and the credit it gave back. */
function inboxOf4(): { inbox: MessageInbox<string>; consumed: () => number } {
  let consumed = 0
  const failure = (error: unknown): StatusError => new StatusError(Status.INTERNAL, String(error))
  const credit = {
    consume: (sizeOctets: number) => {
      consumed += sizeOctets
    },
  }
  return { inbox: new MessageInbox(codec, 4, failure, credit), consumed: () => consumed }
}

t.test('a message that is too large fails those who wait, and not the stream that delivers it', async (t) => {
  const { inbox, consumed } = inboxOf4()
  const first = inbox.next()
  const second = inbox.next()
  const octets = Uint8Array.of(0, 0, 0, 0, 5, 1, 2, 3, 4, 5)
  inbox.push(octets, 0, octets.length)
  await t.rejects(first, { code: Status.RESOURCE_EXHAUSTED })
  await t.rejects(second, { code: Status.RESOURCE_EXHAUSTED })
  t.equal(consumed(), octets.length, 'the credit of all octets is given back')
})

t.test('messages that came before a failure are taken first', async (t) => {
  const { inbox } = inboxOf4()
  const octets = Uint8Array.of(0, 0, 0, 0, 2, 0x61, 0x62)
  inbox.push(octets, 0, octets.length)
  inbox.endWith(new StatusError(Status.NOT_FOUND, 'gone'))
  t.strictSame(await inbox.next(), { value: 'ab', done: false })
  await t.rejects(inbox.next(), { code: Status.NOT_FOUND })
})
