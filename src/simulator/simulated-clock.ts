/** One host's boot clock in virtual time: it may have begun long ago and may go fast or slow, and its wall clock may be wrong. */
import type { EventQueue } from './event-queue.ts'
import { SimulatedTimer } from './simulated-timer.ts'

/** By the host's own clock, as it goes when the timer is set. */
export interface OwnTimer {
  set(own_ms: number): void
}

export class SimulatedClock {
  /** How wrong the wall clock is. No duration depends on it (protocol 3): logs and an alert do. */
  wall_error_ms = 0
  private readonly queue: EventQueue
  private rate = 1
  private since_ms = 0
  private own_since_ms = 0

  constructor(queue: EventQueue) {
    this.queue = queue
  }

  /** What it shows at the start of the virtual time. */
  beginAt(own_ms: number): void {
    this.own_since_ms = own_ms
  }

  get now_ms(): number {
    return this.rate === 1 && this.own_since_ms === this.since_ms ? this.queue.now_ms : this.own_since_ms + (this.queue.now_ms - this.since_ms) * this.rate
  }

  /** The virtual time at which this clock shows that one. */
  when_ms(own_ms: number): number {
    return this.rate === 1 && this.own_since_ms === this.since_ms ? own_ms : this.since_ms + (own_ms - this.own_since_ms) / this.rate
  }

  /** `run` is called at the time that was set last. */
  timer(run: () => void): OwnTimer {
    const timer = new SimulatedTimer(this.queue, run)
    return { set: own_ms => timer.set(this.when_ms(own_ms)) }
  }

  at(own_ms: number, run: () => void): void {
    this.queue.at(this.when_ms(own_ms), run)
  }

  /** From now on so much faster (1.002) or slower than virtual time; what it shows does not jump. */
  goAt(rate: number): void {
    const { now_ms } = this
    this.since_ms = this.queue.now_ms
    this.own_since_ms = now_ms
    this.rate = rate
  }
}
