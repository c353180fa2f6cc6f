import { spawn, execFileSync, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { buildGuest, installGuest } from '../../../scripts/guest-image/build-guest.ts'
import { CACHE_DIRECTORY } from '../../../scripts/laboratory/lab.ts'
import type { VirtualServer } from '../../../src/core/inventory.ts'
import type { Hypervisor, HypervisorOptions, RunningVirtualServer } from '../../../src/edges/hypervisor/hypervisor.ts'
import { MemoryHypervisor } from '../../../src/edges/hypervisor/memory-hypervisor.ts'
import { RingwardError, type ErrorCode } from '../../../src/errors.ts'

export const SERVER: VirtualServer = { name: 'ftp-v', address: '10.99.0.5', memory_mb: 128, cpus: 1, image: 'base', standby: 'saved', stateless: true }
const BRIDGE = 'br0'
const BRIDGE_ADDRESS = '10.99.0.1/24'

const LINK_ADDRESSES = ['10.98.0.1', '10.98.0.2']

let worlds = 0

export type RealKind = 'QEMU' | 'libvirt'

export interface World {
  readonly hypervisor: Hypervisor
  /** Whether a client on the virtual server's network gets its service at this address. */
  serves(address: string): Promise<boolean>
  destroy(): Promise<void>
}

export function memoryWorld(): Promise<World> {
  const hypervisor = new MemoryHypervisor({ saved_images: new Set([SERVER.image]) })
  const serves = async (address: string) => {
    const running = (await hypervisor.list({ signal: new AbortController().signal })).filter(({ state }) => state === 'running')
    return running.some(({ name }) => hypervisor.isOnNetwork(name) && (address === SERVER.address || hypervisor.addressesOf(name).includes(address)))
  }
  return Promise.resolve({ hypervisor, serves, destroy: () => hypervisor.close() })
}

/** Real virtual machines on a bridge of their own, in a network namespace of their own. Needs root, QEMU, for libvirt its daemon and client, and, the first time, Debian's packages. */
export class RealWorld implements World, Hypervisor {
  private readonly directory: string
  private readonly namespace: string
  private readonly worker: ChildProcess
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void, reject: (error: Error) => void }>()
  private last_id = 0

  private constructor(kind: RealKind, directory: string, namespace: string, migration_address = '') {
    this.directory = directory
    this.namespace = namespace
    const program = fileURLToPath(new URL('../fixtures/hypervisor-worker.ts', import.meta.url))
    this.worker = spawn('ip', ['netns', 'exec', namespace, process.execPath, '--import', 'tsx', program, join(directory, 'vm'), join(directory, 'run'), BRIDGE, ...kind === 'libvirt' ? [join(directory, 'libvirt'), migration_address] : []], { stdio: ['pipe', 'pipe', 'inherit'] })
    if (this.worker.stdout) createInterface({ input: this.worker.stdout }).on('line', line => this.settle(line))
    this.worker.on('exit', () => { for (const { reject } of this.waiting.values()) reject(new Error('the worker ended')) })
  }

  static async open(kind: RealKind): Promise<RealWorld> {
    const world = await RealWorld.make(kind)
    try {
      await world.ask('save', [SERVER])
      return world
    } catch (error) {
      await world.destroy()
      throw error
    }
  }

  /** A second host with libvirt, where machines of the first may be moved to. */
  static async openDestination(source: RealWorld): Promise<RealWorld> {
    const world = await RealWorld.make('libvirt', LINK_ADDRESSES[1])
    execFileSync('ip', ['-n', source.namespace, 'link', 'add', 'link0', 'type', 'veth', 'peer', 'name', 'link0', 'netns', world.namespace])
    for (const [index, { namespace }] of [source, world].entries()) {
      execFileSync('ip', ['-n', namespace, 'addr', 'add', `${LINK_ADDRESSES[index]}/24`, 'dev', 'link0'])
      execFileSync('ip', ['-n', namespace, 'link', 'set', 'link0', 'up'])
    }
    return world
  }

  private static async make(kind: RealKind, migration_address?: string): Promise<RealWorld> {
    const image = await buildGuest({ cache_directory: CACHE_DIRECTORY })
    const directory = await mkdtemp(join(tmpdir(), 'rw-vm-'))
    await installGuest(image, join(directory, 'vm', SERVER.image))
    const namespace = `rw-vm-${process.pid}-${++worlds}`
    execFileSync('ip', ['netns', 'add', namespace])
    for (const command of [`link set lo up`, `link add ${BRIDGE} type bridge forward_delay 0`, `addr add ${BRIDGE_ADDRESS} dev ${BRIDGE}`, `link set ${BRIDGE} up`]) {
      execFileSync('ip', ['-n', namespace, ...command.split(' ')])
    }
    return new RealWorld(kind, directory, namespace, migration_address)
  }

  get hypervisor(): Hypervisor {
    return this
  }

  async serves(address: string): Promise<boolean> {
    return String(await this.ask('read', [address])).includes('given by a virtual server')
  }

  async destroy(): Promise<void> {
    const ended = new Promise(resolve => this.worker.once('exit', resolve))
    this.worker.stdin?.end()
    await ended
    execFileSync('ip', ['netns', 'del', this.namespace])
    await rm(this.directory, { recursive: true, force: true })
  }

  /** Its libvirt, for others on this machine. */
  get uri(): string {
    return `qemu+unix:///system?socket=${join(this.directory, 'libvirt', 'run', 'libvirt-sock')}`
  }

  /** A new agent takes the place of the former one. */
  async succeed(): Promise<void> {
    await this.ask('succeed', [])
  }

  ask(method: string, args: unknown[], abort_ms?: number): Promise<unknown> {
    const id = ++this.last_id
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      this.worker.stdin?.write(`${JSON.stringify({ id, method, args, abort_ms })}\n`)
    })
  }

  prepare(server: VirtualServer, _options: HypervisorOptions): ReturnType<Hypervisor['prepare']> {
    return this.ask('prepare', [server]) as ReturnType<Hypervisor['prepare']>
  }

  /** `touch` cannot cross to the worker: it reads the page at the machine's own address instead, and the answer is what came. */
  async warm(server: VirtualServer, address: string, prefix: number, touch: (signal: AbortSignal) => Promise<void>, options: HypervisorOptions): Promise<void> {
    if (String(await this.ask('warm', [server, address, prefix])).includes('given by a virtual server')) await touch(options.signal)
  }

  async run(name: string): Promise<void> {
    await this.ask('run', [name])
  }

  async stop(name: string): Promise<void> {
    await this.ask('stop', [name])
  }

  list(): Promise<RunningVirtualServer[]> {
    return this.ask('list', []) as Promise<RunningVirtualServer[]>
  }

  async addAddress(name: string, address: string, prefix: number): Promise<void> {
    await this.ask('addAddress', [name, address, prefix])
  }

  async dropAddress(name: string, address: string, prefix: number): Promise<void> {
    await this.ask('dropAddress', [name, address, prefix])
  }

  async announce(name: string, address: string): Promise<void> {
    await this.ask('announce', [name, address])
  }

  savedState(server: VirtualServer): Promise<string> {
    return this.ask('savedState', [server]) as Promise<string>
  }

  async migrate(name: string, destination: string): Promise<void> {
    await this.ask('migrate', [name, destination])
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  private settle(line: string): void {
    const { id, value, code, message } = JSON.parse(line) as { id: number, value?: unknown, code?: string, message?: string }
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    if (code === undefined) return waiting?.resolve(value)
    waiting?.reject(code === 'none' ? new Error(message) : new RingwardError(code as ErrorCode, message ?? ''))
  }
}
