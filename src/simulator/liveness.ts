/** L1 and L2 (protocol 4), looked at from outside while a schedule runs. A clock runs only while what the protocol asks for is given. */
import { TOLD_AFTER_MS, TOLD_AGAIN_MS } from '../core/consent.ts'
import { functionBound_ms, promisesOutlive_ms, SAMPLE_MS, UNBOUNDED, watchBound_ms } from './bounds.ts'
import { mayStartAgain_ms } from '../core/rehoming.ts'
import { graceEnds_ms } from '../core/presence.ts'
import { p1Of, p2Of } from '../core/ring.ts'
import { consenters_ms, consentersNeeded } from './consenters.ts'
import type { SimulatedHost } from './simulated-host.ts'
import type { World } from './world.ts'
import { memoryTaken_kb } from './memory-of-host.ts'

/** What the outside knows of a host's health, and since when. */
interface Health {
  able: boolean
  /** When it last became able or ceased to be, or another agent began. */
  changed_ms: number
  /** When it was last lost, or its agent was. */
  lost_ms: number
  agent_life: number
  living: boolean
  /** When it last began to hold a lease that others see: it may be able to nothing else, as an isolated host is. */
  living_ms: number
}

interface Outage {
  readonly began_ms: number
  /** The bound counts from here: the loss, or the last thing that struck whoever works on it. */
  from_ms: number
  /** When there was last no room for all, and when there last was. */
  crowded_ms: number
  roomy_ms: number
  waiting_pairs: number
  slot: boolean
  failing_hosts: number
  handless: boolean
  consents: boolean
  unheard: boolean
  cause: 'lease' | 'service'
  violated: boolean
  why: string
}

/** Beside what `placement.ts` demands: the forecast falls faster than the memory, and two managers may choose at once. */
const SPARE_VIRTUAL_SERVERS = 3
const VIRTUAL_SERVER_KB = 256 * 1024
const RESERVE_KB = 128 * 1024

export class Liveness {
  private readonly world: World
  private readonly health = new Map<string, Health>()
  private readonly outages = new Map<string, Outage>()
  private readonly unwatched_ms = new Map<string, number>()
  /** Who was last seen to watch each host as P1: looked at first. */
  private readonly watchers = new Map<string, SimulatedHost>()
  private readonly no_host_ms = new Map<string, number>()
  private readonly lack_told_ms = new Map<string, number>()
  /** Longest a function was not given, and how much of its bound that was. */
  worst: { readonly function: string; readonly took_ms: number; readonly bound_ms: number } | undefined

  constructor(world: World) {
    this.world = world
  }

  /** "No host for …" is the report that a function cannot be placed. */
  onReason(text: string): void {
    const match = /^No_host_for_([^:]+):/.exec(text)
    if (match && !this.world.broken.reports_lost) this.no_host_ms.set(match[1]!, this.world.queue.now_ms)
    const waiting = /^Consents_are_missing_for_([^:]+):/.exec(text)
    if (waiting && !this.world.broken.reports_lost) this.lack_told_ms.set(waiting[1]!, this.world.queue.now_ms)
  }

  sample(): void {
    const { world } = this
    for (const host of world.hosts.values()) this.noteHealth(host)
    const unserved: string[] = []
    for (const name of world.names) if (!world.isServed(name)) unserved.push(name)
    if (this.outages.size > 0) for (const name of world.names) if (!unserved.includes(name)) this.outages.delete(name)
    for (const name of unserved) this.judgeFunction(name, unserved.length)
    for (const host of world.hosts.values()) this.judgeWatch(host)
  }

  private noteHealth(host: SimulatedHost): void {
    const { world } = this
    const now_ms = world.queue.now_ms
    const living = this.isLiving(host)
    const able = living && host.guard?.answers === true && !world.share.isTroubled(host.name) && !world.isolated.has(host.name) && host.frozen === undefined && !host.isSlow
    const known = this.health.get(host.name)
    if (!known) return void this.health.set(host.name, { able, changed_ms: -Infinity, lost_ms: -Infinity, agent_life: host.agent_life, living, living_ms: -Infinity })
    if (living && !known.living) known.living_ms = now_ms
    known.living = living
    const restarted = host.agent_life !== known.agent_life
    if (known.able === able && !restarted) return
    known.changed_ms = now_ms
    if (!able || restarted) known.lost_ms = now_ms
    known.able = able
    known.agent_life = host.agent_life
  }

