/** The invariants (protocol 4), looked at from outside after every change. */
import type { Reason } from '../core/command.ts'
import { CLOCK_RATE_ERROR } from '../core/profile.ts'
import { kindAt, type ClaimRecord, type LeaseRecord, type ReleaseRecord } from '../core/records.ts'
import { rolesOf } from '../core/ring.ts'
import type { Watch } from '../core/state.ts'
import { SHARE_OPERATION_MS } from './bounds.ts'
import type { SimulatedHost } from './simulated-host.ts'
import { waitingHosts, type Waiting } from './waiting.ts'
import type { World } from './world.ts'
import { memoryTaken_kb } from './memory-of-host.ts'

export interface Violation {
  readonly rule: string
  readonly at_ms: number
  readonly text: string
}

export class Checker {
  readonly violations: Violation[] = []
  private readonly world: World
  /** When the newest renewal that reached the share in time to be a lease was issued (R1: t0), by generation: `host generation`. One that came later proves no health. */
  private readonly renewed_ms = new Map<string, number>()
  /** Until when a renewal has to arrive there to be in time, by generation likewise. */
  private readonly until_ms = new Map<string, number>()

  private readonly overfull = new Set<string>()
  /** When a renewal last reached the share. */
  private readonly seen_ms = new Map<string, number>()
  /** When one that the share had held up last reached it, by host; its host may have been dead for long. */
  readonly held_up_ms = new Map<string, number>()
  /** Incidents whose target was reported to be down for good. */
  readonly alarmed = new Set<string>()
  /** Targets that a person was asked to repair, when no hand could. */
  readonly unready = new Set<string>()

  constructor(world: World) {
    this.world = world
  }

  violate(rule: string, text: string): void {
    if (this.violations.length < 20) this.violations.push({ rule, at_ms: Math.round(this.world.queue.now_ms), text })
  }

  onReason({ level, text, incident }: Reason): void {
    if (level === 'alarm') this.noteUnready(text)
    if (level === 'alarm' && incident !== undefined && /^__[^:]+_is_down:/.test(text) && !this.world.broken.reports_lost) this.alarmed.add(incident)
  }

  /** A target that was repaired by its readiness alone has no incident. */
  private noteUnready(text: string): void {
    const target = /^__(.+)_cannot_be_made_ready:/.exec(text)?.[1]
    if (target !== undefined && !this.world.broken.reports_lost) this.unready.add(target)
  }

  onLease(record: LeaseRecord, issued_ms: number): void {
    const { now_ms } = this.world.queue
    const lease = `${record.host} ${record.generation}`
    // R1: what arrives when the lease that it would prolong has run out, or D_stop after the first record of its generation, is no lease, whenever its host hears of it.
    const own_until_ms = issued_ms + this.world.profile.stop_ms * (1 + CLOCK_RATE_ERROR)
    const until_ms = this.until_ms.get(lease) ?? own_until_ms
    const in_time = now_ms < until_ms
    this.until_ms.set(lease, in_time ? Math.max(own_until_ms, until_ms) : until_ms)
    if (in_time) this.renewed_ms.set(lease, Math.max(issued_ms, this.renewed_ms.get(lease) ?? -Infinity))
    this.seen_ms.set(record.host, now_ms)
    if (now_ms - issued_ms > SHARE_OPERATION_MS) this.held_up_ms.set(record.host, now_ms)
  }

  /** Whether its lease was renewed within D_stop: who reads the share counts it as present. */
  isRenewed(host: string): boolean {
    return this.world.queue.now_ms - (this.seen_ms.get(host) ?? -Infinity) < this.world.profile.stop_ms
  }

  /** Called before the record is added. */
  onClaim(record: ClaimRecord): void {
    const { world } = this
    const records = world.share.claims.get(record.function) ?? []
    if (record.epoch !== records.length + 1) this.violate('S7', `claim ${record.function}/${record.epoch} after ${records.length} claims`)
    if (record.kind !== kindAt(record.holder, record.function)) this.violate('S7', `claim ${record.function}/${record.epoch} says ${record.kind} of ${record.holder}`)
    const former = records.at(-1)
    if (record.proof === 'silence' && former) {
      const silent_ms = world.queue.now_ms - (this.renewed_ms.get(`${former.holder} ${record.tombstone?.generation ?? former.generation}`) ?? -Infinity)
      if (silent_ms < world.profile.gone_ms) this.violate('S6', `${record.holder} claims ${record.function}/${record.epoch} of ${former.holder}, which renewed ${Math.round(silent_ms)} ms ago`)
    }
    // Not what its disk says now: a claim of a former life may come late, and the disk have been put back meanwhile.
    if (record.by === record.holder && !this.until_ms.has(`${record.holder} ${record.generation}`)) this.violate('S3', `claim under a generation that never had a lease: ${record.function}/${record.epoch}`)
  }

