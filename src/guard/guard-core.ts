import type { Profile } from '../core/profile.ts'
import { listsJust, type Observation } from '../core/records.ts'
import type { Charge, GuardStatus, NativeCharge } from './guard-protocol.ts'

/**
 * The guard's rules (R1, R2, R8) without any I/O: time comes as an argument, what to do comes as a result.
 * A lease is good until `deadline_ms`; whatever is in charge after that is stopped and the generation grows.
 */

/** An agent that does not come back in this time ends the functions: nobody manages them. */
export const AGENT_LIMIT_MS = 60_000
/** Functions on one host, native and virtual; far above what a host can run. */
export const CHARGES_LIMIT = 64
/** Overshoot of the kernel's address lifetime: 0.0–0.3 s were measured. */
const LIFETIME_OVERSHOOT_MS = 300
/** The next run of a guard starts at a sequence nobody can have used: attempts within one lease are far fewer. */
const SEQUENCE_JUMP = 1_000

/**
 * How far beyond the share a host begins whose disk is older: records of its former life may have been issued under generations that the share does not
 * show yet, one for each lease that was lost while it hung, and be carried out late. Under one of those the new life's own would count for older.
 */
const GENERATIONS_JUMP = 16

/** The newest generation that the share shows of this host: its lease may have been damaged, its claims never change. */
export function generationShown(host: string, { leases, claims }: Pick<Observation, 'leases' | 'claims'>): number {
  const claimed = claims.filter(({ claim }) => claim.holder === host).map(({ claim }) => claim.generation)
  return Math.max(0, leases.find(lease => lease.host === host)?.generation ?? 0, ...claimed)
}

export interface GuardMemory {
  readonly generation: number
  readonly sequence: number
  readonly issued_ms: number
  readonly deadline_ms: number
  readonly ride_until_ms: number
  readonly charges: readonly Charge[]
  readonly barred: Readonly<Record<string, number>>
  readonly electorate?: readonly string[]
  readonly listed?: readonly string[]
  /** How many of each of these may be missing; absent: none. */
  readonly may_miss?: number
  readonly listed_may_miss?: number
}

export interface Renewal {
  readonly generation: number
  readonly sequence: number
  /** Read before the write is issued. */
  readonly issued_ms: number
  readonly electorate?: readonly string[]
  readonly may_miss?: number
}

export interface Stop {
  readonly why: string
  readonly charges: readonly Charge[]
  readonly generation: number
}

export class GuardCore {
  private readonly profile: Profile
  private generation: number
  private sequence = 0
  private deadline_ms = 0
  /** t0 of the renewal the deadline counts from. */
  private issued_ms = 0
  /** t0 of the first renewal under this generation; undefined before it. */
  private begun_ms: number | undefined
  /** This generation can have no lease any more: its first came too late. */
  private too_late = false
  private ride_until_ms = 0
  private outstanding: Renewal | undefined
  private next_renewal_ms = 0
  private renew_latency_ms = 0
  private readonly charges = new Map<string, Charge>()
  private readonly barred = new Map<string, number>()
  private agent_gone_since_ms: number | undefined
  private leaving = false
  /** When the kernel was last told how long the addresses live. */
  private extended_ms = -Infinity
  /** The share has said which generations were used before: until then nothing is renewed, for this disk may be older than it. */
  private compared = false
  /** R9: whom the agent asks for promises; the next records say so. */
  private electorate: readonly string[] | undefined
  /** Every name a record of ours on the share may list; undefined while one may list none, and be taken by anybody for silent. */
  private listed: readonly string[] | undefined
  /** R8 by majority: how many of the electorate a ride may miss, and of those the records list: what the strictest of them allows. */
  private may_miss = 0
  private listed_may_miss = 0

  /** A fresh start under a generation never used before. */
  constructor(profile: Profile, generation: number, now_ms: number) {
    this.profile = profile
    this.generation = generation
    this.agent_gone_since_ms = now_ms
  }