  /** Its agent runs and holds a good lease: others count it as present and rightly so. */
  private isLiving(host: SimulatedHost): boolean {
    return host.up && host.core !== undefined && host.core.own.deadline_ms > host.clock.now_ms
  }

  private healthOf(name: string): Health {
    return this.health.get(name)!
  }

  private judgeFunction(name: string, unserved: number): void {
    const { world } = this
    const now_ms = world.queue.now_ms
    const outage = this.outages.get(name) ?? { began_ms: now_ms - SAMPLE_MS, from_ms: now_ms - SAMPLE_MS, crowded_ms: -Infinity, roomy_ms: now_ms, waiting_pairs: 0, slot: false, failing_hosts: 0, handless: false, consents: false, unheard: false, cause: 'lease', violated: false, why: 'it ceased' }
    this.outages.set(name, outage)
    this.restart(name, outage)
    this.noteTerms(name, outage, unserved)
    const lacking = this.lacksConsenters(name, outage)
    const bound_ms = functionBound_ms(world.profile, world.inventory.interval_ms, { ...outage, messages_lost: world.message_loss > 0 })
    const room = this.hasRoom(unserved) && !lacking
    if (room) outage.roomy_ms = now_ms
    else outage.crowded_ms = now_ms
    // Without room for all, or hosts that could consent, it is given, or reported again and again as not placeable.
    const given_since_ms = Math.max(outage.from_ms, outage.crowded_ms)
    const reported_since_ms = Math.max(outage.from_ms, outage.roomy_ms, this.no_host_ms.get(name) ?? -Infinity, lacking ? (this.lack_told_ms.get(name) ?? -Infinity) + TOLD_AGAIN_MS - TOLD_AFTER_MS : -Infinity)
    const took_ms = now_ms - (room ? given_since_ms : reported_since_ms)
    if (room && (this.worst === undefined || took_ms - bound_ms > this.worst.took_ms - this.worst.bound_ms)) this.worst = { function: name, took_ms, bound_ms }
    if (took_ms <= bound_ms + (lacking ? TOLD_AFTER_MS : 0) || outage.violated) return
    outage.violated = true
    const what = room ? 'is not given' : 'is neither given nor reported as not placeable'
    world.checker.violate('L1', `${name} ${what} ${Math.round(took_ms)} ms after ${outage.why} (${outage.cause}, bound ${Math.round(bound_ms)} ms: ${outage.waiting_pairs} pairs wait, slot ${outage.slot}, ${outage.failing_hosts} hosts fail)`)
  }

  /** R8 by majority: fewer hosts than have to consent to its takeover are there, and have been for long enough. */
  private lacksConsenters(name: string, outage: Outage): boolean {
    const needed = consentersNeeded(this.world, name)
    outage.consents = needed > 1 && outage.cause === 'lease'
    if (!outage.consents) return false
    const enough_ms = consenters_ms(this.world, name, voter => this.healthOf(voter))[needed - 1] ?? Infinity
    if (enough_ms > this.world.queue.now_ms) return true
    this.move(outage, enough_ms, 'enough hosts could consent')
    return false
  }

  private move(outage: Outage, at_ms: number, why: string): void {
    if (at_ms <= outage.from_ms) return
    outage.from_ms = at_ms
    outage.why = why
  }

