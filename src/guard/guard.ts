import type { LeaseRecord, LeaseStanding } from '../core/records.ts'
import type { Profile } from '../core/profile.ts'
import type { Clock } from '../edges/clock.ts'
import type { Share } from '../edges/share/share.ts'
import { reasonOf } from '../errors.ts'
import type { AddressControl } from './address-control.ts'
import { addressKey, AddressKeeper } from './address-keeper.ts'
import { generationShown, GuardCore, type Renewal, type Stop } from './guard-core.ts'
import type { GuardFiles } from './guard-files.ts'
import type { GuardLog } from './guard-log.ts'
import type { Charge, GuardNotice, GuardReply, GuardRequest, NativeCharge } from './guard-protocol.ts'
import { endProcess, isAlive, killProcess } from './processes.ts'
import type { Watched, Watchdog } from './watchdog.ts'

export interface GuardParts {
  readonly host: string
  readonly boot_id: string
  readonly profile: Profile
  readonly share: Share
  readonly clock: Clock
  readonly addresses: AddressControl
  readonly watchdog: Pick<Watchdog, 'pet' | 'mark' | 'kill' | 'abandon'>
  readonly files: GuardFiles
  readonly log: GuardLog
  broadcast(notice: GuardNotice): void
  /** The guard has left and is to end. */
  onLeft(): void
}

/** The watchdog acts this much before the last moment: starting `ip` takes 2–50 ms. */
const WATCHDOG_MARGIN_MS = 100
/** Below this D_gone no whole second of kernel lifetime fits; 1 s then is only the belt to the watchdog (profile `fast`). */
const LIFETIME_MIN_GONE_MS = 1_300
/** One look at the share before the first renewal; tried again until it succeeds. */
const COMPARE_LIMIT_MS = 5_000
/** Leaving must be over within 2 s, with or without the share. */
const LEAVE_LIMIT_MS = 1_200
const LEAVE_MIN_MS = 200
/** A generation that could not be stored is tried again after this. */
const STORE_AGAIN_MS = 500

/** Renews the lease, gives addresses their life, and stops everything at the deadline. It decides nothing else. */
export class Guard {
  private readonly parts: GuardParts
  private readonly keeper: AddressKeeper
  private readonly core: GuardCore
  private timer: NodeJS.Timeout | undefined
  private renewing: Promise<void> = Promise.resolve()
  private comparing = false
  private stored_generation = 0
  private storing = false
  private last_problem = ''
  private keeps_state = true
  private told_late_ms = 0
  private over = false
  /** Ended charges whose address is still to be removed; one per function. */
  private readonly leftovers = new Map<string, NativeCharge>()
  /** Charges whose address was on the device by our doing. */
  private readonly placed = new WeakSet<Charge>()

  /** Takes over what a killed guard left, or stops it and starts afresh. */
  constructor(parts: GuardParts) {
    this.parts = parts
    this.keeper = new AddressKeeper(parts.addresses)
    const now_ms = parts.clock.boot_ms()
    const stored = parts.files.recall()
    const resumed = stored?.same_boot ? GuardCore.resume(parts.profile, stored.memory, now_ms) : undefined
    const last_generation = Math.max(parts.files.lastGeneration(), stored?.memory.generation ?? 0)
    this.core = resumed ?? new GuardCore(parts.profile, last_generation + 1, now_ms)
    this.stored_generation = parts.files.lastGeneration()
    if (stored && !resumed) this.stopAll(stored.same_boot ? stored.memory.charges : stored.memory.charges.filter(({ kind }) => kind === 'native'))
    this.keepState()
    if (stored?.same_boot && stored.watchdog) killProcess(stored.watchdog)
    parts.log('info', resumed ? 'the guard goes on with the lease of the former one' : 'the guard starts afresh', { generation: this.core.present_generation })
  }

  start(): void {
    this.wake()
  }

  greeting(): GuardNotice {
    return { notice: 'lease', status: this.core.status(this.parts.clock.boot_ms()) }
  }

  agentsPresent(present: boolean): void {
    this.core.agentPresent(present, this.parts.clock.boot_ms())
    this.wake()
  }

  /** Ends without leaving: the state stays for the next guard, the watchdog keeps the last times. */
  end(): void {
    this.over = true
    clearTimeout(this.timer)
    this.keepState()
    this.parts.watchdog.abandon()
  }

