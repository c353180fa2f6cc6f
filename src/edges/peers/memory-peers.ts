import type { PeerMember, Peers, PeersEvents } from './peers.ts'

export interface MemoryPeersOptions {
  readonly bus: MemoryBus
  readonly self: PeerMember
  readonly members: readonly PeerMember[]
  /** Stands for the pre-shared key: only equal ones meet. */
  readonly ring_key: string
  readonly events: PeersEvents
}

/** The network of `MemoryPeers`. Deliveries go through `schedule`, so a simulator can delay or drop them. */
export class MemoryBus {
  private readonly nodes = new Set<MemoryPeers>()
  private readonly cuts = new Set<string>()
  readonly schedule: (deliver: () => void, from: string, to: string) => void

  constructor(schedule: (deliver: () => void, from: string, to: string) => void = queueMicrotask) {
    this.schedule = schedule
  }

  add(node: MemoryPeers): void {
    this.nodes.add(node)
    this.settle()
  }

  remove(node: MemoryPeers): void {
    this.nodes.delete(node)
    this.settle()
  }

  /** Cuts or heals the path between two hosts. */
  setCut(one: string, other: string, cut: boolean): void {
    const path = [one, other].sort().join(' ')
    if (cut) this.cuts.add(path)
    else this.cuts.delete(path)
    this.settle()
  }

  /** Brings everybody's links to what is possible now. */
  settle(): void {
    for (const one of this.nodes) for (const other of this.nodes) if (one !== other) one.meet(other)
    for (const one of this.nodes) one.forget(other => !this.nodes.has(other) || !this.connected(one, other))
    for (const one of this.nodes) for (const other of this.nodes) if (one !== other && this.connected(one, other)) one.open(other)
  }

  private connected(one: MemoryPeers, other: MemoryPeers): boolean {
    return one.admits(other) && other.admits(one) && !this.cuts.has([one.name, other.name].sort().join(' '))
  }
}

/** The peers edge without a network: same behaviour, delivered in order, heartbeats being needless. */
export class MemoryPeers implements Peers {
  readonly name: string
  private readonly options: MemoryPeersOptions
  private members: readonly PeerMember[]
  private readonly links = new Map<string, MemoryPeers>()
  private readonly refused = new Set<MemoryPeers>()
  private running = false

  constructor(options: MemoryPeersOptions) {
    this.options = options
    this.name = options.self.name
    this.members = options.members
  }

  start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    signal.addEventListener('abort', () => void this.stop(), { once: true })
    this.running = true
    this.options.bus.add(this)
    return Promise.resolve()
  }

  setMembers(members: readonly PeerMember[]): void {
    this.members = members
    if (this.running) this.options.bus.settle()
  }

  setNeighbours(_names: readonly string[]): void {}

  send(to: string, message: unknown): boolean {
    const other = this.links.get(to)
    if (!other) return false
    this.deliver(other, message, (events, copy) => events.onMessage(this.name, copy))
    return true
  }

  publish(message: unknown): void {
    for (const other of this.links.values()) this.deliver(other, message, (events, copy) => events.onGossip(this.name, copy))
  }

  reachable(): string[] {
    return [...this.links.keys()]
  }

  stop(): Promise<void> {
    this.running = false
    this.links.clear()
    this.options.bus.remove(this)
    return Promise.resolve()
  }

  admits(other: MemoryPeers): boolean {
    const known = this.members.some(member => member.name === other.name && member.peer_id === other.options.self.peer_id)
    return known && this.options.ring_key === other.options.ring_key
  }

  /** The other one knocks when it takes us for a member. */
  meet(other: MemoryPeers): void {
    const knocks = other.members.some(member => member.name === this.name)
    if (!knocks || this.admits(other) || this.refused.has(other)) return
    this.refused.add(other)
    this.options.events.onRefused(`${other.options.self.address}: another ring key, or not a member of the ring`)
  }

  forget(gone: (other: MemoryPeers) => boolean): void {
    for (const [name, other] of this.links) {
      if (!gone(other)) continue
      this.links.delete(name)
      this.options.events.onReach(name, false, 'connection closed')
    }
  }

  open(other: MemoryPeers): void {
    if (this.links.has(other.name)) return
    this.links.set(other.name, other)
    this.options.events.onReach(other.name, true, 'connected')
  }

  private deliver(other: MemoryPeers, message: unknown, hand: (events: PeersEvents, copy: unknown) => void): void {
    const text = JSON.stringify(message)
    this.options.bus.schedule(() => {
      if (other.running && other.links.get(this.name) === this) hand(other.options.events, JSON.parse(text) as unknown)
    }, this.name, other.name)
  }
}
