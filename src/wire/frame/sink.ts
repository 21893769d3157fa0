/**
 * What the frame decoder tells: one plain call a frame (DATA: one a piece), with numbers and offsets.
 *
 * Calls come in wire order, from inside `FrameDecoder.push`. Each frame told has passed every rule that can
 * be checked without knowing the state of streams: lengths, stream identifiers zero or not, padding, the
 * order of CONTINUATION, values of settings. What depends on state, role or flow control is left to the sink.
 *
 * During a call the decoder's `type`, `flags`, `streamId`, `length` and `offset` describe the frame. A sink may
 * call `FrameDecoder.stop`, set `maxFrameSize` and throw; it must not call `push`.
 *
 * Octets: the `chunk` of DATA is always the one given to `push` and may be kept. The `chunk` of every other
 * call may be the decoder's scratch buffer and is valid during the call only.
 */
import type { WireError } from '../wire-error.ts'

/** Receives decoded frames; extend {@link FrameSinkBase} to hear only some of them. */
export interface FrameSink {
  /**
   * A DATA frame begins (RFC 9113 §6.1). Its payload follows by {@link FrameSink.onDataPiece}.
   *
   * @param sizeOctets what the frame takes from both flow-control windows: the whole payload, padding and its
   *   length field included (RFC 9113 §6.9.1)
   * @param paddingOctets the part of `sizeOctets` that no piece will carry: 0, or 1 + Pad Length
   * @param endStream the END_STREAM flag; the stream ends only with the last piece
   */
  onDataStart(streamId: number, sizeOctets: number, paddingOctets: number, endStream: boolean): void
  /**
   * Octets `start` to `end` of `chunk` are the next part of the current DATA frame's data.
   *
   * Never empty, except as the last call of a frame with END_STREAM whose data are empty or already told.
   *
   * @param endStream true with the last call of a frame that has END_STREAM, once all its octets have arrived
   */
  onDataPiece(streamId: number, chunk: Uint8Array, start: number, end: number, endStream: boolean): void
  /**
   * A HEADERS frame (RFC 9113 §6.2): octets `start` to `end` of `chunk` are its field block fragment, perhaps
   * empty. Without `endHeaders` only CONTINUATION on the same stream follows.
   */
  onHeaders(
    streamId: number,
    endStream: boolean,
    endHeaders: boolean,
    chunk: Uint8Array,
    start: number,
    end: number,
  ): void
  /** The priority fields of a HEADERS frame; called just before its `onHeaders`. As {@link FrameSink.onPriority}. */
  onHeadersPriority(streamId: number, dependency: number, weight: number, exclusive: boolean): void
  /** A CONTINUATION frame (RFC 9113 §6.10): the next fragment of the field block that was begun. */
  onContinuation(streamId: number, endHeaders: boolean, chunk: Uint8Array, start: number, end: number): void
  /**
   * A PRIORITY frame (RFC 9113 §6.3, deprecated).
   *
   * @param dependency stream identifier, 0 for the root
   * @param weight 1 to 256 (the octet on the wire plus one)
   */
  onPriority(streamId: number, dependency: number, weight: number, exclusive: boolean): void
  /** A RST_STREAM frame (RFC 9113 §6.4); `code` is any 32-bit value. */
  onRstStream(streamId: number, code: number): void
  /**
   * One entry of a SETTINGS frame (RFC 9113 §6.5.1), in wire order, known or not; a repeated identifier is told
   * again. All entries of the frame have been checked before the first is told.
   */
  onSetting(identifier: number, value: number): void
  /** A SETTINGS frame without ACK is complete, with `count` entries told: it is to be applied and acknowledged. */
  onSettings(count: number): void
  /** A SETTINGS frame with ACK (RFC 9113 §6.5.3). */
  onSettingsAck(): void
  /**
   * A PUSH_PROMISE frame (RFC 9113 §6.6) with its field block fragment, perhaps empty; as {@link FrameSink.onHeaders}.
   *
   * @param promisedStreamId even and not 0
   */
  onPushPromise(
    streamId: number,
    promisedStreamId: number,
    endHeaders: boolean,
    chunk: Uint8Array,
    start: number,
    end: number,
  ): void
  /** A PING frame (RFC 9113 §6.7): its opaque data are the 8 octets of `chunk` from `start`. */
  onPing(ack: boolean, chunk: Uint8Array, start: number): void
  /** A GOAWAY frame (RFC 9113 §6.8): octets `start` to `end` of `chunk` are its Additional Debug Data. */
  onGoaway(lastStreamId: number, code: number, chunk: Uint8Array, start: number, end: number): void
  /** A WINDOW_UPDATE frame (RFC 9113 §6.9), `increment` 1 to 2^31 - 1; `streamId` 0 is the connection's window. */
  onWindowUpdate(streamId: number, increment: number): void
  /**
   * An ALTSVC frame (RFC 7838 §4): Origin is `originStart` to `valueStart` of `chunk`, Alt-Svc-Field-Value goes from
   * there to `end`.
   */
  onAltsvc(streamId: number, chunk: Uint8Array, originStart: number, valueStart: number, end: number): void
  /** An ORIGIN frame (RFC 8336 §2): `start` to `end` of `chunk` are its checked entries, for `readOrigins`. */
  onOrigin(chunk: Uint8Array, start: number, end: number): void
  /** A PRIORITY_UPDATE frame (RFC 9218 §7.1): `start` to `end` of `chunk` is the ASCII Priority Field Value. */
  onPriorityUpdate(prioritizedStreamId: number, chunk: Uint8Array, start: number, end: number): void
  /**
   * A frame to be ignored (RFC 9113 §4.1, §5.5): of unknown type, or an ALTSVC or ORIGIN frame that is not valid. Octets `start` to `end` of `chunk` are its payload.
   */
  onIgnored(
    type: number,
    flags: number,
    streamId: number,
    chunk: Uint8Array,
    start: number,
    end: number,
  ): void
  /**
   * A frame broke a rule that ends only its stream: answer with RST_STREAM of `error.code` on `error.streamId`
   * (RFC 9113 §5.4.2), or end the connection if that stream is idle (RFC 9113 §6.4). Decoding goes on. The frame itself is not told, but a HEADERS frame whose priority fields
   * broke a rule is told right after, because its field block belongs to the connection (RFC 9113 §4.3).
   */
  onStreamError(error: WireError): void
}

