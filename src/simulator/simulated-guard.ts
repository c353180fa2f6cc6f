/** The guard process in virtual time: its real rules (`GuardCore`), driven by the simulated share, clock and kernel. */
import type { Profile } from '../core/profile.ts'
import { generationShown, GuardCore, type GuardMemory, type Renewal } from '../guard/guard-core.ts'
import type { Charge } from '../guard/guard-protocol.ts'
import type { BrokenRules } from './broken-rules.ts'
import type { OwnTimer, SimulatedClock } from './simulated-clock.ts'
import type { EventQueue } from './event-queue.ts'
import type { SimulatedShare } from './simulated-share.ts'

/** The kernel is up to that much late to end an address (measured: 0.0–0.3 s). */
const KERNEL_LATE_MS = 300
/** The watchdog process kills a virtual server, and ends an address for which no whole second fits, that much before D_gone. */
const WATCHDOG_EARLY_MS = 100

export interface GuardListener {
  onLease(generation: number, sequence: number, deadline_ms: number, electorate: readonly string[] | undefined, may_miss: number | undefined): void
  onLost(generation: number, stopped: string[]): void
  /** The kernel or the guard took a VIP away, or a virtual server was killed. */
  onEnded(charge: Charge): void
  /** The guard tells the kernel the life of a VIP again: where somebody has taken it off, it is put there again. */
  onPlaced(name: string): void
  /** That charge was ended by a bar. */
  onBarred(name: string, epoch: number): void
}

export interface GuardWorld {
  readonly host: string
  readonly profile: Profile
  readonly queue: EventQueue
  readonly clock: SimulatedClock
  readonly share: SimulatedShare
  readonly broken: BrokenRules
  /** How late its timers are now. */
  lateness_ms(): number
}

export class SimulatedGuard {
  private readonly core: GuardCore
  private readonly world: GuardWorld
  private readonly listener: GuardListener
  /** When the kernel ends each native function's address; it outlives the process and passes to its successor. */
  private readonly address_until_ms: Map<string, number>
  /** When the watchdog kills each virtual server; it outlives the guard likewise. */
  private readonly killed_at_ms: Map<string, number>
  private alive = true
  private readonly timer: OwnTimer
  /** Stopped by a signal: what has come meanwhile, in its order. The kernel goes on. */
  private held: (() => void)[] | undefined
  /** With everything else of the host, the watchdog too. */
  private stopped_with_all = false
  /** By how many faults the guard alone is stopped: the watchdog and the agent go on, and whoever asks gets no answer. */
  private stops_alone = 0

  /** A first guard of a boot under a fresh generation, or the successor of a killed one. */
  constructor(world: GuardWorld, generation: number, listener: GuardListener, former?: SimulatedGuard) {
    const { profile, clock } = world
    this.world = world
    this.listener = listener
    this.timer = clock.timer(() => this.look())
    this.address_until_ms = former?.address_until_ms ?? new Map<string, number>()
    this.killed_at_ms = former?.killed_at_ms ?? new Map<string, number>()
    const memory: GuardMemory | undefined = former?.core.memory()
    const resumed = memory && GuardCore.resume(profile, memory, clock.now_ms)
    this.core = resumed ?? new GuardCore(profile, generation, clock.now_ms)
    if (memory && !resumed) {
      for (const [name, epoch] of Object.entries(memory.barred)) this.core.bar(name, epoch)
      for (const charge of memory.charges) listener.onEnded(charge)
    }
  }

  get running(): boolean {
    return this.alive
  }

  /** A disk that was not put back is never behind the share: what is read there before the first renewal (guard.ts, `compare`) changes nothing. */
  begin(): void {
    this.core.goBeyond(0)
    this.look()
  }

  /** A disk that was put back knows an older generation. `onCompared`: the one to begin is stored now. */
  beginFromOldDisk(onCompared: () => void): void {
    const { share, host, queue, profile } = this.world
    share.observe(host, observation => this.whenThawed(() => {
      if (this.core.is_compared || !this.alive) return
      this.core.goBeyond(generationShown(host, observation))
      onCompared()
      this.look()
    }))
    queue.after(profile.stop_ms, () => !this.core.is_compared && this.alive && this.beginFromOldDisk(onCompared))
  }