  /** Called before the record is added: who releases by power or by word must be right about a host that cannot speak for itself. */
  onRelease({ function: name, epoch, how, by }: ReleaseRecord): void {
    if (how !== 'power' && how !== 'operator') return
    const { world } = this
    const claim = world.share.claims.get(name)?.[epoch - 1]
    const holder = claim && world.host(claim.holder)
    if (!holder) return this.violate('S7', `${by} releases ${name}/${epoch}, which was never claimed`)
    if (holder.guard?.charge(name)?.epoch === epoch) this.violate('S3', `${by} releases ${name}/${epoch} by ${how} while ${holder.name} acts on it`)
    if (holder.guard && holder.generation === claim.generation) this.violate('S6', `${by} releases ${name}/${epoch} by ${how}, and ${holder.name} still has generation ${claim.generation}`)
  }

  check(): void {
    const { world } = this
    // Also of functions that were taken out of the ring.
    for (const name of world.hosts.keys()) {
      const givers: string[] = []
      const runners: string[] = []
      for (const host of world.hosts.values()) {
        if (host.addresses.has(name)) givers.push(host.name)
        const server = host.virtual_servers.get(name)
        if (server?.running && !server.cut_off && host.frozen !== 'everything') runners.push(host.name)
        if (server?.running && server.address && host.frozen !== 'everything') givers.push(host.name)
      }
      if (givers.length > 1) this.violate('S1', `${name} is given by ${givers.join(' and ')}`)
      if (runners.length > 1) this.violate('S2', `the virtual server of ${name} runs on ${runners.join(' and ')}`)
    }
    for (const host of world.hosts.values()) this.checkMemory(host)
  }

  private checkMemory(host: SimulatedHost): void {
    const taken_kb = memoryTaken_kb(host)
    if (taken_kb <= this.world.free_kb) this.overfull.delete(host.name)
    else if (!this.overfull.has(host.name)) {
      this.overfull.add(host.name)
      this.violate('S4', `${host.name} has ${this.world.free_kb / 1024} MB for virtual servers, and ${taken_kb / 1024} MB are taken`)
    }
  }

  /** L3: policy again. Each deviation as a sentence; empty when the layout is policy, but for hosts that rightly wait for a person. */
  deviations(): string[] {
    const { world } = this
    const waiting = waitingHosts(world)
    const found = world.names.flatMap(name => waiting.has(name) ? [] : this.deviationsOf(world.host(name), waiting))
    for (const host of world.hosts.values()) if (!world.names.includes(host.name) && (host.core || host.virtual_servers.size > 0)) found.push(`${host.name} is taken out and still managed`)
    return found
  }

  private deviationsOf(host: SimulatedHost, waiting: ReadonlyMap<string, Waiting>): string[] {
    const { world } = this
    const { name, core } = host
    const found: string[] = []
    const claim = world.share.claims.get(name)?.at(-1)
    if (claim?.holder !== name || claim.generation !== (host.appliance ? 0 : host.guard?.generation) || world.share.releases.get(name)?.has(claim.epoch)) found.push(`the claim in force on ${name} is epoch ${claim?.epoch} of ${claim?.holder}, generation ${claim?.generation}`)
    if (!host.addresses.has(name)) found.push(`${name} does not hold its own VIP`)
    const guests = [...host.virtual_servers.keys()].filter(guest => waiting.get(guest)?.giver !== name)
    if (guests.length > 0) found.push(`${name} still has virtual servers: ${guests.join(' ')}`)
    if (host.loading.size > 0) found.push(`${name} still loads virtual servers: ${[...host.loading].join(' ')}`)
    if (host.appliance) return found
    if (!core) return [...found, `${name} has no agent`]
    if (core.order.join(' ') !== world.names.join(' ')) found.push(`${name} takes ${core.order.join(' ')} for the ring`)
    const incidents = [...core.incidents.values()].filter(incident => waiting.get(incident.target)?.manager !== name)
    if (incidents.length > 0) found.push(`${name} has open incidents: ${incidents.map(incident => `${incident.target} (${incident.healing.step})`).join(' ')}`)
    if (core.rehoming.size > 0) found.push(`${name} still looks for hosts: ${[...core.rehoming.keys()].join(' ')}`)
    const busy = [...core.giving.values()].filter(giving => giving.stage !== 'serving' || (giving.function !== name && waiting.get(giving.function)?.giver !== name))
    if (busy.length > 0) found.push(`${name} is busy: ${busy.map(giving => `${giving.function} ${giving.stage}`).join(' ')}`)
    const watches = [...core.watches.values()]
    const expected = rolesOf(world.names, name, other => world.host(other).appliance === undefined && !waiting.has(other)).length
    const isPolicy = ({ mode, target }: Watch): boolean => mode === 'regular' || (waiting.has(target) && (mode === 'backup server' || mode === 'target recovery'))
    if (watches.length !== expected || !watches.every(isPolicy)) found.push(`${name} watches ${watches.map(watch => `${watch.target} (P${watch.priority}, ${watch.mode})`).join(' ')}`)
    return found
  }
}
