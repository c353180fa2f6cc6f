/** Hosts, share, network and time of one simulated ring. Everything random comes from the seed. */
import type { IncidentEntry, Reason } from '../core/command.ts'
import type { Event } from '../core/event.ts'
import type { Inventory, RidePolicy } from '../core/inventory.ts'
import type { Message } from '../core/message.ts'
import { PROFILES, type Profile } from '../core/profile.ts'
import { Checker } from './checker.ts'
import type { BrokenRules } from './broken-rules.ts'
import { copyOf } from './copy-of.ts'
import { EventQueue } from './event-queue.ts'
import { NetworkFaults, type Direction } from './network-faults.ts'
import { RandomStream } from './prng.ts'
import { translate } from './mixed-programs.ts'
import { SimulatedHost } from './simulated-host.ts'
import { SimulatedShare } from './simulated-share.ts'

/** The heartbeat limit of the peers edge; a killed process is noticed at once by its closed connections. */
const HEARTBEAT_LIMIT_MS = 1_000
/** A message that arrives twice does so within this time. */
const DUPLICATE_LATE_MS = 3_000

export interface WorldOptions {
  /** Instead of the inventory's profile. */
  readonly profile?: Profile
  readonly broken?: BrokenRules
  /** Instead of the inventory's: whose promises carry a ride. */
  readonly ride?: RidePolicy
  /** Each host's memory for virtual servers; absent: without limit. */
  readonly free_kb?: number
}

export class World {
  readonly queue = new EventQueue()
  readonly random: RandomStream
  /** As last published. */
  inventory: Inventory
  readonly profile: Profile
  readonly broken: BrokenRules
  /** Its servers: who should be in the ring. `hosts` also holds those that were taken out of it. */
  names: readonly string[]
  readonly hosts = new Map<string, SimulatedHost>()
  readonly share: SimulatedShare
  readonly checker: Checker
  /** Hosts on which no virtual server starts. */
  readonly failingStarts = new Set<string>()
  /** Hosts on which virtual servers load late, and how much. */
  readonly late_starts = new Map<string, { later_ms: number }>()
  /** Hosts whose sshd is down: no remote hand reaches them. */
  readonly handless = new Set<string>()
  /** Hosts whose remote hand does half of what it is told, or all of it, and is not heard of again. */
  readonly halfHands = new Set<string>()
  /** Hosts whose daemon broke while no hand, or half a one, reached them: the ladder may be used up (service-recovery.ts, readiness.ts). */
  readonly beyondHands = new Set<string>()
  /** Hosts on which a virtual server prepares well and then does not start. */
  readonly failingServes = new Set<string>()
  /** Hosts whose cable is pulled; the shared area is a fault of its own. */
  readonly isolated = new Set<string>()
  readonly network_faults = new NetworkFaults()
  readonly incidents: { readonly host: string; readonly entry: IncidentEntry }[] = []
  /** Instead of a random time: how long every power controller takes for its answer. */
  power_answer_ms: number | undefined
  readonly free_kb: number
  /** Share of messages lost, 0–1. */
  message_loss = 0
  onLog: (host: string, text: string) => void = () => undefined
  /** Before each event is taken up by a host's core, and after it. */
  onEvent: ((host: SimulatedHost, event: Event) => void) | undefined
  onStepped: ((host: SimulatedHost) => void) | undefined
  /** After every change of who gives, runs or may give anything. */
  onChange: (() => void) | undefined
  /** What disturbances and slowness draw, so that they change nothing in a schedule without them. */
  readonly weather: RandomStream
  private readonly network: RandomStream

  constructor(inventory: Inventory, seed: number, options: WorldOptions = {}) {
    this.inventory = options.ride === undefined ? inventory : { ...inventory, ride: options.ride }
    this.profile = options.profile ?? PROFILES[inventory.profile]
    this.broken = options.broken ?? {}
    this.free_kb = options.free_kb ?? Infinity
    this.random = new RandomStream(seed, 'hosts')
    this.network = new RandomStream(seed, 'network')
    this.weather = new RandomStream(seed, 'weather')
    this.names = inventory.servers.map(server => server.name)
    this.checker = new Checker(this)
    this.share = new SimulatedShare(this.queue, new RandomStream(seed, 'share'), { onLease: (record, issued_ms) => this.checker.onLease(record, issued_ms), onClaim: record => this.checker.onClaim(record), onRelease: record => this.checker.onRelease(record) }, new RandomStream(seed, 'share weather'), this.broken)
    for (const name of this.names) this.hosts.set(name, new SimulatedHost(name, this))
  }

