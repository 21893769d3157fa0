/** Version of this package, as in package.json (a test compares them) and in `user-agent`. */
export const VERSION = '0.1.0'
