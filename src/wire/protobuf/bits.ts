/** Floating-point numbers from and to their bits (Protobuf Encoding, "Non-varint Numbers"). */

const view = new DataView(new ArrayBuffer(8))

/** The `float` whose bits are an unsigned 32-bit number. */
export function floatFromBits(bits: number): number {
  view.setUint32(0, bits)
  return view.getFloat32(0)
}

/** The bits of a `float`, as an unsigned 32-bit number. */
export function floatToBits(value: number): number {
  view.setFloat32(0, value)
  return view.getUint32(0)
}

/** The `double` whose bits are two unsigned 32-bit halves. */
export function doubleFromBits(low: number, high: number): number {
  view.setUint32(0, high)
  view.setUint32(4, low)
  return view.getFloat64(0)
}

/** The high half of a `double`'s bits, as an unsigned 32-bit number. */
export function doubleHighBits(value: number): number {
  view.setFloat64(0, value)
  return view.getUint32(0)
}

/** The low half of a `double`'s bits, as an unsigned 32-bit number. */
export function doubleLowBits(value: number): number {
  view.setFloat64(0, value)
  return view.getUint32(4)
}
