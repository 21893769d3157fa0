/** Octets that are no message of hostile.Target, each with its method and what must be said about it. */

/** One payload. */
export interface HostilePayload {
  readonly name: string
  /** Method of hostile.Target. */
  readonly method: 'Numbers' | 'Listing' | 'Mapping' | 'Climbing' | 'Nothing'
  readonly octets: Buffer
  readonly says: RegExp
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** A base 128 varint (protobuf encoding guide). */
function varint(value: number): number[] {
  const octets: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 0x80)
  octets.push(rest)
  return octets
}

/** `depth` messages within each other, by the field with that tag. */
export function nested(depth: number, tag = 0x1a): Buffer {
  const heads: number[][] = []
  let size = 0
  for (let i = 0; i < depth; i++) {
    const head = [tag, ...varint(size)]
    heads.push(head)
    size += head.length
  }
  return Buffer.from(heads.reverse().flat())
}

const TOO_DEEP = /max depth exceeded/
const ELEVEN = 'ffffffffffffffffffff01'

/** RELIABILITY 2.4, rows 55 to 58. */
export const HOSTILE_PAYLOADS: readonly HostilePayload[] = [
  { name: '55 nested 101 deep', method: 'Climbing', octets: nested(101), says: TOO_DEEP },
  { name: '55 nested 5,000 deep', method: 'Climbing', octets: nested(5000), says: TOO_DEEP },
  { name: '55 nested 100,000 deep', method: 'Climbing', octets: nested(100_000), says: TOO_DEEP },
  { name: '56 varint of 11 octets', method: 'Numbers', octets: hex(`18 ${ELEVEN}`), says: /invalid varint/ },
  {
    name: '56 64-bit varint of 11 octets',
    method: 'Numbers',
    octets: hex(`20 ${ELEVEN}`),
    says: /invalid varint/,
  },
  {
    name: '56 varint of 11 octets in an unknown field',
    method: 'Nothing',
    octets: hex(`a006 ${ELEVEN}`),
    says: /invalid varint/,
  },
  {
    name: '56 negative length',
    method: 'Numbers',
    octets: hex('72 ffffffffffffffffff01'),
    says: /invalid length/,
  },
  {
    name: '56 length of 4 GiB',
    method: 'Numbers',
    octets: hex('7a ffffffff0f'),
    says: /length|out of range/,
  },
  {
    name: '56 length beyond the message',
    method: 'Numbers',
    octets: hex('72 05 6161'),
    says: /out of range/,
  },
  { name: '56 packed beyond the field', method: 'Listing', octets: hex('0a 02 0180'), says: /out of range/ },
  { name: '56 packed beyond the message', method: 'Listing', octets: hex('0a 7f 01'), says: /out of range/ },
  {
    name: '56 packed fixed64 that is cut',
    method: 'Listing',
    octets: hex('12 07 00000000000000'),
    says: /out of range/,
  },
  {
    name: '56 group that does not end',
    method: 'Numbers',
    octets: hex('a306 0801'),
    says: /out of range/,
  },
  {
    name: '56 end of a group that did not start',
    method: 'Numbers',
    octets: hex('a406'),
    says: /invalid wire type/,
  },
  {
    name: '56 group that ends as another',
    method: 'Numbers',
    octets: hex('a306 ac06'),
    says: /invalid end group/,
  },
  { name: '56 wire type 6', method: 'Numbers', octets: hex('a606'), says: /invalid wire type 6/ },
  { name: '56 wire type 7', method: 'Nothing', octets: hex('a706'), says: /invalid wire type 7/ },
  {
    name: '56 1 MB of group starts',
    method: 'Numbers',
    octets: Buffer.alloc(1_000_000, 0x0b),
    says: TOO_DEEP,
  },
  {
    name: '56 1 MB of group starts for a message without fields',
    method: 'Nothing',
    octets: Buffer.alloc(1_000_000, 0x0b),
    says: TOO_DEEP,
  },
  { name: '57 field number 0', method: 'Numbers', octets: hex('0001'), says: /field number 0/ },
  { name: '57 field number 0, LEN', method: 'Nothing', octets: hex('0200'), says: /field number 0/ },
  { name: '58 text that is no UTF-8', method: 'Numbers', octets: hex('72 02 c328'), says: /not valid UTF-8/ },
  {
    name: '58 a surrogate in UTF-8',
    method: 'Numbers',
    octets: hex('72 03 eda080'),
    says: /not valid UTF-8/,
  },
  {
    name: '58 a map key that is no UTF-8',
    method: 'Mapping',
    octets: hex('0a 05 0a01ff 1200'),
    says: /UTF-8/,
  },
]
