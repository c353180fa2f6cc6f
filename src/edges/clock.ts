import { uptime } from 'node:os'

/** The one place that reads clocks. Durations: `boot_ms`; stamps for people: `wall`. */
export interface Clock {
  /** Milliseconds by a monotonic clock that counts suspend; only differences on one host mean anything. */
  boot_ms(): number
  wall(): Date
}

/** Beyond the 10 ms grain of `uptime` and scheduling noise, a difference this large means the host was suspended. */
const SUSPEND_JUMP_MS = 1_000

/**
 * Node offers CLOCK_MONOTONIC at full resolution, which stands still in suspend, and CLOCK_BOOTTIME (`os.uptime`)
 * at 10 ms. The fine clock is carried forward by what the coarse one says it missed.
 * Processes of one host agree on it: both clocks start at boot and `missed` is zero until a suspend.
 */
export class SystemClock implements Clock {
  private missed_ms = 0
  private readonly coarse_ms: () => number
  private readonly fine_ms: () => number

  constructor(coarse_ms = (): number => uptime() * 1_000, fine_ms = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000) {
    this.coarse_ms = coarse_ms
    this.fine_ms = fine_ms
  }

  boot_ms(): number {
    // The coarse clock first: a process that is stopped between the two readings then looks ahead, never suspended, and a suspend there is found by the next call.
    const coarse_ms = this.coarse_ms()
    const fine_ms = this.fine_ms()
    const behind_ms = coarse_ms - (fine_ms + this.missed_ms)
    if (behind_ms > SUSPEND_JUMP_MS) this.missed_ms += behind_ms
    return fine_ms + this.missed_ms
  }

  wall(): Date {
    return new Date()
  }
}
