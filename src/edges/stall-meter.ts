import type { Clock } from './clock.ts'

/** 40 wake-ups a second cost nothing that can be measured. */
const GRAIN_MS = 25

/**
 * How long this process was held up (processors taken by others, garbage collection, long work of its own, a suspend): so late its timers came.
 * Not `monitorEventLoopDelay` of Node: after each reset it passes over the first hold-up.
 */
export class StallMeter {
  private readonly clock: Pick<Clock, 'boot_ms'>
  private readonly timer: NodeJS.Timeout
  private last_ms: number
  private longest_ms = 0

  constructor(clock: Pick<Clock, 'boot_ms'>) {
    this.clock = clock
    this.last_ms = clock.boot_ms()
    this.timer = setInterval(() => this.tick(), GRAIN_MS)
  }

  /** The longest hold-up since the last call [ms], one that has just ended included. */
  take(): number {
    this.tick()
    const { longest_ms } = this
    this.longest_ms = 0
    return longest_ms
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private tick(): void {
    const now_ms = this.clock.boot_ms()
    this.longest_ms = Math.max(this.longest_ms, now_ms - this.last_ms - GRAIN_MS)
    this.last_ms = now_ms
  }
}