  host(name: string): SimulatedHost {
    const host = this.hosts.get(name)
    if (!host) throw new Error(`no host ${name}`)
    return host
  }

  addHost(name: string): SimulatedHost {
    const host = this.hosts.get(name) ?? new SimulatedHost(name, this)
    this.hosts.set(name, host)
    return host
  }

  /** Both take the other for a member: connections of others are refused. */
  private admitted(one: SimulatedHost, other: SimulatedHost): boolean {
    return one.core?.order.includes(other.name) === true && other.core?.order.includes(one.name) === true
  }

  /** A host has taken another one out of its ring: the stream between them is closed. */
  parted(name: string, other: string): void {
    this.host(other).handle({ event: 'reach', host: name, reachable: false, why: 'no member any more' })
    this.host(name).handle({ event: 'reach', host: other, reachable: false, why: 'no member any more' })
  }

  /** What the one sends arrives at the other. */
  connected(from: string, to: string): boolean {
    return !this.isolated.has(from) && !this.isolated.has(to) && !this.network_faults.isCut(from, to)
  }

  /** Both ways: what is asked is answered. */
  linked(one: string, other: string): boolean {
    return this.connected(one, other) && this.connected(other, one)
  }

  /** Its kernel does, frozen processes or not; one of the two packets may be lost. */
  answersPing(from: string, to: string): boolean {
    const { loss } = this.network_faults
    return this.host(to).up && this.linked(from, to) && (loss === 0 || this.weather.next() < (1 - loss) ** 2)
  }

  /** Its own cable leads there; a cut between hosts does not. */
  answersGateway(from: string): boolean {
    const { loss } = this.network_faults
    return !this.isolated.has(from) && (loss === 0 || this.weather.next() < 1 - loss ** 3)
  }

  /** A connection is opened and somebody accepts it; its first packet and the answer may be lost, and are sent again after the probe's limit (1 s). */
  opensConnection(from: string, to: string): boolean {
    return this.answersPing(from, to) && this.host(to).frozen !== 'everything'
  }

  /** Nothing arrives or leaves any more; the kept-open streams die by their heartbeat limit. */
  isolate(name: string): void {
    this.isolated.add(name)
    this.fallSilent(name, () => this.isolated.has(name))
  }

  reconnect(name: string): void {
    if (this.isolated.delete(name)) this.speakAgain(name)
  }

  /** The agent answers no heartbeat while `silent` says so. */
  fallSilent(name: string, silent: () => boolean): void {
    this.queue.after(HEARTBEAT_LIMIT_MS, () => {
      if (silent()) this.tellReach(name, false, 'no heartbeat')
    })
  }

  speakAgain(name: string): void {
    this.queue.after(this.network.between(100, 400), () => {
      if (!this.isolated.has(name) && this.host(name).core && this.host(name).frozen === undefined) this.tellReach(name, true, 'stream open')
    })
  }

  /** Until it is healed; a stream dies with either of its directions. */
  cut(directions: readonly Direction[]): void {
    const faults = this.network_faults
    for (const direction of directions) faults.cut(direction)
    this.queue.after(HEARTBEAT_LIMIT_MS, () => {
      for (const [from, to] of directions) if (!this.linked(from, to) && !faults.isClosed(from, to)) this.closeStream(from, to)
    })
  }

  heal(directions: readonly Direction[]): void {
    const faults = this.network_faults
    for (const direction of directions) faults.heal(direction)
    this.queue.after(this.network.between(100, 400), () => {
      for (const [from, to] of directions) if (this.linked(from, to) && faults.isClosed(from, to)) this.openStream(from, to)
    })
  }

  private closeStream(one: string, other: string): void {
    this.network_faults.close(one, other)
    this.host(one).handle({ event: 'reach', host: other, reachable: false, why: 'no heartbeat' })
    this.host(other).handle({ event: 'reach', host: one, reachable: false, why: 'no heartbeat' })
  }

  private openStream(one: string, other: string): void {
    this.network_faults.open(one, other)
    const [first, second] = [this.host(one), this.host(other)]
    if (!this.admitted(first, second) || first.frozen || second.frozen) return
    first.handle({ event: 'reach', host: other, reachable: true, why: 'stream open' })
    second.handle({ event: 'reach', host: one, reachable: true, why: 'stream open' })
  }

  /** What cannot be opened for a cut is opened when that heals, however short it was. */
  private isStillCut(one: string, other: string): boolean {
    if (this.linked(one, other)) return false
    this.network_faults.close(one, other)
    return true
  }

