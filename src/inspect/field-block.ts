/** Puts the fragments of one field block together (RFC 9113 §4.3): HEADERS or PUSH_PROMISE, then CONTINUATION. */
import type { ContinuationContent, Frame, HeadersContent, PushPromiseContent } from '../wire/index.ts'
import { FRAME_HEADER_OCTETS } from '../wire/index.ts'

/** A frame that carries a fragment. */
export type FragmentFrame = Frame & (HeadersContent | PushPromiseContent | ContinuationContent)

/** A field block on its way. */
export class FieldBlock {
  /** Of the fragment's first octet, on the connection. */
  readonly offset: number
  /** The stream that the fields are about: of a PUSH_PROMISE the promised one. */
  readonly streamId: number
  readonly promised: boolean
  readonly endStream: boolean
  /** Octets of the fragments so far. */
  sizeOctets = 0
  readonly #fragments: Uint8Array[] = []

  /** @param first the HEADERS or PUSH_PROMISE that begins the block; it still has to be added */
  constructor(first: FragmentFrame) {
    this.promised = first.kind === 'PUSH_PROMISE'
    this.streamId = first.kind === 'PUSH_PROMISE' ? first.promisedStreamId : first.streamId
    this.endStream = first.kind === 'HEADERS' && first.endStream
    const padLength = first.kind === 'CONTINUATION' ? 0 : (first.padLength ?? 0)
    // Before the fragment stands what the payload has besides it and the padding behind it.
    this.offset = first.offset + FRAME_HEADER_OCTETS + first.length - first.fragment.length - padLength
  }

  add(frame: FragmentFrame): void {
    this.sizeOctets += frame.fragment.length
    // Empty ones, of which a peer can send any number, are not kept.
    if (frame.fragment.length > 0) this.#fragments.push(frame.fragment)
  }

  /** All fragments together. */
  octets(): Uint8Array {
    const fragments = this.#fragments
    return fragments.length === 1 ? fragments[0]! : Buffer.concat(fragments)
  }
}
