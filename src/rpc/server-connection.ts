/** One connection of a server: takes its requests to the server, and its end. */
import type { ConnectionError } from '../http2/errors.ts'
import type {
  ConnectionListener,
  Fields,
  Http2Connection,
  Http2Stream,
  StreamListener,
} from '../http2/transport.ts'

/** What a connection needs of its server. */
export interface ServerConnectionHost {
  accept(stream: Http2Stream, fields: Fields): StreamListener
  connectionClosed(connection: Http2Connection, error: ConnectionError | undefined): void
}

/** The listener of one connection; idle ones are many, so it has no closures. */
export class ServerConnection implements ConnectionListener {
  private readonly host: ServerConnectionHost
  private readonly connection: Http2Connection
  private opened = false

  constructor(host: ServerConnectionHost, connection: Http2Connection) {
    this.host = host
    this.connection = connection
  }

  onOpen(): void {
    this.opened = true
  }

  onStream(stream: Http2Stream, fields: Fields): StreamListener {
    return this.host.accept(stream, fields)
  }

  onGoaway(): void {}

  onClose(error?: ConnectionError): void {
    // A failure before the opening is told by onFailure.
    this.host.connectionClosed(this.connection, this.opened ? error : undefined)
  }
}