  /** Both ends of each of the host's streams hear of it. */
  private tellReach(name: string, reachable: boolean, why: string): void {
    for (const other of this.hosts.values()) {
      if (other.name === name || (reachable && (!this.admitted(this.host(name), other) || this.isStillCut(name, other.name) || other.frozen))) continue
      if (reachable) this.network_faults.open(name, other.name)
      other.handle({ event: 'reach', host: name, reachable, why })
      this.host(name).handle({ event: 'reach', host: other.name, reachable, why })
    }
  }

  /** `message` is a copy: what goes over the wire is never the sender's own. A packet lost on a stream is sent again by TCP and arrives late; of gossip nothing is promised. */
  deliver(from: SimulatedHost, to: string, message: Message, by: 'stream' | 'gossip'): void {
    const receiver = this.host(to)
    const faults = this.network_faults
    const lost = this.network.next() < Math.max(this.message_loss, faults.loss)
    if (this.broken.nominations_lost && message.kind === 'nominate') return
    if (!from.up || !receiver.core || !this.connected(from.name, to) || faults.isClosed(from.name, to) || (lost && by === 'gossip') || !this.admitted(from, receiver)) return
    const late_ms = (lost ? this.network.between(200, 900) : 0) + (faults.delay_ms > 0 ? this.weather.between(0, faults.delay_ms) : 0)
    const translated = translate(from, receiver, message)
    for (const sent of translated) this.arrive(from, receiver, sent, late_ms)
    if (faults.duplication > 0 && this.weather.next() < faults.duplication) for (const sent of translated) this.arrive(from, receiver, copyOf(sent), late_ms + this.weather.between(0, DUPLICATE_LATE_MS))
  }

  private arrive(from: SimulatedHost, receiver: SimulatedHost, message: Message, late_ms: number): void {
    const life = receiver.agent_life
    this.queue.after(late_ms + this.network.between(0.5, 6), () => {
      if (life === receiver.agent_life) receiver.handle({ event: 'message', from: from.name, message })
    })
  }

  /** The kept-open streams come and go with the agents. */
  announceReach(name: string, reachable: boolean): void {
    const subject = this.host(name)
    const life = subject.agent_life
    const delay_ms = reachable ? this.network.between(100, 400) : subject.up ? 20 : HEARTBEAT_LIMIT_MS
    for (const other of this.hosts.values()) {
      if (other === subject) continue
      this.queue.after(delay_ms, () => {
        if (life !== subject.agent_life) return
        if (reachable && (!this.admitted(subject, other) || this.isStillCut(name, other.name) || other.frozen || subject.frozen)) return
        if (reachable) this.network_faults.open(name, other.name)
        other.handle({ event: 'reach', host: name, reachable, why: reachable ? 'stream open' : 'stream closed' })
        if (reachable) subject.handle({ event: 'reach', host: other.name, reachable: true, why: 'stream open' })
      })
    }
  }

  /** Hosts whose answer to ARP would name a giver of the function. */
  givers(name: string): string[] {
    return [...this.hosts.values()].filter(host => host.addresses.has(name) || host.virtual_servers.get(name)?.address === true).map(host => host.name)
  }

  changed(): void {
    this.checker.check()
    this.onChange?.()
  }

  log(host: string, reason: Reason): void {
    this.checker.onReason(reason)
    this.onLog(host, reason.text)
  }

  note(text: string): void {
    this.onLog('-', text)
  }

  recordIncident(host: string, entry: IncidentEntry): void {
    this.incidents.push({ host, entry })
  }

  /** The services in the virtual server that gives the function stop answering. */
  muteVirtualServer(name: string): void {
    for (const host of this.hosts.values()) {
      const server = host.virtual_servers.get(name)
      if (server) server.mute = true
    }
  }

  /** Whether a client of the function's VIP is served now; with `asker`, one on that host. */
  isServed(name: string, asker?: string): boolean {
    const all_linked = asker === undefined || !this.network_faults.touches(asker)
    const own = this.hosts.get(name)
    // Nearly always it is its own server.
    if (all_linked && own && this.serves(own, name)) return true
    for (const host of this.hosts.values()) if (this.serves(host, name) && (all_linked || this.linked(asker, host.name))) return true
    return false
  }

  private serves(host: SimulatedHost, name: string): boolean {
    const server = host.virtual_servers.get(name)
    const good = (host.addresses.has(name) && host.service === 'good') || (server?.running === true && server.address && !server.mute)
    return good && host.up && !this.isolated.has(host.name) && host.frozen !== 'everything'
  }
}
