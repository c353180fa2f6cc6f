/** Hosts, share, network and time of one simulated ring. Everything random comes from the seed. */
import type { IncidentEntry, Reason } from '../core/command.ts'
import type { Inventory } from '../core/inventory.ts'
import type { Message } from '../core/message.ts'
import { PROFILES, type Profile } from '../core/profile.ts'
import { Checker } from './checker.ts'
import type { BrokenRules } from './broken-rules.ts'
import { EventQueue } from './event-queue.ts'
import { RandomStream } from './prng.ts'
import { SimulatedHost } from './simulated-host.ts'
import { SimulatedShare } from './simulated-share.ts'

/** The heartbeat limit of the peers edge; a killed process is noticed at once by its closed connections. */
const HEARTBEAT_LIMIT_MS = 1_000

export interface WorldOptions {
  /** Instead of the inventory's profile. */
  readonly profile?: Profile
  readonly broken?: BrokenRules
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
  /** Hosts whose sshd is down: no remote hand reaches them. */
  readonly handless = new Set<string>()
  /** Hosts on which a virtual server prepares well and then does not start. */
  readonly failingServes = new Set<string>()
  /** Hosts whose cable is pulled; the shared area is a fault of its own. */
  readonly isolated = new Set<string>()
  readonly incidents: { readonly host: string; readonly entry: IncidentEntry }[] = []
  /** Instead of a random time: how long every power controller takes for its answer. */
  power_answer_ms: number | undefined
  readonly free_kb: number
  /** Share of messages lost, 0–1. */
  message_loss = 0
  onLog: (host: string, text: string) => void = () => undefined
  private readonly network: RandomStream

  constructor(inventory: Inventory, seed: number, options: WorldOptions = {}) {
    this.inventory = inventory
    this.profile = options.profile ?? PROFILES[inventory.profile]
    this.broken = options.broken ?? {}
    this.free_kb = options.free_kb ?? Infinity
    this.random = new RandomStream(seed, 'hosts')
    this.network = new RandomStream(seed, 'network')
    this.names = inventory.servers.map(server => server.name)
    this.checker = new Checker(this)
    this.share = new SimulatedShare(this.queue, new RandomStream(seed, 'share'), { onLease: (record, issued_ms) => this.checker.onLease(record, issued_ms), onClaim: record => this.checker.onClaim(record), onRelease: record => this.checker.onRelease(record) }, this.broken)
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

  connected(from: string, to: string): boolean {
    return !this.isolated.has(from) && !this.isolated.has(to)
  }

  /** Nothing arrives or leaves any more; the kept-open streams die by their heartbeat limit. */
  isolate(name: string): void {
    this.isolated.add(name)
    this.queue.after(HEARTBEAT_LIMIT_MS, () => {
      if (this.isolated.has(name)) this.tellReach(name, false, 'no heartbeat')
    })
  }

  reconnect(name: string): void {
    if (!this.isolated.delete(name)) return
    this.queue.after(this.network.between(100, 400), () => {
      if (!this.isolated.has(name) && this.host(name).core) this.tellReach(name, true, 'stream open')
    })
  }

  /** Both ends of each of the host's streams hear of it. */
  private tellReach(name: string, reachable: boolean, why: string): void {
    for (const other of this.hosts.values()) {
      if (other.name === name || (reachable && (!this.admitted(this.host(name), other) || !this.connected(name, other.name)))) continue
      other.handle({ event: 'reach', host: name, reachable, why })
      this.host(name).handle({ event: 'reach', host: other.name, reachable, why })
    }
  }

  /** `message` is a copy: what goes over the wire is never the sender's own. A packet lost on a stream is sent again by TCP and arrives late; of gossip nothing is promised. */
  deliver(from: SimulatedHost, to: string, message: Message, by: 'stream' | 'gossip'): void {
    const receiver = this.host(to)
    const lost = this.network.next() < this.message_loss
    if (this.broken.nominations_lost && message.kind === 'nominate') return
    if (!from.up || !receiver.core || !this.connected(from.name, to) || (lost && by === 'gossip') || !this.admitted(from, receiver)) return
    const life = receiver.agent_life
    const late_ms = lost ? this.network.between(200, 900) : 0
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
        if (reachable && (!this.admitted(subject, other) || !this.connected(name, other.name))) return
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

  /** Whether a client of the function's VIP is served now. */
  isServed(name: string): boolean {
    return [...this.hosts.values()].some(host => {
      if (!host.up || this.isolated.has(host.name)) return false
      const server = host.virtual_servers.get(name)
      return (host.addresses.has(name) && host.service === 'good') || (server?.running === true && server.address && !server.mute)
    })
  }
}
