import { readdir, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { VirtualServer } from '../../core/inventory.ts'
import { reasonOf, RingwardError } from '../../errors.ts'
import { SystemClock, type Clock } from '../clock.ts'
import { runOrFail } from '../command.ts'
import { probeAccelerator } from './accelerator.ts'
import { GUEST_LIMIT_MS, GuestAgent, type GuestResult } from './guest-agent.ts'
import { addGuestAddress, dropGuestAddress } from './guest-addresses.ts'
import type { Hypervisor, HypervisorOptions, RunningVirtualServer } from './hypervisor.ts'
import { HypervisorWork } from './hypervisor-work.ts'
import { SystemdLauncher, type Launcher } from './launcher.ts'
import { findProcess, killProcess } from './machine-process.ts'
import { readOrigin, startMachine, writeOrigin, type Origin } from './machine-start.ts'
import { withPrivateLine } from './private-line.ts'
import { checkedAddress, isName, placesOf, statePath, type Accelerator, type Machine, type MachinePlaces, type Network } from './qemu-arguments.ts'
import { withQmp } from './qmp.ts'

/** A load that fails and a cold start after it, each within its own limits. */
const PREPARE_LIMIT_MS = 30_000
/** A monitor's answer and an `ip` call. */
const ACT_LIMIT_MS = 5_000
const LINK_LIMIT_MS = 2_000
/**
 * The guest's kernel sends a gratuitous ARP for each of its addresses: five times in the first 1.3 s, 50 ms and more apart, and then for a minute, at last once a second. Where
 * the first ones are lost, or somebody else's come after them, whoever remembers the former giver would go on asking it for half a minute. The machine itself sends them, so that they end with it.
 */
export const ANNOUNCEMENT = { initial: 50, max: 1_000, rounds: 65, step: 100 }
/** The first answers matter more than the clock: it is set when they are through. */
export const CLOCK_DELAY_MS = 300
export const NANOSECONDS_A_MILLISECOND = 1_000_000

type Prepared = RunningVirtualServer & Origin

export interface QemuOptions {
  /** `vm` of the shared area. Only QEMU's own processes read there; this program never does, so a hung share cannot hang it. */
  readonly share_vm_directory: string
  /** `/run/ringward/vm`: one folder for each machine that runs. */
  readonly run_directory: string
  readonly bridge: string
  readonly log: (message: string) => void
  /** `networkOf` the inventory as it is at that moment. */
  readonly network: () => Network
  readonly launcher?: Launcher
  readonly clock?: Clock
  /** Left out: found out once. */
  readonly accelerator?: Accelerator
}

/**
 * Virtual servers as plain QEMU processes. They keep nothing on a disk: kernel and root file system come from the image
 * into memory, so every start is a fresh one and any number of starts leaves the image as it was.
 * What runs is told by `run_directory` and the processes themselves, never remembered: a new agent finds the machines of the former one.
 */
export class QemuHypervisor implements Hypervisor {
  private readonly options: QemuOptions
  private readonly launcher: Launcher
  private readonly clock: Clock
  private readonly work = new HypervisorWork()
  private readonly guests = new Map<string, GuestAgent>()
  private readonly accelerator: Promise<Accelerator>

  constructor(options: QemuOptions) {
    this.options = options
    this.launcher = options.launcher ?? new SystemdLauncher()
    this.clock = options.clock ?? new SystemClock()
    // Found out at the start, so that no recovery waits for it.
    this.accelerator = options.accelerator ? Promise.resolve(options.accelerator) : probeAccelerator(this.work.signal)
  }

  prepare(server: VirtualServer, options: HypervisorOptions): Promise<Prepared> {
    return this.work.inTurn(server.name, () => this.work.bounded(options, PREPARE_LIMIT_MS, signal => this.prepareNow(server, signal)))
  }

  /** Its network card has a tap that is not in the bridge before `run`. */
  warm({ name, address: own_address }: VirtualServer, address: string, prefix: number, touch: (signal: AbortSignal) => Promise<void>, options: HypervisorOptions): Promise<void> {
    return this.work.bounded(options, GUEST_LIMIT_MS, async signal => {
      const { places, origin } = await this.prepared(name)
      await withQmp(places.monitor, signal, qmp => qmp.execute('cont'))
      if (origin.from === 'saved') this.work.inBackground(this.setClock(name))
      await addGuestAddress(args => this.inGuest(name, { signal }, args), name, address, prefix)
      await withPrivateLine(places.tap, checkedAddress(own_address), signal, () => touch(signal))
    })
  }

  run(name: string, options: HypervisorOptions): Promise<void> {
    return this.work.bounded(options, ACT_LIMIT_MS, async signal => {
      const { places, origin } = await this.prepared(name)
      await Promise.all([
        runOrFail('ip', ['link', 'set', 'dev', places.tap, 'master', this.options.bridge], { limit_ms: LINK_LIMIT_MS, signal }),
        withQmp(places.monitor, signal, qmp => qmp.execute('cont')),
      ])
      if (origin.from === 'saved') this.work.inBackground(this.setClock(name))
    })
  }

  /** It has stopped when its process is gone: a function that goes home waits for this. Whoever prepares it again waits for the rest as well. */
  stop(name: string): Promise<void> {
    const places = this.placesOf(name)
    const gone = this.work.inTurn(name, () => killProcess(places))
    const tidied = this.work.inTurn(name, () => this.remove(name, places))
    this.work.inBackground(tidied.catch((error: unknown) => { this.options.log(`what is left of ${name} was not removed: ${reasonOf(error)}`) }))
    return gone
  }

  list(options: HypervisorOptions): Promise<RunningVirtualServer[]> {
    return this.work.bounded(options, ACT_LIMIT_MS, async signal => {
      const names = await readdir(this.options.run_directory).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw new RingwardError('HYPERVISOR_UNREACHABLE', `${this.options.run_directory} cannot be read: ${error.message}`)
      })
      const found = await Promise.all(names.filter(isName).sort().map(name => this.look(name, signal)))
      return found.filter(machine => machine !== undefined)
    })
  }

  async addAddress(name: string, address: string, prefix: number, options: HypervisorOptions): Promise<void> {
    await addGuestAddress(args => this.inGuest(name, options, args), name, address, prefix)
    await this.announce(name, address, options)
  }

  dropAddress(name: string, address: string, prefix: number, options: HypervisorOptions): Promise<void> {
    return dropGuestAddress(args => this.inGuest(name, options, args), name, address, prefix)
  }

  /** The guest's kernel announces all its addresses when the network card asks it to: no program has to start in the guest. */
  announce(name: string, address: string, options: HypervisorOptions): Promise<void> {
    checkedAddress(address)
    return this.work.bounded(options, ACT_LIMIT_MS, async signal => {
      await withQmp(this.placesOf(name).monitor, signal, qmp => qmp.execute('announce-self', ANNOUNCEMENT))
    })
  }

  async savedState(server: VirtualServer): Promise<string> {
    return basename(statePath(this.options.share_vm_directory, { server, network: this.options.network(), accelerator: await this.accelerator }))
  }

  migrate(name: string): Promise<void> {
    return Promise.reject(new RingwardError('HYPERVISOR_FAILED', `${name} cannot be moved while it runs: plain QEMU does not do that; set hypervisor = "libvirt" for both hosts, or stop it and let the other host prepare it`))
  }

  /** Leaves the machines as they are: they outlive the agent. */
  async close(): Promise<void> {
    await this.work.end()
    await this.accelerator
    for (const guest of this.guests.values()) guest.close()
  }

  private async prepared(name: string): Promise<{ places: MachinePlaces; origin: Origin }> {
    const places = this.placesOf(name)
    const origin = await readOrigin(places)
    if (!origin || !await findProcess(places)) throw new RingwardError('HYPERVISOR_FAILED', `${name} is not prepared on this host; prepare it first`)
    return { places, origin }
  }

  private async prepareNow(server: VirtualServer, signal: AbortSignal): Promise<Prepared> {
    if (!server.stateless) throw new RingwardError('HYPERVISOR_FAILED', `${server.name} is stateful, and the QEMU hypervisor has no disks; set stateless = true`)
    const places = this.placesOf(server.name)
    const present = await this.look(server.name, signal)
    const origin = present && await readOrigin(places)
    if (present?.state === 'running') throw new RingwardError('HYPERVISOR_FAILED', `${server.name} runs on this host already; stop it before it is prepared again`)
    if (present && origin) return { ...present, ...origin }
    await this.remove(server.name, places)
    const machine: Machine = { server, network: this.options.network(), accelerator: await this.accelerator }
    try {
      const started = await startMachine({ machine, places, launcher: this.launcher, share_vm_directory: this.options.share_vm_directory, log: this.options.log }, signal)
      const found = await findProcess(places)
      if (!found) throw new RingwardError('HYPERVISOR_FAILED', `${server.name} ended while it was prepared`)
      await this.guestOf(server.name).open(signal)
      await writeOrigin(places, started)
      return { name: server.name, state: 'paused', ...found, ...started }
    } catch (error) {
      await this.remove(server.name, places)
      throw error
    }
  }

  /** A machine that is there but does not say its state is an error: it must not read as stopped. */
  private async look(name: string, signal: AbortSignal): Promise<RunningVirtualServer | undefined> {
    const places = this.placesOf(name)
    const found = await findProcess(places)
    if (!found) return undefined
    try {
      const status = await withQmp(places.monitor, signal, qmp => qmp.status())
      return { name, state: status === 'running' ? 'running' : 'paused', ...found }
    } catch (error) {
      if (!await findProcess(places)) return undefined
      throw error
    }
  }

  private async remove(name: string, places: MachinePlaces): Promise<void> {
    await killProcess(places)
    this.guests.get(name)?.close()
    this.guests.delete(name)
    await this.launcher.release(name)
    await rm(places.directory, { recursive: true, force: true })
  }

  /** The system clock alone: the guest has no program that would carry it into its hardware clock, so this is one short call. */
  private async setClock(name: string): Promise<void> {
    try {
      await sleep(CLOCK_DELAY_MS, undefined, { signal: this.work.signal })
      await this.guestOf(name).use(this.work.signal, guest => guest.execute('guest-set-time', { time: this.clock.wall().getTime() * NANOSECONDS_A_MILLISECOND }))
    } catch (error) {
      if (!this.work.signal.aborted) this.options.log(`the clock of ${name} was not set: ${reasonOf(error)}`)
    }
  }

  private placesOf(name: string): MachinePlaces {
    return placesOf(this.options.run_directory, name)
  }

  private guestOf(name: string): GuestAgent {
    const known = this.guests.get(name)
    if (known) return known
    const guest = new GuestAgent(this.placesOf(name).guest_agent)
    this.guests.set(name, guest)
    return guest
  }

  private inGuest(name: string, options: HypervisorOptions, args: readonly string[]): Promise<GuestResult> {
    return this.work.bounded(options, GUEST_LIMIT_MS, signal => this.guestOf(name).use(signal, guest => guest.run('ip', args)))
  }
}
