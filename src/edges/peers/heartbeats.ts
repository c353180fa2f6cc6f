import type { Clock } from '../clock.ts'

/** One neighbour, as the heartbeats see it. */
export interface Watched {
  /** Asks the neighbour "alive?". */
  beat(): void
  /** When it was last heard, by the boot clock; undefined without an open stream. */
  heard_ms(): number | undefined
  /** From this moment it is given the full limit again. */
  excuse(now_ms: number): void
  accuse(why: string): void
}

export interface HeartbeatOptions {
  readonly clock: Clock
  readonly heartbeat_ms: number
  readonly limit_ms: number
  readonly watched: () => Iterable<Watched>
}

/**
 * Beats to all neighbours by one timer and judges their silence (protocol 5).
 * After a blocked event loop Node runs expired timers before it reads what has already arrived, so silence is judged only when
 * a full poll phase has passed after the tick; and a loop that was starved accuses nobody: the wait begins again.
 */
export class Heartbeats {
  private readonly options: HeartbeatOptions
  private timer: NodeJS.Timeout | undefined
  private judging: NodeJS.Immediate | undefined
  private last_tick_ms = 0

  constructor(options: HeartbeatOptions) {
    this.options = options
  }

  start(): void {
    this.last_tick_ms = this.options.clock.boot_ms()
    this.timer = setInterval(() => this.tick(), this.options.heartbeat_ms)
  }

  stop(): void {
    clearInterval(this.timer)
    clearImmediate(this.judging)
    this.timer = this.judging = undefined
  }

  private tick(): void {
    const { clock, heartbeat_ms } = this.options
    const now_ms = clock.boot_ms()
    const starved = now_ms - this.last_tick_ms > 2 * heartbeat_ms
    this.last_tick_ms = now_ms
    for (const neighbour of this.options.watched()) {
      neighbour.beat()
      if (starved) neighbour.excuse(now_ms)
    }
    if (!starved && this.judging === undefined) this.afterPoll(() => this.judge(now_ms))
  }

  /** An immediate runs when the poll phase it was made before is over; the second one lets what that phase delivered pass the decryption layers. */
  private afterPoll(judge: () => void): void {
    this.judging = setImmediate(() => {
      this.judging = setImmediate(() => {
        this.judging = undefined
        judge()
      })
    })
  }

  private judge(tick_ms: number): void {
    const { clock, heartbeat_ms, limit_ms } = this.options
    const now_ms = clock.boot_ms()
    const starved = now_ms - tick_ms > heartbeat_ms
    for (const neighbour of this.options.watched()) {
      if (starved) neighbour.excuse(now_ms)
      const heard_ms = neighbour.heard_ms()
      if (heard_ms === undefined) continue
      const silence_ms = tick_ms - heard_ms
      if (silence_ms > limit_ms) neighbour.accuse(`no heartbeat for ${Math.round(silence_ms)} ms (limit ${limit_ms} ms)`)
    }
  }
}
