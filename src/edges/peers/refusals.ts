import type { Clock } from '../clock.ts'

/** A stranger who knocks all day is worth one line in this time. */
const SILENCE_MS = 10_000
/** Different strangers remembered; beyond it the oldest is forgotten (and may be reported again). */
const REMEMBERED_LIMIT = 256

/** Passes on refusals, the same one at most once in a while, so that a stranger cannot fill the log. */
export class Refusals {
  private readonly reported_ms = new Map<string, number>()
  private readonly clock: Clock
  private readonly onRefused: (what: string) => void

  constructor(clock: Clock, onRefused: (what: string) => void) {
    this.clock = clock
    this.onRefused = onRefused
  }

  /** `who` without a port: a stranger's port is new each time. */
  report(who: string, why: string): void {
    const what = `${who}: ${why}`
    const now_ms = this.clock.boot_ms()
    const last_ms = this.reported_ms.get(what)
    if (last_ms !== undefined && now_ms - last_ms < SILENCE_MS) return
    this.reported_ms.delete(what)
    this.reported_ms.set(what, now_ms)
    const oldest = this.reported_ms.keys().next()
    if (this.reported_ms.size > REMEMBERED_LIMIT && !oldest.done) this.reported_ms.delete(oldest.value)
    this.onRefused(what)
  }
}
