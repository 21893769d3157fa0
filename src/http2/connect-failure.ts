/** Why a socket could not be connected, in words, by the error code of the operating system. */

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; nothing listens there',
  ENOENT: 'no such socket file',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name could not be looked up',
  ETIMEDOUT: 'the host did not answer',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  EACCES: 'permission denied',
  ECONNRESET: 'the peer reset the connection',
}

/** The words for an error of `net.connect`; several addresses of one name fail as one AggregateError. */
export function connectFailureWords(error: NodeJS.ErrnoException): string {
  const code = error.code ?? ''
  const words = WORDS[code] ?? error.message
  return code === '' ? words : `${words} (${code})`
}
