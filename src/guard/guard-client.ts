import { createConnection, type Socket } from 'node:net'
import { LineReader, parseJson } from '../edges/lines.ts'
import { RingwardError } from '../errors.ts'
import type { GuardNotice, GuardReply, GuardRequest } from './guard-protocol.ts'

type WithoutNumber<T> = T extends unknown ? Omit<T, 'request'> : never
/** A request without its number, which the client gives. */
export type GuardOrder = WithoutNumber<GuardRequest>

/** A restarted guard is there again within a second. */
const RECONNECT_MS = 100
/** A status with 64 charges is 20 KB. */
const LINE_LIMIT_CHARACTERS = 131_072
/** Requests without an answer; an agent has one per function at most. */
const OUTSTANDING_LIMIT = 128

export interface GuardClientOptions {
  readonly path: string
  /** `agent`: the guard keeps the functions while it is connected (it says so by a `status`). `hand`: a passing visitor. */
  readonly role: 'agent' | 'hand'
  readonly onNotice?: (notice: GuardNotice) => void
  /** Told on each change; after `true` the guard's `lease` notice follows. */
  readonly onConnected?: (connected: boolean) => void
}

/** A connection to the guard of this host which comes back by itself. `close` ends it. */
export class GuardClient {
  private readonly options: GuardClientOptions
  private readonly waiting = new Map<number, (reply: GuardReply | undefined) => void>()
  private readonly arrivals = new Set<() => void>()
  private socket: Socket | undefined
  private connected = false
  private timer: NodeJS.Timeout | undefined
  private last_request = 0
  private closed = false

  constructor(options: GuardClientOptions) {
    this.options = options
    this.connect()
  }

  /**
   * Waits for the connection if need be and then for the reply, together at most `limit_ms`. A refusal is a reply (`ok: false`).
   * Rejects with GUARD_UNREACHABLE (the outcome is unknown: every verb may be repeated) or ABORTED.
   */
  async request(order: GuardOrder, limit_ms: number, signal?: AbortSignal): Promise<GuardReply> {
    if (signal?.aborted) throw new RingwardError('ABORTED', `${order.verb} to the guard was called off`)
    if (this.closed || this.waiting.size >= OUTSTANDING_LIMIT) throw this.unreachable(order.verb, this.closed ? 'the connection is closed' : 'too many requests wait')
    const request = ++this.last_request
    let send = (): void => undefined
    let timer: NodeJS.Timeout | undefined
    let abort = (): void => undefined
    try {
      const reply = await new Promise<GuardReply | undefined | 'aborted'>(resolve => {
        this.waiting.set(request, resolve)
        abort = () => { resolve('aborted') }
        signal?.addEventListener('abort', abort, { once: true })
        timer = setTimeout(() => { setImmediate(() => { resolve(undefined) }) }, limit_ms)
        send = () => { this.socket?.write(JSON.stringify({ request, ...order }) + '\n') }
        if (this.connected) send()
        else this.arrivals.add(send)
      })
      if (reply === 'aborted') throw new RingwardError('ABORTED', `${order.verb} to the guard was called off`)
      if (reply === undefined) throw this.unreachable(order.verb, `there was no answer within ${limit_ms} ms, or the guard ended`)
      return reply
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      this.arrivals.delete(send)
      this.waiting.delete(request)
    }
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
    this.failAll()
    this.socket?.destroy()
  }

  private unreachable(verb: string, why: string): RingwardError {
    return new RingwardError('GUARD_UNREACHABLE', `${verb}: the guard at ${this.options.path} cannot be asked: ${why}`)
  }

  private failAll(): void {
    for (const settle of this.waiting.values()) settle(undefined)
  }

  private connect(): void {
    const socket = createConnection(this.options.path)
    this.socket = socket
    const reader = new LineReader(LINE_LIMIT_CHARACTERS, line => { this.received(parseJson(line)) }, () => socket.destroy())
    socket.setEncoding('utf8').on('data', (text: string) => { reader.feed(text) })
    socket.on('error', () => undefined)
    socket.once('connect', () => {
      this.connected = true
      if (this.options.role === 'agent') socket.write(JSON.stringify({ request: 0, verb: 'status' }) + '\n')
      for (const send of this.arrivals) send()
      this.arrivals.clear()
      this.options.onConnected?.(true)
    })
    socket.once('close', () => { this.lost() })
  }

  private lost(): void {
    if (this.connected) {
      this.connected = false
      this.failAll()
      if (!this.closed) this.options.onConnected?.(false)
    }
    if (!this.closed) this.timer = setTimeout(() => { this.connect() }, RECONNECT_MS)
  }

  private received(message: unknown): void {
    if (typeof message !== 'object' || message === null) return
    if ('reply' in message) this.waiting.get((message as GuardReply).reply)?.(message as GuardReply)
    else if ('notice' in message) this.options.onNotice?.(message as GuardNotice)
  }
}
