/** The shared area in virtual time: single-writer leases, write-once claims and releases, each operation with its own delay. */
import type { ClaimRecord, LeaseRecord, Observation, PillRecord, ReleaseRecord, StandingOrder } from '../core/records.ts'
import type { BrokenRules } from './broken-rules.ts'
import type { EventQueue } from './event-queue.ts'
import type { RandomStream } from './prng.ts'

export interface ShareWatcher {
  onLease(record: LeaseRecord, issued_ms: number): void
  onClaim(record: ClaimRecord): void
  onRelease(record: ReleaseRecord): void
}

/** What is wrong with the shared area for a host, or for all (`*`). A request that hangs is applied when the fault ends. */
export interface ShareTrouble {
  /** Each request takes up to that much longer on its way. */
  readonly slow_ms?: number
  /** Answers take up to that much longer: what was asked is done, and its asker has given up. */
  readonly late_answers_ms?: number
  /** The file server is gone: every request is refused. */
  readonly dead?: boolean
  /** What stands there can be read, and every write is refused: a file system that was mounted anew after a failure of its disk, or is full and writes nothing in place. */
  readonly read_only?: boolean
  /** Share of the answers to claims that are lost, 0–1: the claim stands. */
  readonly claim_answers_lost?: number
}

type Access = 'read' | 'write'

/** Longer than a renewal takes: only what is not renewed any more lingers. */
const LINGER_STEP_MS = 700

export class SimulatedShare {
  readonly leases = new Map<string, LeaseRecord>()
  readonly claims = new Map<string, ClaimRecord[]>()
  readonly releases = new Map<string, Map<number, ReleaseRecord>>()
  /** The operator's standing orders with the time of their end; `hold` or the host in maintenance. */
  readonly orders = new Map<string, number>()
  /** Questions to hosts that nobody reaches. */
  readonly pills = new Map<string, PillRecord>()
  /** Hosts (or all, `*`) whose operations wait until the fault ends; then they are applied late. */
  private readonly hung = new Map<string, (() => void)[]>()
  private readonly troubles = new Map<string, ShareTrouble>()
  /** What troubles draw, so that they change nothing in a schedule without them. */
  private readonly weather: RandomStream
  private readonly queue: EventQueue
  private readonly random: RandomStream
  private readonly watcher: ShareWatcher
  private readonly broken: BrokenRules
  private readonly written_ms = new Map<string, number>()
  private readonly cached = new Map<string, { read_ms: number; observation: Observation }>()

  constructor(queue: EventQueue, random: RandomStream, watcher: ShareWatcher, weather: RandomStream, broken: BrokenRules = {}) {
    this.weather = weather
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

  /** Until it is troubled otherwise, or no more (`undefined`); `instead_of`: only if it is that trouble still. */
  trouble(host: string, trouble: ShareTrouble | undefined, instead_of?: ShareTrouble): void {
    if (instead_of && this.troubles.get(host) !== instead_of) return
    if (trouble) this.troubles.set(host, trouble)
    else this.troubles.delete(host)
  }

  private troubleOf(host: string): ShareTrouble | undefined {
    return this.troubles.size === 0 ? undefined : this.troubles.get(host) ?? this.troubles.get('*')
  }

  /** Nothing can be read or written from that host. */
  isAway(host: string): boolean {
    return this.isHung(host) || this.troubleOf(host)?.dead === true
  }

  /** It does not answer that host as fast as the protocol's bounds suppose, or not at all. */
  isTroubled(host: string): boolean {
    return this.isHung(host) || this.troubleOf(host) !== undefined
  }

  isTroubledForAll(): boolean {
    return this.isHungForAll() || this.troubles.has('*')
  }

  private refuses(host: string, what: Access): boolean {
    const trouble = this.troubleOf(host)
    return trouble?.dead === true || (what === 'write' && trouble?.read_only === true)
  }

  /** Applies `operation` after a request's way and answers after the way back. */
  private perform<T>(host: string, operation: () => T, answer: (result: T) => void, refused?: () => void, what: Access = 'write'): void {
    const waiting = this.hung.get(host) ?? this.hung.get('*')
    if (waiting) return void waiting.push(() => this.perform(host, operation, answer, refused, what))
    const way_ms = this.random.between(1, 12)
    const slow_ms = this.troubleOf(host)?.slow_ms ?? 0
    this.queue.after(way_ms + (slow_ms > 0 ? this.weather.between(0, slow_ms) : 0), () => {
      const late = this.hung.get(host) ?? this.hung.get('*')
      if (late) return void late.push(() => this.perform(host, operation, answer, refused, what))
      if (this.refuses(host, what)) return void (refused && this.queue.after(this.random.between(1, 8), refused))
      const result = operation()
      const late_ms = this.troubleOf(host)?.late_answers_ms ?? 0
      this.queue.after(this.random.between(1, 8) + (late_ms > 0 ? this.weather.between(0, late_ms) : 0), () => answer(result))
    })
  }

  renew(record: LeaseRecord, answer: () => void, refused?: () => void): void {
    const issued_ms = this.queue.now_ms
    this.perform(record.host, () => {
      // In place, whatever stands there (share-lease.ts): readers judge the pair (R3).
      this.leases.set(record.host, record)
      this.written_ms.set(record.host, this.queue.now_ms)
      this.watcher.onLease(record, issued_ms)
    }, answer, refused)
  }

  observe(host: string, answer: (observation: Observation) => void, refused?: () => void): void {
    this.perform(host, () => this.broken.reads_cached_ms === undefined ? this.newest() : this.fromCache(host, this.broken.reads_cached_ms), answer, refused, 'read')
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
    const pills = [...this.pills.values()]
    return { leases: shown, claims, orders: this.standingOrders(), ...pills.length > 0 ? { pills } : {} }
  }

  /** By the file server's own clock, as the edge reads them (server-time.ts): no host's wall clock matters. */
  private standingOrders(): StandingOrder[] {
    const { now_ms } = this.queue
    return [...this.orders].filter(([, until_ms]) => until_ms > now_ms).map(([about, until_ms]) => {
      const remaining_ms = until_ms - now_ms
      return about === 'hold' ? { order: 'hold', remaining_ms } : { order: 'maintenance', host: about, remaining_ms }
    })
  }

  /** A lease that nobody renews any more, shown as if somebody did. */
  private lingering(lease: LeaseRecord): LeaseRecord {
    const silent_ms = this.queue.now_ms - (this.written_ms.get(lease.host) ?? -Infinity)
    if (silent_ms > (this.broken.leases_linger_ms ?? 0)) return lease
    return { ...lease, sequence: lease.sequence + Math.floor(silent_ms / LINGER_STEP_MS) }
  }

  claim(host: string, record: ClaimRecord, answer: (outcome: { won: boolean; standing: ClaimRecord | undefined }) => void, refused?: () => void): void {
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
    }, outcome => {
      const lost = this.troubleOf(host)?.claim_answers_lost ?? 0
      if (lost === 0 || this.weather.next() >= lost) answer(outcome)
    }, refused)
  }

  /** Replaced as a whole by whoever asks last. */
  ask(host: string, record: PillRecord, answer: () => void, refused?: () => void): void {
    this.perform(host, () => void this.pills.set(record.host, record), answer, refused)
  }

  release(host: string, record: ReleaseRecord, answer: () => void, refused?: () => void): void {
    this.perform(host, () => {
      const records = this.releases.get(record.function) ?? new Map<number, ReleaseRecord>()
      this.releases.set(record.function, records)
      if (records.has(record.epoch)) return
      this.watcher.onRelease(record)
      records.set(record.epoch, record)
    }, answer, refused)
  }
}
