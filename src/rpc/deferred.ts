/** A promise with its handles outside, for values that are only promised once somebody asks. */
export class Deferred<T> {
  readonly promise: Promise<T>
  resolve!: (value: T) => void
  reject!: (reason: unknown) => void

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}

const ignore = (): void => {}

/** Marks a promise as looked after, so that a caller who drops it is not punished by `unhandledRejection`. */
export function looked<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore)
  return promise
}
