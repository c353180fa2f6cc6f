/** As the agent's turns (agent/turns.ts): what is ordered for a function while a stop of it is under way waits for the end of that stop, in the order it came. */
export class SimulatedTurns {
  /** A key for each function that is being stopped. */
  private readonly waiting = new Map<string, (() => void)[]>()

  take(name: string, run: () => void): void {
    const before = this.waiting.get(name)
    if (before) before.push(run)
    else run()
  }

  beginStop(name: string): void {
    this.waiting.set(name, [])
  }

  /** What has waited goes on, as far as the next stop among it. */
  endStop(name: string): void {
    const next = this.waiting.get(name) ?? []
    this.waiting.delete(name)
    for (const run of next) this.take(name, run)
  }

  clear(): void {
    this.waiting.clear()
  }
}
