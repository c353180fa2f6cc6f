import './with-resolvers.ts'
import type { Connection, Stream } from '@libp2p/interface'
import type { Clock } from '../clock.ts'
import { encodeFrame, FrameDecoder, type Frame, type FrameType } from './frame.ts'
import { fromJson } from './json.ts'

/** Bytes waiting for a slow peer beyond which a message is not taken: the caller had better know now than queue behind seconds of others. */
export const SEND_BUFFER_LIMIT_BYTES = 256 * 1024
/** After the stream is open, its other end must say hello within this time. */
const HELLO_LIMIT_MS = 3_000
/** A stop waits so long for what is still to be written (a goodbye). */
const FINISH_LIMIT_MS = 500

export interface ChannelEvents {
  /** The other end has taken the stream. */
  onOpen(): void
  onBeat(): void
  onMessage(message: unknown): void
  /** Once. `hostile`: the peer sent what no member of this version sends. */
  onClosed(why: string, hostile: boolean): void
}

/**
 * One kept-open stream and the connection beneath it, which are closed together.
 * It is open when both ends have said hello: opening a stream alone proves nothing, for a dial of a host
 * that does not list us succeeds at first and is cut afterwards.
 */
export class Channel {
  private readonly stream: Stream
  private readonly connection: Connection
  private readonly clock: Clock
  private readonly events: ChannelEvents
  private readonly decoder = new FrameDecoder()
  private hello_timer: NodeJS.Timeout | undefined
  private is_open = false
  private is_closed = false
  /** When anything was last received, by the boot clock. */
  heard_ms: number

  constructor(stream: Stream, connection: Connection, clock: Clock, events: ChannelEvents) {
    this.stream = stream
    this.connection = connection
    this.clock = clock
    this.events = events
    this.heard_ms = clock.boot_ms()
  }

  /** Says hello and listens. Apart from the constructor, because it may report the end at once. */
  start(): void {
    if (this.stream.status !== 'open') return this.close('connection closed')
    this.hello_timer = setTimeout(() => this.close('no hello'), HELLO_LIMIT_MS)
    this.stream.addEventListener('message', event => this.receive(event.data.subarray()))
    this.stream.addEventListener('remoteCloseWrite', () => this.close('closed by the peer'))
    this.stream.addEventListener('close', () => this.close('connection closed'))
    this.sendControl('hello')
  }

  get open(): boolean {
    return this.is_open && !this.is_closed
  }

  /** False when the channel is not open, too much is waiting already, or the message is too large. */
  send(body: Uint8Array): boolean {
    const frame = encodeFrame('message', body)
    if (!frame || !this.open || this.stream.writeBufferLength > SEND_BUFFER_LIMIT_BYTES) return false
    return this.write(frame)
  }

  /** A hello, a beat or an answer. Skipped when the buffer is full: the peer is not reading. */
  sendControl(type: FrameType): void {
    const frame = encodeFrame(type)
    if (frame && !this.is_closed && this.stream.writeBufferLength <= SEND_BUFFER_LIMIT_BYTES) this.write(frame)
  }

  /** Ends stream and connection at once. */
  close(why: string, hostile = false): void {
    if (!this.end()) return
    const reason = new Error(why)
    this.stream.abort(reason)
    this.connection.abort(reason)
    this.events.onClosed(why, hostile)
  }

  /** Ends after what has been sent is written, within a limit; reports nothing. */
  async finish(): Promise<void> {
    if (!this.end()) return
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), FINISH_LIMIT_MS)
    try {
      await this.stream.close({ signal: limit.signal })
      await this.connection.close({ signal: limit.signal })
    } catch {
      this.connection.abort(new Error('stopped'))
    } finally {
      clearTimeout(timer)
    }
  }

  /** True the first time. */
  private end(): boolean {
    if (this.is_closed) return false
    this.is_closed = true
    clearTimeout(this.hello_timer)
    return true
  }

  private write(frame: Uint8Array): boolean {
    if (this.stream.status !== 'open') return false
    try {
      // False only means "full from now on"; the frame has been taken.
      this.stream.send(frame)
      return true
    } catch {
      return false
    }
  }

  private receive(chunk: Uint8Array): void {
    if (this.is_closed) return
    this.heard_ms = this.clock.boot_ms()
    const { frames, fault } = this.decoder.push(chunk)
    for (const frame of frames) {
      if (this.is_closed) return
      this.take(frame)
    }
    if (fault !== undefined) this.close(`sent ${fault}`, true)
  }

  private take(frame: Frame): void {
    if (frame.type === 'hello') return this.takeHello()
    if (!this.is_open) return this.close(`sent a ${frame.type} frame before hello`, true)
    if (frame.type === 'beat') return this.events.onBeat()
    if (frame.type === 'answer') return
    const body = fromJson(frame.body)
    if (!body) return this.close('sent a message that is not JSON', true)
    this.events.onMessage(body.value)
  }

  private takeHello(): void {
    if (this.is_open) return this.close('sent a second hello', true)
    this.is_open = true
    clearTimeout(this.hello_timer)
    this.events.onOpen()
  }
}
