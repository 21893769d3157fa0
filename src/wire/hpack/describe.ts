/** One readable line for each step of a field block, for traces, inspectors and test failures. */
import { quoteText } from '../protobuf/text.ts'
import type { HpackField, HpackInstruction, Representation } from './representation.ts'

/** What {@link describeField} shows. */
export interface DescribeFieldOptions {
  /** True to show values that must never be indexed: they are secrets, so by default only their length is shown. */
  showSensitive?: boolean | undefined
}

/** Longer names and values are cut. */
const MAX_TEXT_CHARACTERS = 120

const wordsOf: Readonly<Record<Representation, string>> = {
  indexed: 'indexed',
  'literal-incremental-indexing': 'incremental indexing',
  'literal-without-indexing': 'without indexing',
  'literal-never-indexed': 'never indexed',
}

/**
 * Describes a field of an inspected block with its representation, or a dynamic table size update.
 *
 * @example
 * const block = new HpackDecoder().inspect(Uint8Array.of(0x82))
 * describeField(block.instructions[0]) // ':method: "GET", indexed 2, 1 octet'
 */
export function describeField(instruction: HpackInstruction, options: DescribeFieldOptions = {}): string {
  const size = octets(instruction.end - instruction.start)
  if (instruction.kind === 'size-update') {
    return `dynamic table size update to ${octets(instruction.maxSizeOctets)}, ${size}`
  }
  const { representation, value } = instruction
  const hidden = representation === 'literal-never-indexed' && options.showSensitive !== true
  const shown = hidden ? `<${octets(value.length)} not shown>` : quote(value)
  return `${nameOf(instruction.name)}: ${shown}, ${wordsOf[representation]}${detailsOf(instruction)}, ${size}`
}

/** Where name and value are: ` 2`, ` (name 31, value Huffman)`, ` (name Huffman)`. */
function detailsOf({ representation, index, nameHuffman, valueHuffman }: HpackField): string {
  if (representation === 'indexed') return ` ${index}`
  const details: string[] = []
  if (index > 0) details.push(`name ${index}`)
  if (nameHuffman) details.push('name Huffman')
  if (valueHuffman) details.push('value Huffman')
  return details.length === 0 ? '' : ` (${details.join(', ')})`
}

/** A name of HTTP as it is (RFC 9110 §5.1, RFC 9113 §8.3), any other quoted. */
function nameOf(name: string): string {
  return /^:?[\w!#$%&'*+.^`|~-]{1,120}$/.test(name) ? name : quote(name)
}

function quote(text: string): string {
  return text.length > MAX_TEXT_CHARACTERS
    ? `${quoteText(text.slice(0, MAX_TEXT_CHARACTERS))}…`
    : quoteText(text)
}

function octets(count: number): string {
  return count === 1 ? '1 octet' : `${count} octets`
}
