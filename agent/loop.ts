import type { Command, Reason } from '../src/core/command.ts'
import type { Event } from '../src/core/event.ts'
import type { State } from '../src/core/state.ts'
import { step } from '../src/core/step.ts'
import type { Clock } from '../src/edges/clock.ts'

export interface LoopParts {
  readonly state: State
  readonly clock: Clock
  /** Writes the reasons; they stand in the log before the acts they explain (S5). */
  readonly onReasons: (reasons: readonly Reason[]) => void
  readonly carryOut: (command: Exclude<Command, { command: 'timer' }>) => void
  /** The core threw: a broken assumption, after which this process must not decide anything more. */
  readonly onBroken: (error: unknown) => void
}

/** Events wait at most for one another; so many at once means that the core cannot keep up. */
const QUEUE_LIMIT = 10_000
/** `setTimeout` cannot wait longer; the core asks again when woken early. */
const TIMER_LIMIT_MS = 60_000

/** Feeds the core one event at a time, at our own pace, and hands its commands to the edges. */
export class Loop {
  /** Boot-clock time of the last completed step. */
  last_step_ms = 0
  dropped = 0
  private readonly parts: LoopParts
  private readonly queue: Event[] = []
  private timer: NodeJS.Timeout | undefined
  private running = false
  private stopped = false

  constructor(parts: LoopParts) {
    this.parts = parts
  }

  post(event: Event): void {
    if (this.stopped) return
    if (this.queue.length >= QUEUE_LIMIT) {
      this.dropped += 1
      return
    }
    this.queue.push(event)
    if (!this.running) this.drain()
  }

  /** Nothing is decided after this. */
  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    this.queue.length = 0
  }

  private drain(): void {
    this.running = true
    try {
      for (let event = this.queue.shift(); event !== undefined && !this.stopped; event = this.queue.shift()) this.take(event)
    } catch (error) {
      this.stop()
      this.parts.onBroken(error)
    } finally {
      this.running = false
    }
  }

  private take(event: Event): void {
    const { state, clock, onReasons, carryOut } = this.parts
    const { commands, reasons } = step(state, event, clock.boot_ms())
    if (reasons.length > 0) onReasons(reasons)
    for (const command of commands) {
      if (command.command === 'timer') this.setTimer(command.at_ms)
      else carryOut(command)
    }
    this.last_step_ms = clock.boot_ms()
  }

  /** A timeout is judged only after a full poll phase: what is already in the sockets speaks first (protocol 5). */
  private setTimer(at_ms: number): void {
    clearTimeout(this.timer)
    const delay_ms = Math.min(Math.max(1, Math.ceil(at_ms - this.parts.clock.boot_ms())), TIMER_LIMIT_MS)
    this.timer = setTimeout(() => setImmediate(() => this.post({ event: 'timer' })), delay_ms)
  }
}