  /** Goes on where a killed guard stopped; undefined when its lease (and its ride) has run out meanwhile. */
  static resume(profile: Profile, memory: GuardMemory, now_ms: number): GuardCore | undefined {
    if (now_ms >= Math.max(memory.deadline_ms, memory.ride_until_ms)) return undefined
    const core = new GuardCore(profile, memory.generation, now_ms)
    core.sequence = memory.sequence + SEQUENCE_JUMP
    core.deadline_ms = memory.deadline_ms
    core.issued_ms = memory.issued_ms
    // Records without a lease may stand on the share for any time.
    core.begun_ms = memory.deadline_ms > 0 ? memory.issued_ms : -Infinity
    core.ride_until_ms = memory.ride_until_ms
    core.electorate = memory.electorate
    core.listed = memory.listed
    core.may_miss = memory.may_miss ?? 0
    core.listed_may_miss = memory.listed_may_miss ?? 0
    core.compared = true
    for (const charge of memory.charges) core.charges.set(charge.function, charge)
    for (const [name, epoch] of Object.entries(memory.barred)) core.barred.set(name, epoch)
    return core
  }

  memory(): GuardMemory {
    const { generation, sequence, issued_ms, deadline_ms, ride_until_ms, electorate, listed, may_miss, listed_may_miss } = this
    return {
      generation, sequence, issued_ms, deadline_ms, ride_until_ms, charges: [...this.charges.values()], barred: Object.fromEntries(this.barred),
      ...electorate ? { electorate } : {}, ...listed ? { listed } : {}, ...may_miss > 0 ? { may_miss } : {}, ...listed_may_miss > 0 ? { listed_may_miss } : {},
    }
  }

  status(now_ms: number): GuardStatus {
    const { generation, sequence, deadline_ms, ride_until_ms, charges, barred, listed, listed_may_miss: may_miss } = this.memory()
    return { generation, sequence, deadline_ms, ride_until_ms, good: now_ms < deadline_ms, renew_latency_ms: this.renew_latency_ms, charges, barred, ...listed ? { electorate: listed } : {}, ...listed && may_miss ? { may_miss } : {} }
  }

  get present_generation(): number {
    return this.generation
  }

  /** A read of the share, begun after this guard, has shown `generation` (`generationShown`): go beyond. Only now may the first renewal be issued. */
  goBeyond(generation: number): void {
    if (this.compared) return
    this.compared = true
    if (generation >= this.generation) this.generation = generation + GENERATIONS_JUMP
  }

  get is_compared(): boolean {
    return this.compared
  }

  // R1: renewal

  /** Begins a renewal when one is due; `now_ms` is its t0. One outstanding at most; none without an agent to manage. */
  renew(now_ms: number): Renewal | undefined {
    if (!this.compared || this.outstanding || this.leaving || this.agentLost(now_ms) || now_ms < this.next_renewal_ms) return undefined
    return this.issue(now_ms)
  }

  private issue(now_ms: number): Renewal {
    this.sequence++
    this.begun_ms ??= now_ms
    this.next_renewal_ms = now_ms + this.profile.renew_ms
    const { electorate, may_miss } = this
    // From its issue on the record may stand on the share, acknowledged or not.
    if (electorate) this.listed &&= [...new Set([...this.listed, ...electorate])]
    else this.listed = undefined
    this.listed_may_miss = Math.min(this.listed_may_miss, may_miss)
    this.outstanding = { generation: this.generation, sequence: this.sequence, issued_ms: now_ms, ...electorate ? { electorate } : {}, ...electorate && may_miss > 0 ? { may_miss } : {} }
    return this.outstanding
  }

