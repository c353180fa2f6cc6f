import { mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Server, VirtualServer } from '../../src/core/inventory.ts'
import { probeAccelerator } from '../../src/edges/hypervisor/accelerator.ts'
import { GuestAgent, type GuestConversation } from '../../src/edges/hypervisor/guest-agent.ts'
import { DirectLauncher } from '../../src/edges/hypervisor/launcher.ts'
import { killProcess } from '../../src/edges/hypervisor/machine-process.ts'
import { startMachine } from '../../src/edges/hypervisor/machine-start.ts'
import { placesOf, saveUri, statePath, type Accelerator, type Machine, type Network } from '../../src/edges/hypervisor/qemu-arguments.ts'
import { withQmp, type Qmp } from '../../src/edges/hypervisor/qmp.ts'
import { within } from '../../src/edges/within.ts'
import { reasonOf } from '../../src/errors.ts'

/** A cold start takes about 3 s on a free processor; builders are rarely free. */
const READY_LIMIT_MS = 60_000
const SAVE_LIMIT_MS = 60_000
const POLL_MS = 50
const HTTP_PORT = 80

export interface SaveOptions {
  readonly server: VirtualServer
  /** `<share>/vm`; kernel and initrd lie in `<share>/vm/<image>/` already (installGuest). */
  readonly share_vm_directory: string
  /** `networkOf` the ring's inventory. */
  readonly network: Network
  /** Ports that must listen before the state is saved: those of the probes of its function's daemons. */
  readonly ports: readonly number[]
  readonly accelerator?: Accelerator
}

/** The ports by which a server's function is probed: what a client finds on its virtual server. */
export function portsOf({ daemons }: Pick<Server, 'daemons'>): number[] {
  return [...new Set(daemons.map(({ probe }) => probe.port))]
}

/**
 * Boots a virtual server once, off the network, and saves it with its services ready: the state every host loads again and again.
 * Needs root (a tap device that is on no bridge). Returns the file.
 */
export async function saveVirtualServerState({ server, share_vm_directory, network, ports, accelerator }: SaveOptions): Promise<string> {
  const machine: Machine = { server: { ...server, standby: 'cold' }, network, accelerator: accelerator ?? await probeAccelerator() }
  const run_directory = await mkdtemp(join(tmpdir(), 'ringward-save-'))
  const places = placesOf(run_directory, server.name)
  const guest = new GuestAgent(places.guest_agent)
  const target = statePath(share_vm_directory, machine)
  // Taken by rename: nobody ever loads half a state.
  const draft = join(dirname(target), `new-${process.pid}-${basename(target)}`)
  try {
    return await within(READY_LIMIT_MS + SAVE_LIMIT_MS, [], async signal => {
      await startMachine({ machine, places, launcher: new DirectLauncher(), share_vm_directory, log: () => undefined }, signal)
      await withQmp(places.monitor, signal, qmp => qmp.execute('cont'))
      // The line stays open until the state is saved: the agent in the state then listens instead of sleeping.
      const missing = new Set(ports)
      await guest.use(signal, conversation => makeReady(conversation, missing, signal), READY_LIMIT_MS).catch((error: unknown) => {
        throw missing.size > 0 ? new Error(`nothing was seen to listen on port ${[...missing].join(', ')}: ${reasonOf(error)}`, { cause: error }) : error
      })
      await withQmp(places.monitor, signal, qmp => save(qmp, draft), SAVE_LIMIT_MS)
      await rename(draft, target)
      return target
    })
  } finally {
    guest.close()
    await killProcess(places)
    await rm(draft, { force: true })
    await rm(run_directory, { recursive: true, force: true })
  }
}

/** Waits for the services, and overwrites free memory with zeros: zero pages cost nothing in the saved state. Ports that listen leave `missing`. */
async function makeReady(guest: GuestConversation, missing: Set<number>, signal: AbortSignal): Promise<void> {
  const http = missing.has(HTTP_PORT)
  for (;;) {
    // The kernel's own tables: an image needs no program for them but `cat`.
    const { stdout } = await guest.run('cat', ['/proc/net/tcp', '/proc/net/tcp6', '/proc/net/udp', '/proc/net/udp6'])
    for (const port of listeningPorts(stdout)) missing.delete(port)
    if (missing.size === 0) break
    await sleep(POLL_MS, undefined, { signal })
  }
  // The first page takes longer than all others: it is asked for before the state is saved. An image without the program does without.
  if (http) await guest.run('sh', ['-c', 'wget -q -O /dev/null http://127.0.0.1/'])
  await guest.run('sh', ['-c', ZERO_FREE_MEMORY])
}

/**
 * Ports in state LISTEN (0A) of the kernel's `/proc/net/tcp` and `tcp6`, whose addresses end in `:PORT` in hexadecimal; and those of
 * unconnected sockets (07) of `udp` and `udp6`, a state in which the tables of TCP list nothing.
 */
export function listeningPorts(tables: string): ReadonlySet<number> {
  return new Set([...tables.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} (?:0A|07) /gm)].map(([, port]) => Number.parseInt(port ?? '', 16)))
}

/** All but what the guest needs to go on: 4 MB above twice the kernel's own reserve, which grows with the memory (7 MB of 128 MB, 16 MB of 2 GB). */
const ZERO_FREE_MEMORY = 'echo 3 >/proc/sys/vm/drop_caches; mkdir -p /run/zero && mount -t tmpfs -o size=100% zero /run/zero'
  + ' && dd if=/dev/zero of=/run/zero/fill bs=64k count=$(( ($(grep MemFree /proc/meminfo | tr -dc 0-9) - 4096 - 2 * $(cat /proc/sys/vm/min_free_kbytes)) / 64 )); umount /run/zero; sync'

async function save(qmp: Qmp, draft: string): Promise<void> {
  await qmp.execute('stop')
  // Saving to a file needs no throttle: the default of 128 MiB/s protects networks.
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 })
  await qmp.execute('migrate', { uri: saveUri(draft) })
  for (;;) {
    const answer = await qmp.execute('query-migrate')
    const status = typeof answer === 'object' && answer !== null && 'status' in answer ? answer.status : undefined
    if (status === 'completed') break
    if (status === 'failed' || status === 'cancelled') throw new Error(`the state was not saved: ${JSON.stringify(answer)}`)
    await sleep(POLL_MS)
  }
  if ((await stat(draft)).size === 0) throw new Error('the saved state is empty')
}
