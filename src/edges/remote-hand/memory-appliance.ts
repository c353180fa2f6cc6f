import type { PlainHand, PlainOrder, PlainResult, PlainTarget } from './plain-hand.ts'

export type DaemonCondition = 'running' | 'stopped' | 'broken until reboot'

/** A target without an agent, in memory: what its system keeps, and how it answers a hand. The simulator's appliances are these. */
export class MemoryAppliance {
  readonly addresses: Set<string>
  readonly daemons = new Map<string, DaemonCondition>()
  /** Its system configures the VIP at boot: what the documentation forbids. */
  readonly boot_addresses = new Set<string>()
  /** Whether an SSH server answers. */
  reachable = true
  /** Calls of `reboot` by a hand. */
  reboots = 0
  private readonly own: string
  private readonly barred = new Map<string, number>()

  constructor(own_address: string, daemons: readonly string[]) {
    this.own = own_address
    this.addresses = new Set([own_address])
    for (const daemon of daemons) this.daemons.set(daemon, 'running')
  }

  /** What a boot leaves: its own addresses, daemons that run; what was barred stays so. */
  boot(): void {
    this.addresses.clear()
    for (const address of [this.own, ...this.boot_addresses]) this.addresses.add(address)
    for (const daemon of this.daemons.keys()) this.daemons.set(daemon, 'running')
  }

  obey(vip: string, order: PlainOrder): PlainResult {
    const seen = (): 'on' | 'off' => (this.addresses.has(vip) ? 'on' : 'off')
    switch (order.verb) {
      case 'look': return { ok: true, detail: 'seen', vip: seen() }
      case 'give':
        if ((this.barred.get(vip) ?? 0) >= order.epoch) return { ok: false, detail: `epoch ${order.epoch} is barred there`, vip: seen(), barred: true }
        this.addresses.add(vip)
        return { ok: true, detail: `${vip} is on it`, vip: 'on' }
      case 'release':
        this.barred.set(vip, Math.max(order.epoch, this.barred.get(vip) ?? 0))
        this.addresses.delete(vip)
        return { ok: true, detail: `${vip} is not on it, epoch ${order.epoch} is barred`, vip: 'off' }
      case 'restart-daemon': return this.restart(order.daemon)
      case 'reboot':
        this.reboots += 1
        return { ok: true, detail: 'reboots' }
    }
  }

  private restart(daemon: string): PlainResult {
    const condition = this.daemons.get(daemon)
    if (condition === undefined) return { ok: false, detail: `there is no ${daemon}` }
    if (condition === 'broken until reboot') return { ok: false, detail: `${daemon} did not start` }
    this.daemons.set(daemon, 'running')
    return { ok: true, detail: `${daemon} was restarted` }
  }
}

/** A hand on appliances in memory, by name. */
export class MemoryPlainHand implements PlainHand {
  private readonly appliances: ReadonlyMap<string, MemoryAppliance>
  private closed = false

  constructor(appliances: ReadonlyMap<string, MemoryAppliance>) {
    this.appliances = appliances
  }

  run(target: PlainTarget, order: PlainOrder, limit_ms: number, signal: AbortSignal): Promise<PlainResult> {
    const appliance = this.appliances.get(target.name)
    if (this.closed || signal.aborted) return Promise.resolve({ ok: false, detail: `${order.verb} on ${target.name} was called off` })
    if (!appliance?.reachable) return Promise.resolve({ ok: false, detail: `${target.name} did not answer within ${limit_ms} ms` })
    return Promise.resolve(appliance.obey(target.vip, order))
  }

  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }
}
