import { reasonOf } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { startDeadline } from '../deadline.ts'
import { ConnectionError, HandConnection } from './hand-connection.ts'
import { formatCommand, oneLine, parseAnswer } from './hand-words.ts'
import type { HandResult, HandTarget, HandVerb, RemoteHand } from './remote-hand.ts'

/** A recovery asks the same target several times within seconds; an open connection saves the 50-100 ms of a handshake. */
const IDLE_LIMIT_MS = 30_000
const SSH_PORT = 22

export interface SshHandOptions {
  readonly clock: Clock
  /** The bytes of the ring's hand key file. */
  readonly private_key: Buffer
  /** The account with the forced command; it restarts services and removes addresses, hence root. */
  readonly username?: string
  readonly port?: number
}

/** A connection with the number of verbs on it and the timer that ends it when idle. */
interface Line {
  readonly connection: HandConnection
  users: number
  /** No further verb may use it; it ends with the last one. */
  retired: boolean
  idle?: NodeJS.Timeout
}

/** Remote hands over SSH: pinned host key, one kept connection for each target, one exec for each verb. */
export class SshHand implements RemoteHand {
  private readonly options: SshHandOptions
  private readonly lines = new Map<string, Line>()
  private readonly underWay = new Map<AbortController, Promise<HandResult>>()
  private closed = false

  constructor(options: SshHandOptions) {
    this.options = options
  }

  async run(target: HandTarget, verb: HandVerb, args: readonly string[], limit_ms: number, signal: AbortSignal): Promise<HandResult> {
    const command = formatCommand(verb, args)
    if (command === undefined) return { ok: false, detail: `${verb} with these arguments is not allowed; nothing was sent to ${target.name}` }
    if (this.closed || signal.aborted) return { ok: false, detail: `${verb} on ${target.name} was called off` }
    const controller = new AbortController()
    const forward = (): void => controller.abort()
    signal.addEventListener('abort', forward, { once: true })
    const running = this.bounded(target, command, limit_ms, controller.signal)
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

  /** The verb, or the limit, or the end of patience; in the latter two the connection is not trusted any more. */
  private bounded(target: HandTarget, command: string, limit_ms: number, signal: AbortSignal): Promise<HandResult> {
    return new Promise(resolve => {
      const used: { key: string; line: Line }[] = []
      let finished = false
      const finish = (result: HandResult, trusted: boolean): void => {
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
      const abort = (): void => finish({ ok: false, detail: `${command} on ${target.name} was called off` }, false)
      const limit = startDeadline(this.options.clock, limit_ms, () => finish({ ok: false, detail: `${target.name} did not answer "${command}" within ${limit_ms} ms` }, false))
      signal.addEventListener('abort', abort, { once: true })
      const ask = async (): Promise<string> => {
        for (let attempt = 1; ; attempt += 1) {
          const { key, line, fresh } = this.lineTo(target)
          line.users += 1
          used.push({ key, line })
          try {
            return await line.connection.exec(command)
          } catch (error) {
            // A kept connection may have died unnoticed, for example in a reboot of the target.
            const again = !fresh && attempt === 1 && error instanceof ConnectionError && error.not_started && !finished
            if (!again) throw error
          }
        }
      }
      ask().then(
        text => finish(parseAnswer(text), true),
        (error: unknown) => finish({ ok: false, detail: oneLine(`${target.name} could not be asked for "${command}": ${reasonOf(error)}`) }, false),
      )
    })
  }

  private lineTo(target: HandTarget): { readonly key: string; readonly line: Line; readonly fresh: boolean } {
    // With the key in it: a corrected configuration must not ride on a connection made under the former one.
    const key = `${target.address} ${target.ssh_host_key}`
    const kept = this.lines.get(key)
    if (kept && !kept.connection.broken) {
      clearTimeout(kept.idle)
      return { key, line: kept, fresh: false }
    }
    if (kept) this.retire(key, kept)
    const connection = new HandConnection({
      target, private_key: this.options.private_key, port: this.options.port ?? SSH_PORT, username: this.options.username ?? 'root',
    })
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
