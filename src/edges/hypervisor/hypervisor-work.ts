import { within } from '../within.ts'
import type { HypervisorOptions } from './hypervisor.ts'

/** The order and the end of what a hypervisor does: one thing after another for each machine, nothing beyond its limit, nothing left at the end. */
export class HypervisorWork {
  private readonly ending = new AbortController()
  /** Preparing and stopping the same machine follow one another. */
  private readonly turns = new Map<string, Promise<unknown>>()
  /** Work that nobody waits for: setting guests' clocks. */
  private readonly background = new Set<Promise<void>>()

  /** Fires when the hypervisor is closed. */
  get signal(): AbortSignal {
    return this.ending.signal
  }

  /** Every act ends with the caller's signal, with this hypervisor's, and at its limit. */
  bounded<T>({ signal }: HypervisorOptions, limit_ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return within(limit_ms, [signal, this.ending.signal], work)
  }

  inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = Promise.resolve(this.turns.get(name)).catch(() => undefined).then(work)
    this.turns.set(name, turn)
    const end = () => { if (this.turns.get(name) === turn) this.turns.delete(name) }
    turn.then(end, end)
    return turn
  }

  /** `work` must not reject. */
  inBackground(work: Promise<void>): void {
    this.background.add(work)
    void work.finally(() => this.background.delete(work))
  }

  async end(): Promise<void> {
    this.ending.abort()
    await Promise.allSettled([...this.background, ...this.turns.values()])
  }
}
