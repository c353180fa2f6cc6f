/** What stands still on a simulated host, stopped by signals. Several freezes at once reach as far as the furthest, and the host goes on with the end of the last. */

/** Its agent alone, or everything but the kernel, which still answers pings and ends addresses. */
export type Frozen = 'agent' | 'everything'

export interface Freeze {
  readonly what: Frozen
}

export class Freezes {
  private readonly standing = new Set<Freeze>()

  get furthest(): Frozen | undefined {
    // Asked with each event, and nearly always there is none.
    if (this.standing.size === 0) return undefined
    return this.ofEverything().length > 0 ? 'everything' : 'agent'
  }

  begin(what: Frozen): Freeze {
    const freeze = { what }
    this.standing.add(freeze)
    return freeze
  }

  /** False when it is over already: its host has lost its power, or the agent that stood still was killed. */
  stands(freeze: Freeze): boolean {
    return this.standing.has(freeze)
  }

  /** With its end everything but the agent goes on. */
  isLastOfEverything(freeze: Freeze): boolean {
    return freeze.what === 'everything' && this.ofEverything().length === 1
  }

  end(freeze: Freeze): void {
    this.standing.delete(freeze)
  }

  endAll(): void {
    this.standing.clear()
  }

  endOfAgent(): void {
    for (const freeze of this.standing) if (freeze.what === 'agent') this.standing.delete(freeze)
  }

  private ofEverything(): Freeze[] {
    return [...this.standing].filter(({ what }) => what === 'everything')
  }
}
