import type { VirtualServer } from '../../core/inventory.ts'
import { RingwardError } from '../../errors.ts'
import type { Hypervisor, HypervisorOptions, RunningVirtualServer } from './hypervisor.ts'
import type { Origin } from './machine-start.ts'

interface Machine {
  /** Runs ahead of a hand-over, and no client finds it. */
  is_cut_off: boolean
  state: 'paused' | 'running'
  readonly pid: number
  readonly origin: Origin
  readonly addresses: Set<string>
}

export interface MemoryHypervisorOptions {
  /** Images whose saved state loads; all others start cold with a warning. */
  readonly saved_images: ReadonlySet<string>
}

/** Virtual servers that are only written down, for the tests of what stands on the hypervisor. Same contract as the real one. */
export class MemoryHypervisor implements Hypervisor {
  private readonly options: MemoryHypervisorOptions
  private readonly machines = new Map<string, Machine>()
  private last_pid = 1
  private is_closed = false

  constructor(options: MemoryHypervisorOptions) {
    this.options = options
  }

  prepare(server: VirtualServer, options: HypervisorOptions): Promise<RunningVirtualServer & Origin> {
    return this.answer(options, () => {
      if (!server.stateless) throw new RingwardError('HYPERVISOR_FAILED', `${server.name} is stateful; set stateless = true`)
      const present = this.machines.get(server.name)
      if (present?.state === 'running') throw new RingwardError('HYPERVISOR_FAILED', `${server.name} runs on this host already; stop it before it is prepared again`)
      const machine: Machine = present ?? { is_cut_off: false, state: 'paused', pid: ++this.last_pid, origin: this.originOf(server), addresses: new Set() }
      this.machines.set(server.name, machine)
      return { ...described(server.name, machine), ...machine.origin }
    })
  }

  run(name: string, options: HypervisorOptions): Promise<void> {
    return this.answer(options, () => { Object.assign(this.find(name), { state: 'running', is_cut_off: false }) })
  }

  async warm({ name }: VirtualServer, address: string, _prefix: number, touch: (signal: AbortSignal) => Promise<void>, options: HypervisorOptions): Promise<void> {
    await this.answer(options, () => {
      const machine = this.find(name)
      if (machine.state === 'running') return
      Object.assign(machine, { state: 'running', is_cut_off: true })
      machine.addresses.add(address)
    })
    await touch(options.signal)
  }

  stop(name: string, options: HypervisorOptions): Promise<void> {
    return this.answer(options, () => { this.machines.delete(name) })
  }

  list(options: HypervisorOptions): Promise<RunningVirtualServer[]> {
    return this.answer(options, () => [...this.machines].sort(([a], [b]) => a < b ? -1 : 1).map(([name, machine]) => described(name, machine)))
  }

  addAddress(name: string, address: string, _prefix: number, options: HypervisorOptions): Promise<void> {
    return this.answer(options, () => { this.findRunning(name).addresses.add(address) })
  }

  dropAddress(name: string, address: string, _prefix: number, options: HypervisorOptions): Promise<void> {
    return this.answer(options, () => { this.findRunning(name).addresses.delete(address) })
  }

  announce(name: string, _address: string, options: HypervisorOptions): Promise<void> {
    return this.answer(options, () => { this.find(name) })
  }

  migrate(name: string, _destination: string, options: HypervisorOptions): Promise<void> {
    return this.answer(options, () => { throw new RingwardError('HYPERVISOR_FAILED', `${name} cannot be moved: there is no other host; stop it and let the other host prepare it`) })
  }

  savedState({ name }: VirtualServer): Promise<string> {
    return Promise.resolve(`${name}.memory.state`)
  }

  close(): Promise<void> {
    this.is_closed = true
    return Promise.resolve()
  }

  isOnNetwork(name: string): boolean {
    const machine = this.machines.get(name)
    return machine?.state === 'running' && !machine.is_cut_off
  }

  /** What a client on the network would find: the addresses a running virtual server holds. */
  addressesOf(name: string): readonly string[] {
    const machine = this.machines.get(name)
    return machine && this.isOnNetwork(name) ? [...machine.addresses] : []
  }

  private originOf(server: VirtualServer): Origin {
    if (server.standby === 'cold') return { from: 'cold' }
    if (this.options.saved_images.has(server.image)) return { from: 'saved' }
    return { from: 'cold', warning: `${server.name} starts cold, its saved state does not load` }
  }

  private find(name: string): Machine {
    const machine = this.machines.get(name)
    if (!machine) throw new RingwardError('HYPERVISOR_FAILED', `${name} is not prepared on this host; prepare it first`)
    return machine
  }

  private findRunning(name: string): Machine {
    const machine = this.find(name)
    if (machine.state !== 'running') throw new RingwardError('GUEST_FAILED', `${name} is paused; nothing answers in it`)
    return machine
  }

  private async answer<T>({ signal }: HypervisorOptions, work: () => T): Promise<T> {
    await Promise.resolve()
    if (signal.aborted || this.is_closed) throw new RingwardError('ABORTED', 'the work was called off')
    return work()
  }
}

function described(name: string, { state, pid }: Machine): RunningVirtualServer {
  return { name, state, pid, pid_start: '1' }
}