  /** What the protocol asks for, and does not have: then the clock begins anew. */
  private restart(name: string, outage: Outage): void {
    const { world } = this
    const now_ms = world.queue.now_ms
    const unbounded = this.unboundedFor(name)
    if (unbounded) return this.move(outage, now_ms, UNBOUNDED[unbounded])
    // What loads well and then does not run is claimed, released and, by rule, started again after 1, 2, 4 … 30 s (rehoming.ts): no bound.
    if (world.failingServes.size > 0 || [...world.hosts.values()].some(({ core, clock }) => core?.rehoming.has(name) === true && mayStartAgain_ms(core, name) > clock.now_ms)) return this.move(outage, now_ms, 'its virtual server did not run')
    const claim = world.share.claims.get(name)?.at(-1)
    if (!claim) return this.move(outage, now_ms, 'it was never claimed')
    const holder = world.host(claim.holder)
    // Silence proves nothing of a server without an agent: its power, a hand on it or the operator does, whenever they can (R4).
    if (holder.appliance) return this.move(outage, now_ms, `${holder.name} has no agent`)
    if (this.isHollow(holder.name)) return this.move(outage, now_ms, UNBOUNDED.holder)
    const given = claim.generation === holder.guard?.generation && (holder.addresses.has(name) || holder.virtual_servers.get(name)?.address === true)
    // A host that renews is not taken over, whatever the network says (S6).
    if (given && this.isLiving(holder) && world.isolated.has(holder.name)) return this.move(outage, now_ms, `${holder.name} renewed though the network did not reach it`)
    // R8: whoever gave a promise does not claim what that host rides; what it has stopped is its function's own matter.
    const rides = [...world.hosts.values()].some(({ core, clock }) => (core?.hosts.get(holder.name)?.promised_until_ms ?? -Infinity) > clock.now_ms)
    // Promises of which nothing is made any more run out: who goes on asking for them keeps everybody from giving the function.
    if (rides && claim.kind === 'native' && (given || now_ms - outage.began_ms <= promisesOutlive_ms(world.profile))) return this.move(outage, now_ms, `${holder.name} went on by promise`)
    this.move(outage, this.healthOf(holder.name).changed_ms, `${holder.name}, its holder, was struck`)
    const cause = (given || this.isOffByHand(holder, name, claim.epoch)) && this.isLiving(holder) && claim.kind === 'native' ? 'service' : 'lease'
    if (cause !== outage.cause) this.move(outage, now_ms, `the cause became ${cause}`)
    outage.cause = cause
    if (cause === 'service' && this.cannotBeAskedToYield(name)) return this.move(outage, now_ms, UNBOUNDED.hand)
    const released = world.share.releases.get(name)?.has(claim.epoch) === true
    // R3: silence counts from the read that shows the last renewal, however late the share has let that through.
    if (cause === 'lease' && !released) this.move(outage, world.checker.held_up_ms.get(holder.name) ?? -Infinity, `a renewal of ${holder.name} that the share had held up arrived`)
    this.restartByManagers(outage, released || rides ? name : claim.holder)
    if (cause === 'service' && !released) this.restartByBoot(name, outage)
    this.restartByWorkers(name, outage)
  }

  /** Faults during which no bound is promised for this function. */
  private unboundedFor(name: string): keyof typeof UNBOUNDED | undefined {
    const { world } = this
    if (world.share.isTroubledForAll()) return 'share'
    if (this.stands('hold')) return 'hold'
    if (world.network_faults.disturbances.size > 0) return 'network'
    if ([...world.hosts.values()].some(host => host.loading.has(name) && world.late_starts.has(host.name))) return 'late_start'
    if (this.helpers().length > 0 && this.helpers().every(host => this.isOccupied(host, name))) return 'queue'
    return undefined
  }

  private stands(order: string): boolean {
    return (this.world.share.orders.get(order) ?? -Infinity) > this.world.queue.now_ms
  }

  /** Both starts that a host may have under way at once are others', and one of them loads late, or stands ready and waits for a proof of its own. */
  private isOccupied({ name: host, core }: SimulatedHost, name: string): boolean {
    const starts = [...core!.giving.values()].filter(({ function: other, stage }) => other !== name && stage !== 'serving' && stage !== 'stopping')
    return starts.length >= 2 && (this.world.late_starts.has(host) || starts.some(({ stage }) => stage === 'prepared'))
  }

  /** By the share's word it is present, and it does nothing: its agent stands still while its guard renews, or its renewals are written and it hears of them too late. */
  private isHollow(name: string): boolean {
    const { world } = this
    return world.checker.isRenewed(name) && (world.host(name).frozen !== undefined || world.share.isTroubled(name))
  }

