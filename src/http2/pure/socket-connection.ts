/**
 * A connection of the `pure` engine on a socket, or on any Duplex: the shell that moves octets and keeps time.
 *
 * One turn of the event loop is one write: what the application sends is gathered until `setImmediate`, what
 * answers a chunk leaves with it. A socket that does not take our octets gets no more, and one whose peer makes
 * us hold too many is not read from.
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { ConnectionError, ConnectionPhase } from '../errors.ts'
import type { SocketPeer } from '../peer.ts'
import type { CoreOptions } from './options.ts'
import { PureConnection } from './pure-connection.ts'

/** Up to this size what a TLS socket or Duplex gets is copied, so that the pooled buffer is free again, in octets. */
const COPY_OCTETS = 16_384

/** Where a socket has its connection, for its listeners. */
const OWNER = Symbol('connection')
type OwnedSocket = Duplex & { [OWNER]: SocketConnection }

/** A connection on a socket or Duplex. */
export class SocketConnection extends PureConnection {
  readonly peer: SocketPeer
  #socket: Duplex
  /** A plain TCP or Unix socket whose writes are done when nothing is queued, so that buffers can be reused. */
  #direct = false
  #attached = false
  #scheduled = false
  /** Octets have been handed to the socket that it could not take; its `drain` event follows. */
  #blocked = false
  #paused = false
  #ended = false
  #gone = false
  #cause: Error | undefined = undefined
  #timer: NodeJS.Timeout | undefined = undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #lingerTimer: NodeJS.Timeout | undefined = undefined
  #referenced = true
  #diagnose: (() => Promise<string | undefined>) | undefined = undefined
  #heard = false
  readonly #lingerTimeoutMs: number
  readonly #maxUnsentOctets: number
  readonly #onGone: (connection: SocketConnection, error: ConnectionError | undefined) => void
  readonly #flush = () => {
    this.#scheduled = false
    this.flush()
  }

  /** @param onGone called once, just before the listener's `onClose` */
  constructor(
    role: 'client' | 'server',
    socket: Duplex,
    peer: SocketPeer,
    options: CoreOptions,
    onGone: (connection: SocketConnection, error: ConnectionError | undefined) => void = () => {},
  ) {
    super(role, options, peer.address)
    this.#socket = socket
    this.peer = peer
    this.#lingerTimeoutMs = options.lingerTimeoutMs
    this.#maxUnsentOctets = options.maxUnsentOctets
    this.#onGone = onGone
    this.#arm()
  }

  // ---- the way to a socket that speaks HTTP/2 ----

  get phase(): ConnectionPhase {
    return this.core.life.phase
  }

  set phase(phase: ConnectionPhase) {
    this.core.life.phase = phase
  }

  /** Another socket has taken the place of the first one (TLS). */
  replaceSocket(socket: Duplex): void {
    this.#socket = socket
    if (!this.#referenced) this.unref()
  }

  /**
   * The socket is ready for HTTP/2.
   *
   * @param diagnose asked for words when the peer closes without having said anything
   */
  start(diagnose?: () => Promise<string | undefined>): void {
    const socket = this.#socket
    if (this.core.finished) return
    this.#attached = true
    this.#diagnose = diagnose
    this.#direct = socket instanceof Socket && !(socket instanceof TLSSocket)
    const owned = socket as OwnedSocket
    owned[OWNER] = this
    socket.on('data', onData)
    socket.on('end', onEnd)
    socket.on('finish', onFinish)
    socket.on('drain', onDrain)
    socket.on('error', onError)
    socket.on('close', onClose)
    this.core.start(performance.now())
    if (socket.destroyed) this.#onClose()
  }

  /** Ends the connection with an error of whatever phase it is in. */
  fail(error: ConnectionError): void {
    this.core.life.fail(error)
    this.wake()
  }

  // ---- turns ----

  /** The core has something to send or to tell: one turn follows, however often it asks. */
  wake(): void {
    this.core.context.nowMs = performance.now()
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#flush)
  }

  /** For the socket's listeners, as those that follow. */
  socketData(chunk: Buffer): void {
    this.#heard = true
    this.core.receive(chunk, performance.now())
    this.flush()
  }

  socketEnd(): void {
    if (this.#wantsDiagnosis()) return
    this.core.receiveEnd(performance.now())
    this.flush()
    this.#closeIfDone()
  }

  socketFinish(): void {
    this.#closeIfDone()
  }

  socketError(cause: Error): void {
    this.#cause ??= cause
  }

  socketClose(): void {
    this.#onClose()
  }

  socketDrain(): void {
    this.#blocked = false
    // Not at once: a socket that always drains would keep everything else from its turn.
    if (this.core.hasOutput || this.core.hasMore) this.wake()
    else this.#resume()
  }

  /** Gives the core its turn and sends what it has. */
  flush(): void {
    const { core } = this
    if (this.#gone) {
      core.tellEnd()
      return
    }
    core.turn()
    if (this.#attached && (!this.#blocked || core.finished)) this.#write()
    if (core.finished) this.#finish()
    else {
      this.#arm()
      if (!this.#blocked) this.#resume()
      else if (!this.#paused) this.#pauseIfFull()
    }
  }

  #write(): void {
    const { core } = this
    const { output } = core.context
    if (output.sizeOctets === 0) {
      if (output.isOpen) output.release(true)
      return
    }
    const socket = this.#socket
    let parts = core.takeOutput()
    let reusable = !socket.writable
    if (socket.writable) {
      // Other streams than plain sockets may keep what they get: small parts are copied, so that the buffer can
      // be used again at once.
      if (!this.#direct && output.writer.length <= COPY_OCTETS) {
        parts = parts.map((part) => (output.owns(part) ? Buffer.from(part) : part))
        reusable = true
      }
      this.#hand(parts)
      // Nothing queued: the kernel has it all.
      reusable ||= this.#direct && socket.writableLength === 0
      this.#blocked = socket.writableNeedDrain
    }
    core.outputTaken(reusable)
    if (!this.#blocked && core.hasMore) this.wake()
  }

  #hand(parts: readonly Uint8Array[]): void {
    const socket = this.#socket
    if (parts.length === 1) {
      socket.write(parts[0])
      return
    }
    socket.cork()
    for (const part of parts) socket.write(part)
    socket.uncork()
  }

  #pauseIfFull(): void {
    const unsent = this.#socket.writableLength + this.core.context.output.sizeOctets
    if (unsent <= this.#maxUnsentOctets) return
    this.#paused = true
    this.#socket.pause()
  }

  #resume(): void {
    if (!this.#paused || this.#ended) return
    this.#paused = false
    this.#socket.resume()
  }

  // ---- time ----

  /** Keeps one timer, set to the earliest deadline; a deadline that moved later is found when it fires. */
  #arm(): void {
    const at = this.core.nextTimeoutMs()
    if (at >= this.#timerAtMs) return
    clearTimeout(this.#timer)
    this.#timerAtMs = at
    const delay = Math.min(Math.max(at - performance.now(), 0) + 1, 0x7fffffff)
    this.#timer = setTimeout(() => this.#onTimer(), delay)
    // The socket keeps the process alive, not its time limits.
    this.#timer.unref()
  }

  #onTimer(): void {
    this.#timer = undefined
    this.#timerAtMs = Number.POSITIVE_INFINITY
    this.core.handleTimeout(performance.now())
    this.flush()
  }

  // ---- the end ----

  /** The core is done: the last octets leave, then the socket closes, at the latest after the linger time. */
  #finish(): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    const socket = this.#socket
    if (!this.#attached) {
      socket.on('error', ignore)
      socket.destroy()
      setImmediate(() => this.#onClose())
      return
    }
    // What the peer still sends is read and dropped: closing a socket with unread octets would reset it, and
    // the peer might never see our GOAWAY.
    socket.resume()
    if (socket.writable) socket.end()
    this.#lingerTimer = setTimeout(() => socket.destroy(), this.#lingerTimeoutMs)
    if (!this.#referenced) this.#lingerTimer.unref()
    this.#closeIfDone()
  }

  /** Both sides have ended and our last octets have left: a Duplex might not close by itself. */
  #closeIfDone(): void {
    const socket = this.#socket
    if (this.#ended && socket.readableEnded && socket.writableFinished) socket.destroy()
  }

  /** A client whose peer closed without a word, before any failure: perhaps it waited for TLS. */
  #wantsDiagnosis(): boolean {
    return this.#diagnose !== undefined && !this.#heard && !this.core.finished
  }

  #onClose(): void {
    if (this.#gone) return
    if (this.#wantsDiagnosis()) {
      const diagnose = this.#diagnose!
      this.#diagnose = undefined
      const told = (words?: string) => {
        if (words !== undefined) this.core.life.fail(this.core.life.error(words, { initiator: 'peer' }))
        this.#onClose()
      }
      diagnose().then(told, () => told())
      return
    }
    this.#gone = true
    clearTimeout(this.#timer)
    clearTimeout(this.#lingerTimer)
    const { core } = this
    core.takeOutput()
    core.outputTaken(false)
    core.socketClosed(performance.now(), this.#cause)
    this.#onGone(this, core.life.failure)
    core.tellEnd()
  }

  ref(): void {
    this.#referenced = true
    ;(this.#socket as { ref?(): void }).ref?.()
  }

  unref(): void {
    this.#referenced = false
    ;(this.#socket as { unref?(): void }).unref?.()
  }
}

function ignore(): void {}

// Listeners of all sockets: six closures each would be a twentieth of what an idle connection takes.

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER].socketData(chunk)
}

function onEnd(this: OwnedSocket): void {
  this[OWNER].socketEnd()
}

function onFinish(this: OwnedSocket): void {
  this[OWNER].socketFinish()
}

function onDrain(this: OwnedSocket): void {
  this[OWNER].socketDrain()
}

function onError(this: OwnedSocket, cause: Error): void {
  this[OWNER].socketError(cause)
}

function onClose(this: OwnedSocket): void {
  this[OWNER].socketClose()
}