/** A {@link FrameSink} that hears nothing: extend it and override what you want to hear. */
export class FrameSinkBase implements FrameSink {
  onDataStart(_streamId: number, _sizeOctets: number, _paddingOctets: number, _endStream: boolean): void {}
  onDataPiece(
    _streamId: number,
    _chunk: Uint8Array,
    _start: number,
    _end: number,
    _endStream: boolean,
  ): void {}
  onHeaders(
    _streamId: number,
    _endStream: boolean,
    _endHeaders: boolean,
    _chunk: Uint8Array,
    _start: number,
    _end: number,
  ): void {}
  onHeadersPriority(_streamId: number, _dependency: number, _weight: number, _exclusive: boolean): void {}
  onContinuation(
    _streamId: number,
    _endHeaders: boolean,
    _chunk: Uint8Array,
    _start: number,
    _end: number,
  ): void {}
  onPriority(_streamId: number, _dependency: number, _weight: number, _exclusive: boolean): void {}
  onRstStream(_streamId: number, _code: number): void {}
  onSetting(_identifier: number, _value: number): void {}
  onSettings(_count: number): void {}
  onSettingsAck(): void {}
  onPushPromise(
    _streamId: number,
    _promisedStreamId: number,
    _endHeaders: boolean,
    _chunk: Uint8Array,
    _start: number,
    _end: number,
  ): void {}
  onPing(_ack: boolean, _chunk: Uint8Array, _start: number): void {}
  onGoaway(_lastStreamId: number, _code: number, _chunk: Uint8Array, _start: number, _end: number): void {}
  onWindowUpdate(_streamId: number, _increment: number): void {}
  onAltsvc(
    _streamId: number,
    _chunk: Uint8Array,
    _originStart: number,
    _valueStart: number,
    _end: number,
  ): void {}
  onOrigin(_chunk: Uint8Array, _start: number, _end: number): void {}
  onPriorityUpdate(_prioritizedStreamId: number, _chunk: Uint8Array, _start: number, _end: number): void {}
  onIgnored(
    _type: number,
    _flags: number,
    _streamId: number,
    _chunk: Uint8Array,
    _start: number,
    _end: number,
  ): void {}
  onStreamError(_error: WireError): void {}
}