  async handle(request: GuardRequest): Promise<Omit<GuardReply, 'reply'>> {
    this.wake()
    const now_ms = this.parts.clock.boot_ms()
    switch (request.verb) {
      case 'status': return { ok: true, status: this.core.status(now_ms) }
      case 'arm': return this.arm(request.charge, request.generation, request.margin_ms)
      case 'disarm': return this.release(request.function, this.core.disarm(request.function), false)
      case 'bar': return this.bar(request.function, request.epoch)
      case 'ride':
        return this.ride(request.until_ms, request.promised, now_ms)
      case 'electorate':
        this.core.electorateIs(request.names, now_ms, request.may_miss)
        this.wake()
        return { ok: true }
      case 'leave': return this.leave(request.standing)
    }
  }

  /** Every entrance comes through here first: what is overdue is stopped before anything else happens. */
  private wake(): void {
    if (this.over) return
    clearTimeout(this.timer)
    const stop = this.core.overdue(this.parts.clock.boot_ms())
    if (stop) this.carryOut(stop)
    if (this.core.extensionDue(this.parts.clock.boot_ms())) this.extendAddresses()
    this.prepare()
    this.renew()
    const now_ms = this.parts.clock.boot_ms()
    if (this.core.late(now_ms) && now_ms - this.told_late_ms >= this.parts.profile.renew_ms) {
      this.told_late_ms = now_ms
      this.parts.broadcast(this.greeting())
    }
    this.timer = setTimeout(() => { this.wake() }, Math.max(1, this.core.nextWake_ms(now_ms) - now_ms))
  }

  // R1

  /** Before the first renewal of a generation: never used on the share, and stored on disk. */
  private prepare(): void {
    if (!this.core.is_compared) return void this.compare()
    const generation = this.core.present_generation
    if (this.storing || this.stored_generation === generation) return
    this.storing = true
    void this.parts.files.storeGeneration(generation).then(
      () => { this.stored_generation = generation },
      async (error: unknown) => {
        this.problem(`the generation cannot be stored: ${reasonOf(error)}; free room in the local state folder`)
        await new Promise(resolve => setTimeout(resolve, STORE_AGAIN_MS))
      },
    ).then(() => { this.storing = false; this.wake() })
  }

  private async compare(): Promise<void> {
    if (this.comparing) return
    this.comparing = true
    try {
      this.core.goBeyond(generationShown(this.parts.host, await this.parts.share.observe({ deadline_ms: COMPARE_LIMIT_MS })))
      this.wake()
    } catch (error) {
      this.problem(`the former lease cannot be read: ${reasonOf(error)}`)
      await new Promise(resolve => setTimeout(resolve, this.parts.profile.renew_ms))
    } finally {
      this.comparing = false
    }
  }

  private renew(): void {
    if (this.stored_generation !== this.core.present_generation) return
    const { listed, listed_may_miss } = this.core.memory()
    const renewal = this.core.renew(this.parts.clock.boot_ms())
    if (!renewal) return
    // A guard that goes on after a kill must know whom this record lists, should it reach the share.
    if (renewal.electorate && (renewal.may_miss !== listed_may_miss || renewal.electorate.some(name => !listed?.includes(name)))) this.keepState()
    this.renewing = this.parts.share.renewLease(this.record(renewal, 'member'), { deadline_ms: this.parts.profile.stop_ms }).then(
      () => { this.acknowledged(renewal) },
      (error: unknown) => {
        this.core.failed(renewal)
        this.problem(`the lease was not renewed: ${reasonOf(error)}`)
        this.wake()
      },
    )
  }

  private record({ generation, sequence, electorate, may_miss }: Renewal, standing: LeaseStanding): LeaseRecord {
    const record = { schema: 'ringward.lease/1', host: this.parts.host, generation, sequence, standing, boot_id: this.parts.boot_id } as const
    // A host that has left rides no more: nobody needs to have been asked.
    return electorate && standing === 'member' ? { ...record, electorate, ...may_miss === undefined ? {} : { may_miss } } : record
  }