  /**
   * The write has been acknowledged after fsync. True when that was in time: under the present generation and before its deadline. The caller has called
   * `overdue` first. The first lease of a generation must come within D_stop of the first record: whoever read that one may have counted its silence and
   * claim by it. What comes later is no lease, and another generation begins (`overdue`).
   */
  acknowledged(renewal: Renewal, now_ms: number): boolean {
    if (this.outstanding === renewal) this.outstanding = undefined
    if (renewal.generation !== this.generation) return false
    const deadline_ms = renewal.issued_ms + this.profile.stop_ms
    if (now_ms >= deadline_ms || deadline_ms <= this.deadline_ms) return false
    if (this.deadline_ms === 0 && now_ms >= this.begun_ms! + this.profile.stop_ms) {
      this.too_late = true
      return false
    }
    this.deadline_ms = deadline_ms
    this.issued_ms = renewal.issued_ms
    // What stands on the share now is this record or one issued after it; none is while this one was outstanding.
    this.listed = renewal.electorate
    this.listed_may_miss = renewal.may_miss ?? 0
    this.renew_latency_ms = now_ms - renewal.issued_ms
    return true
  }

  /** The write failed or its outcome is unknown; the next one is issued in its turn. */
  failed(renewal: Renewal): void {
    if (this.outstanding === renewal) this.outstanding = undefined
  }

  /** True when a renewal should have been acknowledged by now (1.5 r): the agent asks for promises (R8). */
  late(now_ms: number): boolean {
    return this.deadline_ms > 0 && now_ms - this.issued_ms > 1.5 * this.profile.renew_ms
  }

  // R2: stop

  /** What must be stopped now, or undefined. To be called first whenever the guard wakes. */
  overdue(now_ms: number): Stop | undefined {
    if (this.leaving) return undefined
    if (this.agentLost(now_ms) && (this.charges.size > 0 || this.deadline_ms > 0)) return this.lose(() => true, 'no agent came back', now_ms)
    if (this.deadline_ms > 0 && now_ms >= this.deadline_ms) {
      const riding = now_ms < this.ride_until_ms
      return this.lose(charge => !riding || charge.kind === 'virtual', 'the lease was not renewed in time', now_ms)
    }
    if (this.deadline_ms === 0 && this.charges.size > 0 && now_ms >= this.ride_until_ms) return this.lose(() => true, 'the promises of the other members ended', now_ms)
    return this.too_late ? this.lose(() => false, 'the first renewal of its generation was not acknowledged in time', now_ms) : undefined
  }

  private lose(stops: (charge: Charge) => boolean, why: string, now_ms: number): Stop {
    const stopped = [...this.charges.values()].filter(stops)
    for (const charge of stopped) this.charges.delete(charge.function)
    this.generation++
    this.sequence = 0
    this.begun_ms = undefined
    this.too_late = false
    this.deadline_ms = 0
    this.outstanding = undefined
    this.next_renewal_ms = now_ms
    return { why, charges: stopped, generation: this.generation }
  }

  // Charges

  /** Undefined when the charge is taken, else the reason why not. */
  arm(charge: Charge, generation: number, margin_ms: number, now_ms: number): string | undefined {
    const standing = this.charges.get(charge.function)
    if (this.leaving) return 'the guard is leaving'
    if (generation !== this.generation) return `generation ${generation} is over, the present one is ${this.generation}`
    if (this.deadline_ms - now_ms < Math.max(margin_ms, 1)) return `the lease is not good for ${margin_ms} ms more`
    if (charge.epoch <= (this.barred.get(charge.function) ?? 0)) return `epoch ${charge.epoch} of ${charge.function} is barred`
    if (standing && standing.epoch > charge.epoch) return `${charge.function} is in charge under the newer epoch ${standing.epoch}`
    if (!standing && this.charges.size >= CHARGES_LIMIT) return `${CHARGES_LIMIT} functions are in charge already`
    this.charges.set(charge.function, charge)
    return undefined
  }

  /** The charge that ended, if there was one. */
  disarm(name: string): Charge | undefined {
    const charge = this.charges.get(name)
    this.charges.delete(name)
    return charge
  }

  /** Ends a charge of that epoch or an older one and refuses them from now on. */
  bar(name: string, epoch: number): Charge | undefined {
    if (this.barred.size >= CHARGES_LIMIT && !this.barred.has(name)) this.barred.delete(this.barred.keys().next().value ?? '')
    this.barred.set(name, Math.max(epoch, this.barred.get(name) ?? 0))
    const charge = this.charges.get(name)
    return charge && charge.epoch <= epoch ? this.disarm(name) : undefined
  }