  private hasHollowManager(name: string): boolean {
    const first = p1Of(this.world.names, name, host => this.world.checker.isRenewed(host))
    return first !== undefined && this.isHollow(first)
  }

  private restartByManagers(outage: Outage, subject: string): void {
    const { world } = this
    const present = (host: string): boolean => world.checker.isRenewed(host)
    const first = p1Of(world.names, subject, present)
    const second = p2Of(world.names, subject, present)
    const mayAct = (host: string | undefined): boolean => {
      const core = host === undefined ? undefined : world.host(host).core
      return core !== undefined && this.healthOf(host!).able && world.host(host!).clock.now_ms >= graceEnds_ms(core)
    }
    if ([first, second].some(manager => manager !== undefined && (world.network_faults.touches(manager) || world.host(manager).isSlow))) return this.move(outage, world.queue.now_ms, UNBOUNDED.managers)
    if (!mayAct(first) && !mayAct(second)) return this.move(outage, world.queue.now_ms, 'no manager could act')
    if (!mayAct(first)) outage.slot = true
    // Who has just come, or could not read the share, counts every silence from its own first read (R3).
    const acting = mayAct(first) ? first! : second!
    this.move(outage, this.healthOf(acting).changed_ms, `${acting}, who acts, came back`)
    for (const manager of [first, second]) if (manager !== undefined) this.move(outage, this.healthOf(manager).lost_ms, `${manager}, a manager, was struck`)
  }

  /** Its agent gives the function, and the VIP is gone all the same: an order took it off, and its sender was not heard of again. A host that renews is never silent. */
  private isOffByHand({ core }: SimulatedHost, name: string, epoch: number): boolean {
    const giving = core?.giving.get(name)
    return giving?.stage === 'serving' && giving.epoch === epoch
  }

  /** No hand does its work there and says so, or none is sent, for the host leaves; the word that is left came later than the program of one of the two. */
  private cannotBeAskedToYield(name: string): boolean {
    const { world } = this
    const first = p1Of(world.names, name, host => world.checker.isRenewed(host))
    return (world.handless.has(name) || world.halfHands.has(name) || this.isLeaving(world.host(name))) && [name, first].some(host => host !== undefined && world.host(host).program === 'older')
  }

  /** A service is repaired by P1 alone; daemons of a host that is new to it get the time of a reboot, unless it has seen them good (protocol 5). */
  private restartByBoot(name: string, outage: Outage): void {
    const { world } = this
    const first = p1Of(world.names, name, host => world.checker.isRenewed(host))
    const core = first === undefined ? undefined : world.host(first).core
    if (!core || !this.healthOf(first!).able) return this.move(outage, world.queue.now_ms, 'its P1 could not reach it')
    if (core.watches.get(name)?.service.good_seen) return
    const limit_ms = world.inventory.servers.find(server => server.name === name)!.reboot_limit_ms
    this.move(outage, world.host(first!).clock.when_ms(core.hosts.get(name)!.generation_since_ms + limit_ms), 'the time that a boot may take')
  }

  /** Whoever looks for a host, is to give the function, or is giving it. */
  private restartByWorkers(name: string, outage: Outage): void {
    const { world } = this
    for (const { name: host, core } of world.hosts.values()) {
      const rehoming = core?.rehoming.get(name)
      const workers = [...(rehoming ? [host, rehoming.nominee] : []), ...(core?.giving.has(name) ? [host] : [])]
      for (const worker of workers) if (worker !== undefined && (world.host(worker).isSlow || world.share.isTroubled(worker))) this.move(outage, world.queue.now_ms, UNBOUNDED.workers)
      for (const worker of workers) if (worker !== undefined) this.move(outage, this.healthOf(worker).changed_ms, `${worker}, at work on it, was struck`)
    }
  }

  private helpers(): SimulatedHost[] {
    const { world } = this
    return [...world.hosts.values()].filter(host => this.healthOf(host.name).able && !world.failingStarts.has(host.name) && !world.failingServes.has(host.name) && !this.isLeaving(host))
  }

  /** By its own word or the operator's order: it takes nothing (protocol 3, bounds). */
  private isLeaving({ name, core }: SimulatedHost): boolean {
    return core?.leaving !== undefined || this.stands(name)
  }