  private acknowledged(renewal: Renewal): void {
    if (this.over) return
    const stop = this.core.overdue(this.parts.clock.boot_ms())
    if (stop) this.carryOut(stop)
    if (this.core.acknowledged(renewal, this.parts.clock.boot_ms())) {
      this.last_problem = ''
      this.extend()
      this.parts.broadcast(this.greeting())
    }
    this.wake()
  }

  // Lives of addresses and processes

  /** The lease or the ride is longer now: state first, then watchdog, then the kernel. */
  private extend(): void {
    this.keepState()
    this.extendAddresses()
  }

  private extendAddresses(): void {
    this.core.extended(this.parts.clock.boot_ms())
    for (const charge of this.core.natives()) {
      if (this.placed.has(charge) && !this.keeper.present(charge)) this.problem(`${addressKey(charge)} is not there (removed by hand, or the device is down); it is added again`)
      void this.put(charge).catch((error: unknown) => { this.problem(reasonOf(error)) })
    }
  }

  private ride(until_ms: number, promised: readonly string[], now_ms: number): Omit<GuardReply, 'reply'> {
    const refusal = this.core.ride(until_ms, promised, now_ms)
    if (refusal !== undefined) return { ok: false, reason: refusal }
    this.extend()
    return { ok: true, status: this.core.status(now_ms) }
  }

  private put(charge: NativeCharge): Promise<void> {
    return this.keeper.put(charge, () => (this.core.isHeld(charge) ? this.life(charge) : undefined)).then(() => { this.placed.add(charge) })
  }

  private life(charge: Charge): number | undefined {
    const life_s = this.core.lifetime_s(charge, this.parts.clock.boot_ms())
    if (this.parts.profile.gone_ms < LIFETIME_MIN_GONE_MS) return Math.max(1, life_s)
    return life_s >= 1 ? life_s : undefined
  }

  private keepState(): void {
    const watched = this.core.all().map((charge): Watched => {
      const until_ms = this.core.goneBy_ms(charge) - WATCHDOG_MARGIN_MS
      return charge.kind === 'native'
        ? { address: { vip: charge.vip, prefix: charge.prefix, device: charge.device }, until_ms }
        : { process: { pid: charge.pid, pid_start: charge.pid_start }, until_ms }
    })
    this.parts.watchdog.pet(watched)
    try {
      this.parts.files.remember(this.core.memory(), this.parts.watchdog.mark)
      this.keeps_state = true
    } catch (error) {
      if (this.keeps_state) this.problem(`the guard's state cannot be kept: ${reasonOf(error)}; make room in its folder, else a guard that is started anew knows nothing of what is given here`)
      this.keeps_state = false
    }
  }

  // R2

  private carryOut(stop: Stop): void {
    this.parts.log('error', `lease lost: ${stop.why}`, { generation: stop.generation, stopped: stop.charges.map(charge => charge.function) })
    this.stopAll(stop.charges)
    this.keepState()
    this.parts.broadcast({ notice: 'lost', generation: stop.generation, stopped: stop.charges.map(charge => charge.function) })
  }

  private stopAll(charges: readonly Charge[]): void {
    for (const charge of charges) {
      if (charge.kind === 'virtual') killProcess(charge)
      else void this.drop(charge).catch((error: unknown) => { this.problem(`${addressKey(charge)} could not be removed: ${reasonOf(error)}`) })
    }
  }

  /** Removes the address of an ended charge; until that is done, `disarm` and `bar` of its function come back to it. */
  private async drop(charge: NativeCharge): Promise<void> {
    this.leftovers.set(charge.function, charge)
    await this.keeper.remove(charge)
    if (this.leftovers.get(charge.function) === charge) this.leftovers.delete(charge.function)
  }

  // Requests

  private async arm(charge: Charge, generation: number, margin_ms: number): Promise<Omit<GuardReply, 'reply'>> {
    const { core } = this
    const former = core.charge(charge.function)
    if (charge.kind === 'virtual' && !isAlive(charge)) return { ok: false, reason: `process ${charge.pid} of ${charge.virtual_server} does not run` }
    const refusal = core.arm(charge, generation, margin_ms, this.parts.clock.boot_ms())
    if (refusal !== undefined) return { ok: false, reason: refusal }
    this.leftovers.delete(charge.function)
    this.keepState()
    if (former?.kind === 'native' && (charge.kind === 'virtual' || addressKey(former) !== addressKey(charge))) this.stopAll([former])
    if (charge.kind === 'virtual') return { ok: true }
    let reason = this.life(charge) === undefined ? 'the lease is too old for a whole second of address lifetime' : undefined
    if (reason === undefined) await this.put(charge).catch((error: unknown) => { reason = reasonOf(error) })
    if (reason === undefined && core.isHeld(charge)) return { ok: true }
    if (core.isHeld(charge)) await this.release(charge.function, core.disarm(charge.function), false)
    return { ok: false, reason: reason ?? 'the lease was lost or the charge ended meanwhile' }
  }

