interface Anchor {
  readonly server_ms: number
  readonly boot_ms: number
}

/**
 * The file server's clock, by the times it stamps on leases: one that has changed since the last look was written just now (a renewal every r).
 * No host's wall clock is asked: each may be an hour wrong, and the operator's orders would end, or come back, at different times on different hosts.
 */
export class ServerTime {
  private readonly boot_ms: () => number
  private stamps: ReadonlyMap<string, number> = new Map()
  private anchor: Anchor | undefined

  constructor(boot_ms: () => number) {
    this.boot_ms = boot_ms
  }

  /** What a pass over all leases has found, by host. Stamps that stand still (of a host that is off, from before the server's clock was set) tell nothing. */
  note(stamps: ReadonlyMap<string, number>): void {
    const fresh = [...stamps].flatMap(([host, written_ms]) => this.stamps.get(host) === written_ms ? [] : [written_ms])
    this.stamps = stamps
    if (fresh.length > 0) this.anchor = { server_ms: Math.max(...fresh), boot_ms: this.boot_ms() }
  }

  /** How long ago something was stamped; 0 for a time to come, and as long as no lease was seen. */
  age_ms(written_ms: number): number {
    if (!this.anchor) return 0
    return Math.max(0, this.anchor.server_ms + this.boot_ms() - this.anchor.boot_ms - written_ms)
  }
}