  /** An agent that lives and that nothing keeps from being heard. */
  private hearsAnother({ name }: SimulatedHost): boolean {
    for (const other of this.world.hosts.values()) if (other.name !== name && this.isLiving(other) && other.frozen === undefined && this.world.linked(name, other.name)) return true
    return false
  }

  private hasRoom(unserved: number): boolean {
    const { free_kb } = this.world
    const helpers = this.helpers()
    if (free_kb === Infinity) return helpers.length > 0
    const places = helpers.map(host => Math.max(0, Math.floor((free_kb - RESERVE_KB - memoryTaken_kb(host)) / VIRTUAL_SERVER_KB)))
    return places.reduce((sum, count) => sum + count, 0) >= unserved + SPARE_VIRTUAL_SERVERS
  }

  private noteTerms(name: string, outage: Outage, unserved: number): void {
    const { world } = this
    const helpers = this.helpers()
    // Its own server takes it back when a watcher has found its service good, or when it is the last that renews: those who renew here reach nobody.
    if (helpers.every(host => host.name === name) && world.names.some(other => other !== name && world.checker.isRenewed(other))) this.move(outage, world.queue.now_ms, 'none but its own server could give it')
    if (helpers.length > 0) {
      this.move(outage, Math.min(...helpers.map(host => this.healthOf(host.name).changed_ms)), 'no host could give it')
      outage.waiting_pairs = Math.max(outage.waiting_pairs, Math.ceil(unserved / (2 * helpers.length)) - 1)
    }
    outage.unheard ||= helpers.every(host => !this.hearsAnother(host))
    outage.handless ||= world.handless.size + world.halfHands.size > 0
    outage.failing_hosts = Math.max(outage.failing_hosts, world.failingStarts.size)
  }

  private judgeWatch(host: SimulatedHost): void {
    const { world } = this
    const now_ms = world.queue.now_ms
    if (this.isWatched(host)) return void this.unwatched_ms.delete(host.name)
    const first = p1Of(world.names, host.name, other => this.isLiving(world.host(other)))
    if (!world.names.includes(host.name) || this.ringChanges() || !this.healthOf(host.name).able || first === undefined || world.share.isTroubledForAll() || world.share.isTroubled(first) || world.host(first).isSlow || this.hasHollowManager(host.name)) return void this.unwatched_ms.delete(host.name)
    const since_ms = this.unwatched_ms.get(host.name) ?? now_ms - SAMPLE_MS
    this.unwatched_ms.set(host.name, since_ms)
    const from_ms = Math.max(since_ms, this.healthOf(first).changed_ms, this.healthOf(first).living_ms, ...this.between(first, host.name).map(lost => Math.max(this.healthOf(lost).changed_ms, world.checker.held_up_ms.get(lost) ?? -Infinity)))
    if (now_ms - from_ms <= watchBound_ms(world.profile, world.inventory.interval_ms)) return
    world.checker.violate('L2', `${host.name} has been watched by no living P1 for ${Math.round(now_ms - since_ms)} ms`)
    this.unwatched_ms.set(host.name, now_ms)
  }

  private isWatched({ name }: SimulatedHost): boolean {
    const last = this.watchers.get(name)
    if (last && this.watches(last, name)) return true
    for (const other of this.world.hosts.values()) {
      if (!this.watches(other, name)) continue
      this.watchers.set(name, other)
      return true
    }
    return false
  }

  private watches(host: SimulatedHost, name: string): boolean {
    return host.name !== name && host.core?.watches.get(name)?.priority === 1 && this.isLiving(host)
  }

  /** A published ring counts from when the last living host has learnt of it. */
  private ringChanges(): boolean {
    return [...this.world.hosts.values()].some(host => this.isLiving(host) && host.inventory.version !== this.world.inventory.version)
  }

  private between(first: string, last: string): string[] {
    const { names } = this.world
    const from = names.indexOf(first)
    const count = (names.indexOf(last) - from + names.length) % names.length
    return Array.from({ length: count - 1 }, (_, index) => names[(from + 1 + index) % names.length]!)
  }
}
