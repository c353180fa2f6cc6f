/** A host just lost is asked again soon: an agent that restarts listens within a second. */
const FIRST_PAUSE_MS = 50
/** Reconnection after repair takes no longer than this plus one dial. */
export const LONGEST_PAUSE_MS = 1_000
const PAUSE_FACTOR = 1.5
/** Hosts that lost the same member at the same time do not all come back in the same instant. */
const JITTER = 0.25

/** Dials again and again until it is no longer asked to: one attempt at a time, with a growing, bounded pause between. */
export class Dialler {
  private readonly attempt: (signal: AbortSignal) => Promise<void>
  private readonly limit_ms: number
  private pause_ms = FIRST_PAUSE_MS
  private timer: NodeJS.Timeout | undefined
  private running: AbortController | undefined
  private wanted = false
  private stopped = false

  /** `attempt` rejects when it failed; it must end soon after its signal, which comes after `limit_ms` at the latest. */
  constructor(attempt: (signal: AbortSignal) => Promise<void>, limit_ms: number) {
    this.attempt = attempt
    this.limit_ms = limit_ms
  }

  /** Dial as soon as the pause allows; nothing when that is under way already. */
  ask(): void {
    this.wanted = true
    if (this.stopped) return
    if (this.timer === undefined && this.running === undefined) this.schedule()
  }

  /** The last link was good: begin again with the shortest pause. */
  calm(): void {
    this.pause_ms = FIRST_PAUSE_MS
  }

  /** The last link was bad: wait the longest pause. */
  slow(): void {
    this.pause_ms = LONGEST_PAUSE_MS
  }

  /** For good. */
  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    this.timer = undefined
    this.running?.abort()
  }

  private schedule(): void {
    const pause_ms = this.pause_ms * (1 - JITTER * Math.random())
    this.pause_ms = Math.min(this.pause_ms * PAUSE_FACTOR, LONGEST_PAUSE_MS)
    this.timer = setTimeout(() => {
      this.timer = undefined
      void this.dial()
    }, pause_ms)
  }

  private async dial(): Promise<void> {
    const running = this.running = new AbortController()
    const limit = setTimeout(() => running.abort(), this.limit_ms)
    this.wanted = false
    try {
      await this.attempt(running.signal)
    } catch {
      this.wanted = true
    } finally {
      clearTimeout(limit)
      this.running = undefined
    }
    if (this.wanted && !this.stopped) this.schedule()
  }
}