  charge(name: string): Charge | undefined {
    return this.charges.get(name)
  }

  isHeld(charge: Charge): boolean {
    return this.charges.get(charge.function) === charge
  }

  natives(): NativeCharge[] {
    return [...this.charges.values()].filter(charge => charge.kind === 'native')
  }

  all(): Charge[] {
    return [...this.charges.values()]
  }

  /** Until a record on the share lists just these, an outage ends the ride sooner than it must: the next one is due at once, not at its turn. */
  electorateIs(names: readonly string[], now_ms: number, may_miss = 0): void {
    this.electorate = names
    this.may_miss = may_miss
    if (!listsJust(this.listed, names) || this.listed_may_miss !== may_miss) this.next_renewal_ms = Math.min(this.next_renewal_ms, now_ms)
  }

  /**
   * R8. No promise lives longer than the profile says, so neither does a ride. R9: everybody whom a record of ours may list, and who may
   * therefore take its silence for proof, must be among those who promised, but for as many as each of those records lets a ride miss. Undefined when the ride is granted, else the reason why not.
   */
  ride(until_ms: number, promised: readonly string[], now_ms: number): string | undefined {
    if (!this.listed) return 'no lease record says yet who is asked for promises'
    const missing = this.listed.filter(name => !promised.includes(name))
    if (missing.length > this.listed_may_miss) return `${missing.join(', ')} may still claim by silence and did not promise`
    this.ride_until_ms = Math.max(this.ride_until_ms, Math.min(until_ms, now_ms + this.profile.promise_ms))
    return undefined
  }

  /** Boot-clock time by which a charge must be gone whatever software does. */
  goneBy_ms(charge: Charge): number {
    const legal_ms = charge.kind === 'native' ? Math.max(this.deadline_ms, this.ride_until_ms) : this.deadline_ms
    return legal_ms + this.profile.gone_ms - this.profile.stop_ms
  }

  /** Whole seconds of life the kernel may give an address now; below 1 none. */
  lifetime_s(charge: Charge, now_ms: number): number {
    return Math.floor((this.goneBy_ms(charge) - now_ms - LIFETIME_OVERSHOOT_MS) / 1_000)
  }

  extended(now_ms: number): void {
    this.extended_ms = now_ms
  }

  /**
   * The kernel counts whole seconds, so an address may end up to one second before it must. Told again each interval it lives on while lease or ride do, also
   * when nothing new was acknowledged or promised meanwhile.
   */
  extensionDue(now_ms: number): boolean {
    return !this.leaving && now_ms - this.extended_ms >= this.profile.renew_ms && this.natives().length > 0
  }

  // Agent and leave

  agentPresent(present: boolean, now_ms: number): void {
    if (present) this.agent_gone_since_ms = undefined
    else this.agent_gone_since_ms ??= now_ms
  }

  private agentLost(now_ms: number): boolean {
    return this.agent_gone_since_ms !== undefined && now_ms - this.agent_gone_since_ms >= AGENT_LIMIT_MS
  }

  /** From here on nothing is renewed or stopped by time; the returned renewal carries the last record. None for who has never renewed, nor might. */
  leave(now_ms: number): Renewal | undefined {
    this.leaving = true
    return this.compared ? this.issue(now_ms) : undefined
  }

  /** When the guard must look again at the latest. */
  nextWake_ms(now_ms: number): number {
    const times = [now_ms + this.profile.renew_ms]
    // One that is due and was not issued waits for something that wakes the guard by itself.
    if (!this.outstanding && this.next_renewal_ms > now_ms) times.push(this.next_renewal_ms)
    if (this.deadline_ms > 0) times.push(this.deadline_ms)
    if (this.ride_until_ms > now_ms) times.push(this.ride_until_ms)
    return Math.min(...times)
  }
}
