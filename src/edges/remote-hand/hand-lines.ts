import { reasonOf } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { startDeadline } from '../deadline.ts'
import { ConnectionError, HandConnection } from './hand-connection.ts'
import type { HandTarget } from './remote-hand.ts'

/** A recovery asks the same target several times within seconds; an open connection saves the 50-100 ms of a handshake. */
const IDLE_LIMIT_MS = 30_000

export interface HandLinesOptions {
  readonly clock: Clock
  /** The bytes of the ring's hand key file. */
  readonly private_key: Buffer
}

/** Where and as whom a target is asked. */
export interface LineTarget extends HandTarget {
  readonly user: string
  readonly port: number
}

/** One command and the text it reads, on the line to the target. */
export type Ask = (command: string, input?: string) => Promise<string>

export type Asked<T> = { readonly value: T } | { readonly failed: string }

/** A connection with the number of verbs on it and the timer that ends it when idle. */
interface Line {
  readonly connection: HandConnection
  users: number
  /** No further verb may use it; it ends with the last one. */
  retired: boolean
  idle?: NodeJS.Timeout
}

/** One kept SSH connection for each target, with a pinned host key; one exec for each command, all of one order within one limit. */
export class HandLines {
  private readonly options: HandLinesOptions
  private readonly lines = new Map<string, Line>()
  private readonly underWay = new Map<AbortController, Promise<unknown>>()
  private closed = false

  constructor(options: HandLinesOptions) {
    this.options = options
  }

  /** Lets `work` ask the target; `what` names the order in words. Never rejects: what goes wrong is told in `failed`. */
  async run<T>(target: LineTarget, what: string, limit_ms: number, signal: AbortSignal, work: (ask: Ask) => Promise<T>): Promise<Asked<T>> {
    if (this.closed || signal.aborted) return { failed: `${what} on ${target.name} was called off` }
    const controller = new AbortController()
    const forward = (): void => controller.abort()
    signal.addEventListener('abort', forward, { once: true })
    const running = this.bounded(target, what, limit_ms, controller.signal, work)
    this.underWay.set(controller, running)
    const result = await running
    this.underWay.delete(controller)
    signal.removeEventListener('abort', forward)
    return result
  }

  /** Calls off what is under way and closes every connection. */
  async close(): Promise<void> {
    this.closed = true
    for (const controller of this.underWay.keys()) controller.abort()
    await Promise.all(this.underWay.values())
    for (const [key, line] of this.lines) this.retire(key, line)
  }

  /** The order, or the limit, or the end of patience; in the latter two the connection is not trusted any more. */
  private bounded<T>(target: LineTarget, what: string, limit_ms: number, signal: AbortSignal, work: (ask: Ask) => Promise<T>): Promise<Asked<T>> {
    return new Promise(resolve => {
      const used: { key: string; line: Line }[] = []
      let finished = false
      const finish = (result: Asked<T>, trusted: boolean): void => {
        if (finished) return
        finished = true
        limit.cancel()
        signal.removeEventListener('abort', abort)
        for (const { key, line } of used.splice(0)) {
          line.users -= 1
          if (!trusted) this.retire(key, line)
          else this.rest(key, line)
        }
        resolve(result)
      }
      const abort = (): void => finish({ failed: `${what} on ${target.name} was called off` }, false)
      const limit = startDeadline(this.options.clock, limit_ms, () => finish({ failed: `${target.name} did not answer "${what}" within ${limit_ms} ms` }, false))
      signal.addEventListener('abort', abort, { once: true })
      const ask: Ask = async (command, input) => {
        for (let attempt = 1; ; attempt += 1) {
          // Nothing more is begun for an order that nobody waits for.
          if (finished) throw new ConnectionError('the order is over', true)
          const { key, line, fresh } = this.lineTo(target)
          line.users += 1
          used.push({ key, line })
          try {
            return await line.connection.exec(command, input)
          } catch (error) {
            // A kept connection may have died unnoticed, for example in a reboot of the target.
            const again = !fresh && attempt === 1 && error instanceof ConnectionError && error.not_started && !finished
            if (!again) throw error
          }
        }
      }
      work(ask).then(
        value => finish({ value }, true),
        (error: unknown) => finish({ failed: `${target.name} could not be asked for "${what}": ${reasonOf(error)}` }, false),
      )
    })
  }

  private lineTo(target: LineTarget): { readonly key: string; readonly line: Line; readonly fresh: boolean } {
    // With the key in it: a corrected configuration must not ride on a connection made under the former one.
    const key = `${target.user}@${target.address}:${target.port} ${target.ssh_host_key}`
    const kept = this.lines.get(key)
    if (kept && !kept.connection.broken) {
      clearTimeout(kept.idle)
      return { key, line: kept, fresh: false }
    }
    if (kept) this.retire(key, kept)
    const connection = new HandConnection({ target, private_key: this.options.private_key, port: target.port, username: target.user })
    const line: Line = { connection, users: 0, retired: false }
    this.lines.set(key, line)
    return { key, line, fresh: true }
  }

  private rest(key: string, line: Line): void {
    if (line.users > 0) return
    if (line.retired || line.connection.broken || this.closed) return this.retire(key, line)
    line.idle = setTimeout(() => this.retire(key, line), IDLE_LIMIT_MS)
    // A kept connection is no reason for the process to live on.
    line.idle.unref()
  }

  private retire(key: string, line: Line): void {
    line.retired = true
    clearTimeout(line.idle)
    if (this.lines.get(key) === line) this.lines.delete(key)
    if (line.users === 0) line.connection.end()
  }
}
