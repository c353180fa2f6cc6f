import type { Command } from '../src/core/command.ts'
import type { Event } from '../src/core/event.ts'
import type { Server } from '../src/core/inventory.ts'
import type { Announcer } from '../src/edges/address/announcer.ts'
import type { Hypervisor, RunningVirtualServer } from '../src/edges/hypervisor/hypervisor.ts'
import { reasonOf, RingwardError } from '../src/errors.ts'
import type { GuardClient } from '../src/guard/guard-client.ts'
import type { Charge } from '../src/guard/guard-protocol.ts'
import { Turns } from './turns.ts'

type Of<Name extends Command['command']> = Extract<Command, { command: Name }>

export interface GivingParts {
  readonly hypervisor: Hypervisor
  readonly guard: Pick<GuardClient, 'request'>
  readonly announcer: Announcer
  /** Where native VIPs go, and where their neighbours are asked. */
  readonly device: string
  readonly serverOf: (name: string) => Server
  readonly post: (event: Event) => void
  /** One dialogue with each service of the function, wherever it runs: what they say is not judged. */
  readonly touch: (name: string, address: string, signal: AbortSignal) => Promise<void>
  /** Addresses the host has now; one that is there already is not asked for on the segment. */
  readonly ownAddresses: () => ReadonlySet<string>
  /** The former giver stopped before it wrote the claim: nobody else can answer, and a client waits. */
  readonly handedOver: (name: string) => boolean
  /** The lease must be good for that long at the moment of start (R6). */
  readonly margin_ms: number
}

/** A cold start under emulation takes 5 s, on real hosts the thesis measured 43 s. */
const PREPARE_LIMIT_MS = 90_000
const SERVE_LIMIT_MS = 30_000
const STOP_LIMIT_MS = 10_000
const GUARD_LIMIT_MS = 2_000

/** Gives functions and ends them: guard, hypervisor and address in the order that keeps one giver (R6, S1). */
export class GivingOrders {
  private readonly parts: GivingParts
  private readonly prepared = new Map<string, RunningVirtualServer>()
  /** Those that run already with their VIP, cut off, and have only to speak. */
  private readonly warm = new Set<string>()
  private readonly turns = new Turns()

  constructor(parts: GivingParts) {
    this.parts = parts
  }

  /** The functions whose virtual server this process prepared or adopted. */
  virtualServers(): ReadonlyMap<string, RunningVirtualServer> {
    return this.prepared
  }

  adopt(name: string, machine: RunningVirtualServer): void {
    this.prepared.set(name, machine)
  }

  async prepare({ function: name, warm }: Of<'prepare'>): Promise<void> {
    await this.turns.take(name, PREPARE_LIMIT_MS, async signal => {
      const { vip, vip_prefix, virtual_server } = this.parts.serverOf(name)
      this.warm.delete(name)
      const machine = await this.parts.hypervisor.prepare(virtual_server, { signal })
      this.prepared.set(name, machine)
      if (warm) {
        await this.parts.hypervisor.warm(virtual_server, vip, vip_prefix, limited => this.parts.touch(name, virtual_server.address, limited), { signal })
        this.warm.add(name)
      }
      return `${warm ? 'running, cut off' : 'paused'}, from ${machine.from}${machine.warning ? ` (${machine.warning})` : ''}`
    }, (ok, detail) => this.parts.post({ event: 'prepared', function: name, ok, detail }))
  }

  async serve(order: Of<'serve'>): Promise<void> {
    await this.turns.take(order.function, SERVE_LIMIT_MS, signal => order.kind === 'native' ? this.serveNative(order, signal) : this.serveVirtual(order, signal),
      (ok, detail) => this.parts.post({ event: 'serving', function: order.function, epoch: order.epoch, ok, detail }))
  }

  private async serveNative({ function: name, epoch, generation }: Of<'serve'>, signal: AbortSignal): Promise<string> {
    const { announcer, device } = this.parts
    const { vip, vip_prefix } = this.parts.serverOf(name)
    if (!this.parts.handedOver(name) && !this.parts.ownAddresses().has(vip)) await this.assertFree(vip, signal)
    await this.arm({ function: name, epoch, kind: 'native', vip, prefix: vip_prefix, device }, generation, signal)
    announcer.announce(vip, device)
    return `${vip} on ${device}`
  }