  /** Whoever asks it something gets an answer. */
  get answers(): boolean {
    return this.alive && this.stops_alone === 0
  }

  freeze(): void {
    this.stopped_with_all = true
    this.held ??= []
  }

  thaw(): void {
    this.stopped_with_all = false
    this.goOn()
  }

  freezeAlone(): void {
    this.stops_alone += 1
    this.held ??= []
  }

  thawAlone(): void {
    this.stops_alone -= 1
    this.goOn()
  }

  /** Overdue timers run before anything that has come meanwhile is read. */
  private goOn(): void {
    if (this.stopped_with_all || this.stops_alone > 0) return
    const { held } = this
    this.held = undefined
    if (!held) return
    for (const [name, until_ms] of this.killed_at_ms) if (until_ms <= this.world.clock.now_ms) this.killMachine(name)
    this.look()
    for (const run of held) run()
  }

  private whenThawed(run: () => void): void {
    if (this.held) this.held.push(run)
    else run()
  }

  get generation(): number {
    return this.core.present_generation
  }

  charge(name: string): Charge | undefined {
    return this.core.charge(name)
  }

  charges(): Charge[] {
    return this.core.all()
  }

  /** The process is killed; what the kernel keeps (addresses) runs out by itself. */
  kill(): void {
    this.alive = false
  }

  /** The whole host is gone, and its addresses with it. */
  powerOff(): void {
    this.alive = false
    this.address_until_ms.clear()
    this.killed_at_ms.clear()
  }

  agentPresent(present: boolean): void {
    this.core.agentPresent(present, this.world.clock.now_ms)
  }

  /** One turn: what is overdue is stopped first, then a renewal that is due is issued. */
  private look(): void {
    if (!this.alive || this.held) return
    const { clock } = this.world
    this.stopOverdue()
    if (this.core.extensionDue(clock.now_ms)) this.extend()
    const renewal = this.core.renew(clock.now_ms)
    if (renewal) this.issue(renewal)
    this.timer.set(Math.max(this.core.nextWake_ms(clock.now_ms), clock.now_ms + 1) + this.world.lateness_ms())
  }

  private stopOverdue(): void {
    const stop = this.core.overdue(this.world.clock.now_ms)
    // A guard that does not stop does not say that it had to either.
    if (!stop || this.world.broken.guard_never_stops) return
    for (const charge of stop.charges) this.ended(charge)
    this.listener.onLost(stop.generation, stop.charges.map(charge => charge.function))
  }

  private issue(renewal: Renewal): void {
    const { share, queue, clock, host, profile } = this.world
    let open = true
    const failed = (): void => {
      if (!open) return
      open = false
      this.core.failed(renewal)
      this.look()
    }
    share.renew({ schema: 'ringward.lease/1', host, generation: renewal.generation, sequence: renewal.sequence, standing: 'member', boot_id: '', ...renewal.electorate ? { electorate: renewal.electorate } : {}, ...renewal.may_miss === undefined ? {} : { may_miss: renewal.may_miss } }, () => this.whenThawed(() => {
      if (!open || !this.alive) return
      open = false
      this.stopOverdue()
      if (this.core.acknowledged(renewal, clock.now_ms)) this.renewed()
      this.look()
    }), () => this.whenThawed(failed))
    // The share helper gives the write up after D_stop: then it is worth nothing any more.
    queue.after(profile.stop_ms, () => this.whenThawed(failed))
  }

  private renewed(): void {
    const { generation, sequence, deadline_ms, electorate, may_miss } = this.core.status(this.world.clock.now_ms)
    this.extend()
    this.listener.onLease(generation, sequence, deadline_ms, electorate, may_miss)
  }

