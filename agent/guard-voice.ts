import type { Event } from '../src/core/event.ts'
import type { Clock } from '../src/edges/clock.ts'
import { reasonOf } from '../src/errors.ts'
import type { GuardClient, GuardOrder } from '../src/guard/guard-client.ts'

export interface GuardVoiceParts {
  readonly guard: Pick<GuardClient, 'request'>
  readonly clock: Pick<Clock, 'boot_ms'>
  readonly post: (event: Event) => void
  readonly problem: (text: string) => void
}

/** The guard is scheduled first and answers within milliseconds. One that is restarted may be taken for silent: shortly, and its ride lasts longer (D_promise). */
const LIMIT_MS = 500
const ASK_AGAIN_MS = 100
/** A timer may be so early by the boot clock. */
const GRAIN_MS = 5

/** Orders to the guard whose answers nobody waits for, and from them whether it answers at all (protocol 3, R8). */
export class GuardVoice {
  private readonly parts: GuardVoiceParts
  private readonly ending = new AbortController()
  private silent = false
  private timer: NodeJS.Timeout | undefined

  constructor(parts: GuardVoiceParts) {
    this.parts = parts
  }

  tell(order: GuardOrder): void {
    void this.ask(order).then(reply => {
      if (reply?.ok === false) this.parts.problem(`the guard refused to ${order.verb}: ${reply.reason ?? 'no reason given'}`)
    })
  }

  stop(): void {
    this.ending.abort()
    clearTimeout(this.timer)
  }

  /** A connection that breaks is no silence: the guard is started anew, and asked once more. */
  private async ask(order: GuardOrder): Promise<{ readonly ok: boolean; readonly reason?: string } | undefined> {
    const { guard, clock } = this.parts
    const began_ms = clock.boot_ms()
    try {
      const reply = await guard.request(order, LIMIT_MS, this.ending.signal)
      this.heard()
      return reply
    } catch (error) {
      if (this.ending.signal.aborted) return undefined
      if (clock.boot_ms() - began_ms < LIMIT_MS - GRAIN_MS) return this.askAgain(order, reasonOf(error))
      this.notHeard()
      return undefined
    }
  }

  private async askAgain(order: GuardOrder, why: string): Promise<undefined> {
    if (this.silent) return undefined
    const reply = await this.parts.guard.request({ verb: 'status' }, LIMIT_MS, this.ending.signal).catch(() => undefined)
    if (this.ending.signal.aborted) return undefined
    if (!reply) this.notHeard()
    else this.parts.problem(`${order.verb} did not reach the guard: ${why}`)
    return undefined
  }

  private heard(): void {
    if (!this.silent) return
    this.silent = false
    this.parts.post({ event: 'guard', answers: true })
  }

  private notHeard(): void {
    if (this.silent) return
    this.silent = true
    this.parts.post({ event: 'guard', answers: false })
    void this.listen()
  }

  /** Nothing is asked of a silent guard any more, so that it is asked here how it is. */
  private async listen(): Promise<void> {
    const { signal } = this.ending
    const reply = await this.parts.guard.request({ verb: 'status' }, LIMIT_MS, signal).catch(() => undefined)
    if (signal.aborted) return
    if (reply) this.heard()
    else this.timer = setTimeout(() => void this.listen(), ASK_AGAIN_MS)
  }
}
