import { access, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { VirtualServer } from '../../core/inventory.ts'
import { reasonOf, RingwardError } from '../../errors.ts'
import { SystemClock } from '../clock.ts'
import { runOrFail } from '../command.ts'
import { probeAccelerator } from './accelerator.ts'
import { addGuestAddress, dropGuestAddress, type GuestIp } from './guest-addresses.ts'
import { GUEST_LIMIT_MS } from './guest-agent.ts'
import type { Hypervisor, HypervisorOptions, RunningVirtualServer } from './hypervisor.ts'
import { HypervisorWork } from './hypervisor-work.ts'
import { domainOf, isProcessOf, nameOf, uuidOf } from './libvirt-domain.ts'
import { LibvirtEvents } from './libvirt-events.ts'
import { LibvirtGuest } from './libvirt-guest.ts'
import { startUnderLibvirt } from './libvirt-start.ts'
import { findProcessBy, killFound, type MachineProcess } from './machine-process.ts'
import { readOrigin, writeOrigin, type Origin } from './machine-start.ts'
import { checkedAddress, isName, MACHINE, placesOf, statePath, type Accelerator, type Machine, type MachinePlaces } from './qemu-arguments.ts'
import { ANNOUNCEMENT, CLOCK_DELAY_MS, NANOSECONDS_A_MILLISECOND, type QemuOptions } from './qemu.ts'
import { withPrivateLine } from './private-line.ts'
import { Virsh } from './virsh.ts'
import { readDomainStates, type DomainState } from './virsh-output.ts'

/** A load that fails and a cold start after it, each within its own limits. */
const PREPARE_LIMIT_MS = 40_000
const ACT_LIMIT_MS = 5_000
/** Shorter, so that a libvirtd that hangs is named, and not just given up. */
const ANSWER_LIMIT_MS = 3_000
const LINK_LIMIT_MS = 2_000
/** Memory over 1 Gbit/s: 100 MB a second. */
const MIGRATE_LIMIT_MS = 120_000
/** The process is gone by then. */
const DESTROY_LIMIT_MS = 5_000
/** QEMU's own announcement after a load: 50, 200, 450, 800, 1,250 ms; until then it passes over every order to announce, and libvirt lets nobody shorten it. */
const OWN_ANNOUNCEMENT_MS = 1_300
/** Before a hand-over: nobody hears it until the tap is in the bridge, and then the next one is not far. */
const ANNOUNCEMENT_AHEAD = { initial: 20, max: 60, rounds: 45, step: 2 }
const EXAMINE_LIMIT_MS = 60_000
/** libvirtd takes a second or two to forget a machine on a busy host. */
const END_TRIES = 40
const END_AGAIN_MS = 50
/** Where libvirt writes the process of each machine it runs. */
const PID_DIRECTORY = '/run/libvirt/qemu'

type Prepared = RunningVirtualServer & Origin

export interface LibvirtOptions extends Omit<QemuOptions, 'launcher'> {
  /** Left out: the system's own libvirtd. */
  readonly uri?: string
  readonly pid_directory?: string
  /** A machine of ringward's ended, by itself or not: worth a look at the list. */
  readonly onEnd?: (name: string) => void
}

/**
 * Virtual servers as transient machines of libvirt: the same machines and the same saved states as plain QEMU's. Which of libvirt's machines are
 * ringward's is told by name and UUID, and what ends one is the kernel: a machine is stopped when its process is gone, whether libvirtd answers or not.
 */
export class LibvirtHypervisor implements Hypervisor {
  private readonly options: LibvirtOptions
  private readonly virsh: Virsh
  private readonly work = new HypervisorWork()
  private readonly events: LibvirtEvents
  private readonly accelerator: Promise<Accelerator>
  /** Machines that have ended, while libvirt still forgets them. */
  private readonly tidying = new Map<string, Promise<void>>()

  constructor(options: LibvirtOptions) {
    this.options = options
    this.virsh = new Virsh(options.uri)
    this.accelerator = options.accelerator ? Promise.resolve(options.accelerator) : probeAccelerator(this.work.signal)
    // Libvirt examines QEMU once and remembers it: 2 s that no recovery should wait for.
    this.work.inBackground(this.virsh.tell(['domcapabilities', '--machine', MACHINE], { limit_ms: EXAMINE_LIMIT_MS, signal: this.work.signal }).then(() => undefined, () => undefined))
    this.events = new LibvirtEvents(this.virsh, name => options.onEnd?.(name))
  }

  prepare(server: VirtualServer, options: HypervisorOptions): Promise<Prepared> {
    return this.work.inTurn(server.name, () => this.work.bounded(options, PREPARE_LIMIT_MS, signal => this.prepareNow(server, signal)))
  }

  /** Its tap is not in the bridge before `run`. */
  async warm({ name, address: own_address }: VirtualServer, address: string, prefix: number, touch: (signal: AbortSignal) => Promise<void>, options: HypervisorOptions): Promise<void> {
    await this.work.bounded(options, ACT_LIMIT_MS, async signal => {
      if (!await this.find(name)) throw new RingwardError('HYPERVISOR_FAILED', `${name} is not prepared on this host; prepare it first`)
      await this.resume(name, signal)
      if ((await readOrigin(this.placesOf(name)))?.from !== 'cold') this.work.inBackground(this.setClock(name))
    })
    await this.inGuest(name, options, ip => addGuestAddress(ip, name, address, prefix))
    await this.work.bounded(options, GUEST_LIMIT_MS, async signal => {
      await withPrivateLine(this.placesOf(name).tap, checkedAddress(own_address), signal, () => touch(signal))
      await sleep(OWN_ANNOUNCEMENT_MS, undefined, { signal })
      await this.announceSelf(name, ANNOUNCEMENT_AHEAD, signal)
    })
  }

  run(name: string, options: HypervisorOptions): Promise<void> {
    return this.work.bounded(options, ACT_LIMIT_MS, async signal => {
      const places = this.placesOf(name)
      if (!await this.find(name)) throw new RingwardError('HYPERVISOR_FAILED', `${name} is not prepared on this host; prepare it first`)
      const [origin] = await Promise.all([
        readOrigin(places),
        runOrFail('ip', ['link', 'set', 'dev', places.tap, 'master', this.options.bridge, 'up'], { limit_ms: LINK_LIMIT_MS, signal }),
        this.resume(name, signal),
      ])
      // One that came from another host has no origin here, and a clock that stood still on the way.
      if (origin?.from !== 'cold') this.work.inBackground(this.setClock(name))
    })
  }

  /** The process is killed first: it must end whether libvirtd answers or not, and nobody waits for libvirt to tidy up. */
  async stop(name: string): Promise<void> {
    const places = this.placesOf(name)
    await this.work.inTurn(name, async () => {
      if (await this.kill(name)) this.tidyLater(name, places)
      else await this.tidy(name, places)
    })
  }

  list(options: HypervisorOptions): Promise<RunningVirtualServer[]> {
    return this.work.bounded(options, ACT_LIMIT_MS, signal => this.look(signal))
  }

  async addAddress(name: string, address: string, prefix: number, options: HypervisorOptions): Promise<void> {
    await this.inGuest(name, options, ip => addGuestAddress(ip, name, address, prefix))
    await this.announce(name, address, options)
  }

  dropAddress(name: string, address: string, prefix: number, options: HypervisorOptions): Promise<void> {
    return this.inGuest(name, options, ip => dropGuestAddress(ip, name, address, prefix))
  }

  announce(name: string, address: string, options: HypervisorOptions): Promise<void> {
    checkedAddress(address)
    return this.work.bounded(options, ACT_LIMIT_MS, signal => this.announceSelf(name, ANNOUNCEMENT, signal))
  }

  private async announceSelf(name: string, announcement: typeof ANNOUNCEMENT, signal: AbortSignal): Promise<void> {
    await this.virsh.ask(['qemu-monitor-command', '--domain', uuidOf(name), '--cmd', JSON.stringify({ execute: 'announce-self', arguments: announcement })], { limit_ms: ANSWER_LIMIT_MS, signal })
  }

  async savedState(server: VirtualServer): Promise<string> {
    return basename(statePath(this.options.share_vm_directory, { server, network: this.options.network(), accelerator: await this.accelerator }))
  }

  migrate(name: string, destination: string, options: HypervisorOptions): Promise<void> {
    return this.work.inTurn(name, () => this.work.bounded(options, MIGRATE_LIMIT_MS, async signal => {
      // It arrives paused: whether it may run there is not libvirt's to decide. No disk, so nothing is copied but memory.
      await this.virsh.ask(['migrate', '--live', '--suspend', '--domain', uuidOf(name), '--desturi', destination], { limit_ms: MIGRATE_LIMIT_MS, signal })
      await rm(this.placesOf(name).directory, { recursive: true, force: true })
    }))
  }

  /** Leaves the machines as they are: they outlive the agent. */
  async close(): Promise<void> {
    await Promise.all([this.work.end(), this.events.close(), this.accelerator.catch(() => undefined)])
  }

  private async prepareNow(server: VirtualServer, signal: AbortSignal): Promise<Prepared> {
    if (!server.stateless) throw new RingwardError('HYPERVISOR_FAILED', `${server.name} is stateful, and its virtual server has no disks; set stateless = true`)
    const places = this.placesOf(server.name)
    await this.tidying.get(server.name)
    const present = (await this.look(signal)).find(machine => machine.name === server.name)
    const origin = present && await readOrigin(places)
    if (present?.state === 'running') throw new RingwardError('HYPERVISOR_FAILED', `${server.name} runs on this host already; stop it before it is prepared again`)
    if (present && origin) return { ...present, ...origin }
    const remove = () => this.remove(server.name, places)
    await remove()
    const machine: Machine = { server, network: this.options.network(), accelerator: await this.accelerator }
    try {
      const { share_vm_directory, log } = this.options
      const started = await startUnderLibvirt({ machine, places, virsh: this.virsh, share_vm_directory, log, remove }, signal)
      const found = await this.find(server.name)
      if (!found) throw new RingwardError('HYPERVISOR_FAILED', `${server.name} ended while it was prepared`)
      await writeOrigin(places, started)
      return { name: server.name, state: 'paused', ...found, ...started }
    } catch (error) {
      await remove().catch((problem: unknown) => this.options.log(reasonOf(problem)))
      throw error
    }
  }

  /** By libvirt's list and the kernel's: a machine whose process is gone has ended, even if libvirtd has not noticed yet. */
  private async look(signal: AbortSignal): Promise<RunningVirtualServer[]> {
    const found = await Promise.all((await this.states(signal)).map(async ({ name, state }) => {
      const process = await this.find(name)
      if (!process) await this.assertEnded(name, signal)
      return process && { name, state, ...process }
    }))
    return found.filter(machine => machine !== undefined).sort((a, b) => a.name < b.name ? -1 : 1)
  }

  /** Libvirt names a machine and nothing names its process: either libvirtd is just removing it, or it is not known whether it runs. */
  private async assertEnded(name: string, signal: AbortSignal): Promise<void> {
    for (let tries = 0; tries < END_TRIES; tries++) {
      if (await access(this.pidFile(name)).then(() => true, () => false)) return
      if (!(await this.states(signal)).some(other => other.name === name)) return
      await sleep(END_AGAIN_MS, undefined, { signal })
    }
    throw new RingwardError('HYPERVISOR_UNREACHABLE', `libvirt has a machine ${domainOf(name)}, but ${this.pidFile(name)} is missing; look with "virsh list --all", and end it with "virsh destroy ${domainOf(name)}"`)
  }

  private async states(signal: AbortSignal): Promise<DomainState[]> {
    const text = await this.virsh.ask(['domstats', '--state', '--raw'], { limit_ms: ANSWER_LIMIT_MS, signal })
    return readDomainStates(text).flatMap(({ name: domain, state }) => {
      const name = nameOf(domain)
      return name !== undefined && isName(name) ? [{ name, state }] : []
    })
  }

  private async resume(name: string, signal: AbortSignal): Promise<void> {
    const { status, stderr } = await this.virsh.tell(['resume', '--domain', uuidOf(name)], { limit_ms: ANSWER_LIMIT_MS, signal })
    if (status !== 0 && !/already running/.test(stderr)) throw new RingwardError('HYPERVISOR_FAILED', `${name} does not run: ${stderr.trim()}`)
  }

  private async remove(name: string, places: MachinePlaces): Promise<void> {
    await this.kill(name)
    await this.tidying.get(name)
    await this.tidy(name, places)
  }

  private tidyLater(name: string, places: MachinePlaces): void {
    const tidying = this.tidy(name, places).catch((error: unknown) => this.options.log(`${name} has ended, but libvirt was not told: ${reasonOf(error)}`)).finally(() => this.tidying.delete(name))
    this.tidying.set(name, tidying)
    this.work.inBackground(tidying)
  }

  private async kill(name: string): Promise<boolean> {
    const found = await this.find(name)
    if (found) await killFound(`virtual server ${name}`, () => this.find(name))
    return found !== undefined
  }

  /** Until libvirt does not know the machine any more, and its name is free. */
  private async tidy(name: string, places: MachinePlaces): Promise<void> {
    await this.virsh.askOf(['destroy', '--domain', uuidOf(name)], { limit_ms: DESTROY_LIMIT_MS }).catch((error: unknown) => {
      // It noticed the end by itself in the meantime.
      if (!/domain is not running/.test(reasonOf(error))) throw error
    })
    await rm(places.directory, { recursive: true, force: true })
  }

  private find(name: string): Promise<MachineProcess | undefined> {
    return findProcessBy(this.pidFile(name), command_line => isProcessOf(name, command_line))
  }

  private pidFile(name: string): string {
    return join(this.options.pid_directory ?? PID_DIRECTORY, `${domainOf(name)}.pid`)
  }

  private inGuest(name: string, options: HypervisorOptions, work: (ip: GuestIp) => Promise<void>): Promise<void> {
    return this.work.bounded(options, GUEST_LIMIT_MS, signal => work(args => new LibvirtGuest(this.virsh, name).run('ip', args, signal)))
  }

  private async setClock(name: string): Promise<void> {
    const { signal } = this.work
    try {
      await sleep(CLOCK_DELAY_MS, undefined, { signal })
      const clock = this.options.clock ?? new SystemClock()
      await new LibvirtGuest(this.virsh, name).execute('guest-set-time', { time: clock.wall().getTime() * NANOSECONDS_A_MILLISECOND }, signal)
    } catch (error) {
      if (!signal.aborted) this.options.log(`the clock of ${name} was not set: ${reasonOf(error)}`)
    }
  }

  private placesOf(name: string): MachinePlaces {
    return placesOf(this.options.run_directory, name)
  }
}