  /**
   * The guard holds the process before it runs. A machine that stands still wakes while the segment is asked for the address; one that runs ahead has the
   * address already and joins the segment afterwards, or it would answer itself.
   */
  private async serveVirtual({ function: name, epoch, generation }: Of<'serve'>, signal: AbortSignal): Promise<string> {
    const { hypervisor } = this.parts
    const { vip, vip_prefix, virtual_server } = this.parts.serverOf(name)
    const machine = this.prepared.get(name)
    if (!machine) throw new RingwardError('HYPERVISOR_FAILED', `no virtual server for ${name} is ready`)
    await this.arm({ function: name, epoch, kind: 'virtual', virtual_server: virtual_server.name, pid: machine.pid, pid_start: machine.pid_start }, generation, signal)
    const asked = this.parts.handedOver(name) ? undefined : this.assertFree(vip, signal)
    if (this.warm.delete(name)) {
      await asked
      await hypervisor.run(virtual_server.name, { signal })
      await hypervisor.announce(virtual_server.name, vip, { signal })
    } else {
      await Promise.all([hypervisor.run(virtual_server.name, { signal }), asked])
      await hypervisor.addAddress(virtual_server.name, vip, vip_prefix, { signal })
    }
    return `${vip} in ${virtual_server.name}`
  }

  /** An answer for the VIP now is a zombie's: better no giver than two (S1). */
  private async assertFree(vip: string, signal: AbortSignal): Promise<void> {
    if (await this.parts.announcer.inUse(vip, this.parts.device, signal)) {
      throw new RingwardError('GUARD_REFUSED', `another host answers for ${vip}; find it with "arping -I ${this.parts.device} ${vip}" and take the address off it`)
    }
  }

  private async arm(charge: Charge, generation: number, signal: AbortSignal): Promise<void> {
    const reply = await this.parts.guard.request({ verb: 'arm', generation, margin_ms: this.parts.margin_ms, charge }, GUARD_LIMIT_MS, signal)
    if (!reply.ok) throw new RingwardError('GUARD_REFUSED', reply.reason ?? 'the guard refused')
  }

  /** Calls off whatever is under way for the function, then takes it down: address first, then the machine, then the guard's charge. */
  async stop({ function: name, kind }: Of<'stop'>): Promise<void> {
    this.turns.callOff(name)
    await this.turns.take(name, STOP_LIMIT_MS, async signal => {
      const { hypervisor, guard, serverOf } = this.parts
      // A former agent's machine may be that of a server which is not in the ring any more.
      if (kind === 'virtual') await hypervisor.stop(this.prepared.get(name)?.name ?? serverOf(name).virtual_server.name, { signal })
      this.prepared.delete(name)
      const reply = await guard.request({ verb: 'disarm', function: name }, GUARD_LIMIT_MS, signal)
      if (!reply.ok) throw new RingwardError('GUARD_REFUSED', reply.reason ?? 'the guard refused')
      return ''
    }, (ok, detail) => this.parts.post({ event: 'stopped', function: name, ok, detail }))
  }

  /** From now on the guard refuses that epoch of the function, also to a later agent. */
  async bar(name: string, epoch: number): Promise<void> {
    const reply = await this.parts.guard.request({ verb: 'bar', function: name, epoch }, GUARD_LIMIT_MS)
    if (!reply.ok) throw new RingwardError('GUARD_REFUSED', reply.reason ?? 'the guard refused')
  }

  /** Compares what should run with what runs. */
  async checkVirtualServers(signal: AbortSignal): Promise<void> {
    if (this.prepared.size === 0) return
    try {
      const running = new Set((await this.parts.hypervisor.list({ signal })).map(machine => machine.name))
      for (const [name, machine] of this.prepared) {
        if (running.has(machine.name) || this.turns.busy(name)) continue
        this.prepared.delete(name)
        this.parts.post({ event: 'virtual-server-gone', function: name, detail: `process ${machine.pid} is gone` })
      }
    } catch (error) {
      // "Cannot be reached" is unknown, not stopped: libvirt may answer again a moment later.
      if (!(error instanceof RingwardError)) throw new Error(`virtual servers cannot be listed: ${reasonOf(error)}`, { cause: error })
    }
  }

  async end(): Promise<void> {
    await this.turns.end()
  }
}
