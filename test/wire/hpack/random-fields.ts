/** Random field lists and traffic for property tests of HPACK. */
import type { Random } from '../protobuf/random.ts'

const names = [
  ...[':method', ':path', ':status', ':authority', 'te', 'content-type', 'user-agent', 'date', 'accept'],
  ...['authorization', 'cookie', 'set-cookie', 'grpc-timeout', 'traceparent', 'grpc-status', 'grpc-message'],
  ...['x-a', 'x-b', 'x-custom-metadata', 'X-Upper', '', 'x-bin', 'a'.repeat(70)],
]
const values = [
  ...['', 'GET', 'POST', '/', '200', '404', 'trailers', 'application/grpc+proto', '0', '500m'],
  ...['Bearer 4ZkM0bQ8wN1rT6yUe3XpLs7VhJ2cGd5F', 'a=1; b=2; c=3', 'grüße', 'x'.repeat(100), 'y'.repeat(1500)],
]

/** A list of fields: names and values that come again, and some that do not. */
export function randomFields(random: Random): string[] {
  const fields: string[] = []
  for (let count = random.below(14); count > 0; count--) {
    const name =
      random.below(12) === 0
        ? Buffer.from(random.octets(random.below(20))).toString('latin1')
        : random.pick(names)
    const value =
      random.below(4) === 0
        ? Buffer.from(random.octets(random.below(60))).toString('latin1')
        : random.pick(values)
    fields.push(name, value)
  }
  return fields
}

/** Some of the fields of a list, counted from 0, in order. */
export function randomOrdinals(random: Random, fields: readonly string[]): number[] {
  const ordinals: number[] = []
  for (let i = 0; i < fields.length / 2; i++) if (random.below(5) === 0) ordinals.push(i)
  return ordinals
}