  /** An order that is out of date ends nothing: what is given under a newer epoch goes on, and nobody may be told that it does not. */
  private async bar(name: string, epoch: number): Promise<Omit<GuardReply, 'reply'>> {
    const ended = this.core.bar(name, epoch)
    const answer = await this.release(name, ended, true)
    const standing = this.core.charge(name)
    if (standing) return { ok: false, reason: `epoch ${standing.epoch} of ${name} is in charge, a newer one` }
    if (ended) this.parts.broadcast({ notice: 'barred', function: name, epoch: ended.epoch })
    return answer
  }

  /**
   * Answers ok when what the function had here is gone. `kill`: a barred virtual server must stop (its release is the
   * proof that it has); a disarmed one is only let go.
   */
  private async release(name: string, ended: Charge | undefined, kill: boolean): Promise<Omit<GuardReply, 'reply'>> {
    const charge = ended ?? (this.core.charge(name) ? undefined : this.leftovers.get(name))
    if (charge?.kind === 'native') await this.drop(charge)
    else if (charge && kill && !(await endProcess(charge))) return { ok: false, reason: `process ${charge.pid} of ${charge.virtual_server} does not end` }
    this.keepState()
    return { ok: true }
  }

  private async leave(standing: Exclude<LeaseStanding, 'member'>): Promise<Omit<GuardReply, 'reply'>> {
    if (this.over) return { ok: false, reason: 'the guard is leaving already' }
    this.over = true
    clearTimeout(this.timer)
    const now_ms = this.parts.clock.boot_ms()
    const { deadline_ms } = this.core.status(now_ms)
    const limit_ms = Math.max(LEAVE_MIN_MS, Math.min(LEAVE_LIMIT_MS, deadline_ms - now_ms - LEAVE_MIN_MS))
    const problems: string[] = []
    const charges = this.core.all()
    const note = (error: unknown): void => { problems.push(reasonOf(error)) }
    // A virtual server never runs without a guard: the ring gives its function elsewhere.
    for (const charge of charges) if (charge.kind === 'virtual') killProcess(charge)
    if (standing === 'goodbye') await Promise.all(this.core.natives().map(charge => this.keeper.remove(charge).catch(note)))
    await this.lastWord(standing, limit_ms).catch(note)
    await this.parts.watchdog.kill()
    if (standing === 'unmanaged') await Promise.all(this.core.natives().map(charge => this.keeper.put(charge, () => 'forever').catch(note)))
    this.parts.files.forget()
    this.parts.log(problems.length > 0 ? 'error' : 'info', `the guard leaves: ${standing}`, { charges: charges.map(charge => charge.function), problems })
    setImmediate(() => { this.parts.onLeft() })
    return problems.length > 0 ? { ok: true, reason: problems.join('; ') } : { ok: true }
  }

  /** The last lease record, after the renewal on its way: an older record must not pass it. */
  private async lastWord(standing: LeaseStanding, limit_ms: number): Promise<void> {
    const until_ms = this.parts.clock.boot_ms() + limit_ms
    const last = this.core.leave(this.parts.clock.boot_ms())
    let timer: NodeJS.Timeout | undefined
    await Promise.race([this.renewing, new Promise(resolve => { timer = setTimeout(resolve, limit_ms) })])
    clearTimeout(timer)
    if (!last || this.stored_generation !== last.generation) return
    await this.parts.share.renewLease(this.record(last, standing), { deadline_ms: Math.max(1, until_ms - this.parts.clock.boot_ms()) })
  }

  private problem(text: string): void {
    if (text === this.last_problem) return
    this.last_problem = text
    this.parts.log('warn', text)
    this.parts.broadcast({ notice: 'problem', text })
  }
}