  private extend(): void {
    const { clock, broken } = this.world
    this.core.extended(clock.now_ms)
    for (const charge of this.core.all()) if (charge.kind === 'virtual') this.extendMachine(charge)
    for (const charge of this.core.natives()) {
      const lifetime_s = this.core.lifetime_s(charge, clock.now_ms)
      const until_ms = lifetime_s >= 1 ? clock.now_ms + lifetime_s * 1_000 + KERNEL_LATE_MS : this.core.goneBy_ms(charge) - WATCHDOG_EARLY_MS
      const name = charge.function
      this.address_until_ms.set(name, until_ms)
      if (until_ms > clock.now_ms) this.listener.onPlaced(name)
      if (broken.addresses_never_expire) continue
      clock.at(until_ms, () => {
        if (this.address_until_ms.get(name) === until_ms) this.listener.onEnded(charge)
      })
    }
  }

  private extendMachine(charge: Charge): void {
    const { clock, broken } = this.world
    const until_ms = this.core.goneBy_ms(charge) - WATCHDOG_EARLY_MS
    if (broken.guard_never_stops) return
    this.killed_at_ms.set(charge.function, until_ms)
    clock.at(until_ms, () => {
      if (!this.stopped_with_all && this.killed_at_ms.get(charge.function) === until_ms) this.killMachine(charge.function)
    })
  }

  private killMachine(name: string): void {
    this.killed_at_ms.delete(name)
    this.listener.onEnded({ function: name, kind: 'virtual', epoch: 0, virtual_server: name, pid: 1, pid_start: '1' })
  }

  /** Management ends: addresses stay for ever, the last record says `unmanaged`. */
  leave(): void {
    if (!this.alive) return
    this.alive = false
    // One that does not answer is killed, and says nothing more.
    if (this.stops_alone > 0) return
    this.address_until_ms.clear()
    this.killed_at_ms.clear()
    this.lastWord('unmanaged')
  }

  private lastWord(standing: 'unmanaged' | 'goodbye'): void {
    const { share, clock, host } = this.world
    const last = this.core.leave(clock.now_ms)
    if (last) share.renew({ schema: 'ringward.lease/1', host, generation: last.generation, sequence: last.sequence, standing, boot_id: '' }, () => undefined)
  }

  electorateIs(names: readonly string[], may_miss?: number): void {
    if (!this.answers) return
    this.core.electorateIs(names, this.world.clock.now_ms, may_miss)
    this.look()
  }

  ride(until_ms: number, promised: readonly string[]): void {
    if (!this.answers || this.core.ride(until_ms, promised, this.world.clock.now_ms) !== undefined) return
    this.extend()
    this.look()
  }

  /** The reason for the refusal, or undefined when it is in charge now. */
  arm(about: Pick<Charge, 'function' | 'epoch' | 'kind'>, generation: number, margin_ms: number): string | undefined {
    if (!this.answers) return 'the guard is not running'
    const { clock } = this.world
    const charge: Charge = about.kind === 'native'
      ? { ...about, kind: 'native', vip: about.function, prefix: 32, device: 'simulated' }
      : { ...about, kind: 'virtual', virtual_server: about.function, pid: 1, pid_start: '1' }
    const refused = this.core.arm(charge, generation, margin_ms, clock.now_ms)
    if (refused === undefined) this.extend()
    return refused
  }

  /** Everything in charge ends, then the last record is written; it may be lost, and then silence tells the same. */
  goodbye(): void {
    if (!this.answers) return this.kill()
    for (const charge of this.core.all()) this.ended(this.core.disarm(charge.function))
    this.lastWord('goodbye')
    this.kill()
  }

  disarm(name: string): void {
    if (this.answers) this.ended(this.core.disarm(name))
  }

  bar(name: string, epoch: number): void {
    if (!this.answers || this.world.broken.bar_lies) return
    const ended = this.core.bar(name, epoch)
    this.ended(ended)
    if (ended) this.listener.onBarred(name, ended.epoch)
  }

  private ended(charge: Charge | undefined): void {
    if (!charge) return
    this.address_until_ms.delete(charge.function)
    this.killed_at_ms.delete(charge.function)
    this.listener.onEnded(charge)
  }
}
