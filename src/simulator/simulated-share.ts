/** The shared area in virtual time: single-writer leases, write-once claims and releases, each operation with its own delay. */
import type { ClaimRecord, LeaseRecord, Observation, ReleaseRecord, StandingOrder } from '../core/records.ts'
import type { BrokenRules } from './broken-rules.ts'
import type { EventQueue } from './event-queue.ts'
import type { RandomStream } from './prng.ts'

export interface ShareWatcher {
  onLease(record: LeaseRecord, issued_ms: number): void
  onClaim(record: ClaimRecord): void
  onRelease(record: ReleaseRecord): void
}

/** Longer than a renewal takes: only what is not renewed any more lingers. */
const LINGER_STEP_MS = 700

export class SimulatedShare {
  readonly leases = new Map<string, LeaseRecord>()
  readonly claims = new Map<string, ClaimRecord[]>()
  readonly releases = new Map<string, Map<number, ReleaseRecord>>()
  /** The operator's standing orders with the time of their end; `hold` or the host in maintenance. */
  readonly orders = new Map<string, number>()
  /** Hosts (or all, `*`) whose operations wait until the fault ends; then they are applied late. */
  private readonly hung = new Map<string, (() => void)[]>()
  private readonly queue: EventQueue
  private readonly random: RandomStream
  private readonly watcher: ShareWatcher
  private readonly broken: BrokenRules
  private readonly written_ms = new Map<string, number>()
  private readonly cached = new Map<string, { read_ms: number; observation: Observation }>()

  constructor(queue: EventQueue, random: RandomStream, watcher: ShareWatcher, broken: BrokenRules = {}) {
    this.broken = broken
    this.queue = queue
    this.random = random
    this.watcher = watcher
  }

  hang(host: string): void {
    if (!this.hung.has(host)) this.hung.set(host, [])
  }

  heal(host: string): void {
    const waiting = this.hung.get(host) ?? []
    this.hung.delete(host)
    for (const run of waiting) run()
  }

  isHung(host: string): boolean {
    return this.hung.has(host) || this.hung.has('*')
  }

  isHungForAll(): boolean {
    return this.hung.has('*')
  }

  /** Applies `operation` after a request's way and answers after the way back. */
  private perform<T>(host: string, operation: () => T, answer: (result: T) => void): void {
    const waiting = this.hung.get(host) ?? this.hung.get('*')
    if (waiting) return void waiting.push(() => this.perform(host, operation, answer))
    this.queue.after(this.random.between(1, 12), () => {
      const late = this.hung.get(host) ?? this.hung.get('*')
      if (late) return void late.push(() => this.perform(host, operation, answer))
      const result = operation()
      this.queue.after(this.random.between(1, 8), () => answer(result))
    })
  }

  renew(record: LeaseRecord, answer: () => void): void {
    const issued_ms = this.queue.now_ms
    this.perform(record.host, () => {
      const former = this.leases.get(record.host)
      const older = former !== undefined && (record.generation < former.generation || (record.generation === former.generation && record.sequence < former.sequence))
      // Readers ignore a pair that has not grown (R3).
      if (older) return
      this.leases.set(record.host, record)
      this.written_ms.set(record.host, this.queue.now_ms)
      this.watcher.onLease(record, issued_ms)
    }, answer)
  }

  observe(host: string, answer: (observation: Observation) => void): void {
    this.perform(host, () => this.broken.reads_cached_ms === undefined ? this.newest() : this.fromCache(host, this.broken.reads_cached_ms), answer)
  }

  private fromCache(host: string, age_ms: number): Observation {
    const cached = this.cached.get(host)
    if (cached && this.queue.now_ms - cached.read_ms < age_ms) return cached.observation
    const observation = this.newest()
    this.cached.set(host, { read_ms: this.queue.now_ms, observation })
    return observation
  }

  private newest(): Observation {
    const claims = [...this.claims.entries()].map(([name, records]) => {
      const claim = records.at(-1)!
      const release = this.releases.get(name)?.get(claim.epoch)
      return release ? { claim, release } : { claim }
    })
    const leases = [...this.leases.values()].map(lease => this.lingering(lease))
    const shown = this.broken.electorate_hidden ? leases.map(({ electorate: _, ...lease }) => lease) : leases
    return { leases: shown, claims, orders: this.standingOrders() }
  }

  private standingOrders(): StandingOrder[] {
    return [...this.orders].filter(([, until_ms]) => until_ms > this.queue.now_ms).map(([about, until_ms]) => {
      const remaining_ms = until_ms - this.queue.now_ms
      return about === 'hold' ? { order: 'hold', remaining_ms } : { order: 'maintenance', host: about, remaining_ms }
    })
  }

  /** A lease that nobody renews any more, shown as if somebody did. */
  private lingering(lease: LeaseRecord): LeaseRecord {
    const silent_ms = this.queue.now_ms - (this.written_ms.get(lease.host) ?? -Infinity)
    if (silent_ms > (this.broken.leases_linger_ms ?? 0)) return lease
    return { ...lease, sequence: lease.sequence + Math.floor(silent_ms / LINGER_STEP_MS) }
  }

  claim(host: string, record: ClaimRecord, answer: (outcome: { won: boolean; standing: ClaimRecord | undefined }) => void): void {
    this.perform(host, () => {
      const records = this.claims.get(record.function) ?? []
      this.claims.set(record.function, records)
      const standing = records[record.epoch - 1]
      // A gap cannot be written: the file before it must stand, as the rules read it first.
      if (this.broken.claims_overwrite) {
        this.watcher.onClaim(record)
        records[record.epoch - 1] = record
        return { won: true, standing: undefined }
      }
      if (standing || record.epoch !== records.length + 1) return { won: false, standing: standing ?? records.at(-1) }
      this.watcher.onClaim(record)
      records.push(record)
      return { won: true, standing: undefined }
    }, answer)
  }

  release(host: string, record: ReleaseRecord, answer: () => void): void {
    this.perform(host, () => {
      const records = this.releases.get(record.function) ?? new Map<number, ReleaseRecord>()
      this.releases.set(record.function, records)
      if (records.has(record.epoch)) return
      this.watcher.onRelease(record)
      records.set(record.epoch, record)
    }, answer)
  }
}
