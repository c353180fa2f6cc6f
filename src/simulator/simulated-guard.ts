/** The guard in virtual time: the same rules as the guard process (R1, R2, R8 and the kernel's address lifetimes). */
import type { Profile } from '../core/profile.ts'
import type { BrokenRules } from './broken-rules.ts'
import type { EventQueue } from './event-queue.ts'
import type { SimulatedShare } from './simulated-share.ts'

/** More than a former guard can have under way. */
const SUCCESSOR_STEP = 1_000

export interface SimulatedCharge {
  readonly function: string
  readonly epoch: number
  readonly kind: 'native' | 'virtual'
  /** Kernel lifetime of the address; a virtual server has none. */
  until_ms: number
}

export interface GuardListener {
  onLease(generation: number, sequence: number, deadline_ms: number): void
  onLost(generation: number, stopped: string[]): void
  /** The kernel or the guard took a VIP away, or a virtual server was killed. */
  onEnded(charge: SimulatedCharge): void
}

export class SimulatedGuard {
  generation: number
  sequence = 0
  deadline_ms = 0
  ride_until_ms = 0
  readonly charges = new Map<string, SimulatedCharge>()
  readonly barred = new Map<string, number>()
  private outstanding = false
  private alive = true
  private readonly host: string
  private readonly profile: Profile
  private readonly queue: EventQueue
  private readonly share: SimulatedShare
  private readonly listener: GuardListener
  private readonly broken: BrokenRules

  constructor(host: string, generation: number, profile: Profile, queue: EventQueue, share: SimulatedShare, listener: GuardListener, broken: BrokenRules = {}) {
    this.host = host
    this.generation = generation
    this.profile = profile
    this.queue = queue
    this.share = share
    this.listener = listener
    this.broken = broken
  }

  /** Renews from now on; what a former guard of this boot left must have been taken over before. */
  begin(): void {
    this.tick()
  }

  /** The process is killed; what the kernel keeps (addresses) runs out by itself. */
  kill(): void {
    this.alive = false
  }

  /** The whole host is gone, and its addresses with it. */
  powerOff(): void {
    this.alive = false
    this.charges.clear()
  }

  private tick(): void {
    if (!this.alive) return
    this.checkDeadline()
    this.renew()
    this.queue.after(this.profile.renew_ms, () => this.tick())
  }

  private renew(): void {
    if (this.outstanding) return
    this.outstanding = true
    const t0_ms = this.queue.now_ms
    const generation = this.generation
    const sequence = (this.sequence += 1)
    this.share.renew({ schema: 'ringward.lease/1', host: this.host, generation, sequence, standing: 'member', boot_id: '' }, () => {
      if (!this.alive) return
      this.outstanding = false
      if (generation === this.generation) this.acknowledged(t0_ms, sequence)
    })
  }

  private acknowledged(t0_ms: number, sequence: number): void {
    const now_ms = this.queue.now_ms
    const deadline_ms = this.deadline_ms || t0_ms + this.profile.stop_ms
    // A late acknowledgement is worth nothing (R1).
    if (now_ms >= deadline_ms) return this.checkDeadline()
    this.deadline_ms = t0_ms + this.profile.stop_ms
    this.extendAddresses(t0_ms)
    this.listener.onLease(this.generation, sequence, this.deadline_ms)
    this.queue.at(this.deadline_ms, () => this.checkDeadline())
  }

  /** Whole seconds only, ending before t0 + D_gone (protocol 3, R2); the kernel is up to 300 ms late. */
  private extendAddresses(t0_ms: number): void {
    const lifetime_s = Math.floor((t0_ms + this.profile.gone_ms - this.queue.now_ms - 300) / 1_000)
    if (lifetime_s >= 1) this.extendUntil(this.queue.now_ms + lifetime_s * 1_000 + 300)
  }

  private extendUntil(until_ms: number): void {
    for (const charge of this.charges.values()) {
      if (charge.kind !== 'native' || charge.until_ms >= until_ms) continue
      charge.until_ms = until_ms
      if (this.broken.addresses_never_expire) continue
      this.queue.at(until_ms, () => {
        if (charge.until_ms <= this.queue.now_ms && this.charges.get(charge.function) === charge) this.listener.onEnded(charge)
      })
    }
  }

  private checkDeadline(): void {
    const now_ms = this.queue.now_ms
    if (!this.alive || this.broken.guard_never_stops) return
    if (this.deadline_ms !== 0 && now_ms >= this.deadline_ms) this.lose()
    if (this.deadline_ms !== 0 || now_ms < this.ride_until_ms) return
    const stopped = this.endCharges(() => true)
    if (stopped.length > 0) this.listener.onLost(this.generation, stopped)
  }

  private lose(): void {
    this.generation += 1
    this.sequence = 0
    this.deadline_ms = 0
    const rides = this.queue.now_ms < this.ride_until_ms
    const stopped = this.endCharges(charge => charge.kind === 'virtual' || !rides)
    this.listener.onLost(this.generation, stopped)
  }

  private endCharges(which: (charge: SimulatedCharge) => boolean): string[] {
    const ended = [...this.charges.values()].filter(which)
    for (const charge of ended) {
      this.charges.delete(charge.function)
      this.listener.onEnded(charge)
    }
    return ended.map(charge => charge.function)
  }

  ride(until_ms: number): void {
    this.ride_until_ms = Math.max(this.ride_until_ms, until_ms)
    this.extendUntil(until_ms)
    this.queue.at(until_ms, () => this.checkDeadline())
  }

  /** The reason for the refusal, or undefined when it is in charge now. */
  arm(charge: Omit<SimulatedCharge, 'until_ms'>, generation: number, margin_ms: number): string | undefined {
    const now_ms = this.queue.now_ms
    if (!this.alive) return 'the guard is not running'
    if (generation !== this.generation) return `generation ${generation} is over`
    if (this.deadline_ms - now_ms < margin_ms) return 'the lease is not good for long enough'
    if ((this.barred.get(charge.function) ?? 0) >= charge.epoch) return `epoch ${charge.epoch} is barred`
    this.charges.set(charge.function, { ...charge, until_ms: 0 })
    if (charge.kind === 'native') this.extendUntil(this.deadline_ms)
    return undefined
  }

  disarm(name: string): void {
    const charge = this.charges.get(name)
    if (!charge) return
    this.charges.delete(name)
    this.listener.onEnded(charge)
  }

  bar(name: string, epoch: number): void {
    this.barred.set(name, Math.max(epoch, this.barred.get(name) ?? 0))
    const charge = this.charges.get(name)
    if (charge && charge.epoch <= epoch) this.disarm(name)
  }

  /** What a successor of the process on the same boot takes over. */
  succeed(former: SimulatedGuard): void {
    const now_ms = this.queue.now_ms
    for (const [name, epoch] of former.barred) this.barred.set(name, epoch)
    if (former.deadline_ms > now_ms) {
      // As the guard process does: the same pair written twice would not look like a renewal to observers.
      this.sequence = former.sequence + SUCCESSOR_STEP
      this.deadline_ms = former.deadline_ms
      this.ride_until_ms = former.ride_until_ms
      for (const charge of former.charges.values()) {
        if (charge.kind === 'native' && charge.until_ms <= now_ms) continue
        this.charges.set(charge.function, charge)
      }
      return
    }
    this.generation = former.generation + 1
    for (const charge of former.charges.values()) this.listener.onEnded(charge)
  }
}
