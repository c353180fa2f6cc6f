import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf, RingwardError } from '../../errors.ts'
import { runOrFail } from '../command.ts'
import { domainXml } from './libvirt-domain.ts'
import { saveHeader } from './libvirt-save-header.ts'
import type { Origin } from './machine-start.ts'
import { checkedName, statePath, type Machine, type MachinePlaces } from './qemu-arguments.ts'
import { StateFeed } from './state-feed.ts'
import type { Virsh } from './virsh.ts'

/** As for plain QEMU: 60 MB take 5 s over a share of 100 Mbit/s; beyond twice that, and libvirt's own look at QEMU, the share hangs. */
const LOAD_LIMIT_MS = 15_000
/** The cold case reads kernel and initrd (85 MB) from the share. */
const START_LIMIT_MS = 10_000
const LINK_LIMIT_MS = 2_000

export interface LibvirtStart {
  readonly machine: Machine
  readonly places: MachinePlaces
  readonly virsh: Virsh
  readonly share_vm_directory: string
  readonly log: (message: string) => void
  /** Removes what a start that failed has left. */
  readonly remove: () => Promise<void>
}

/**
 * Brings a machine to "paused" under libvirt: from the saved state of plain QEMU, or at its first instruction when there is none that loads.
 * Rejects with HYPERVISOR_FAILED or HYPERVISOR_UNREACHABLE; the caller removes what is left.
 */
export async function startUnderLibvirt(context: LibvirtStart, signal: AbortSignal): Promise<Origin> {
  const { name, standby } = context.machine.server
  if (standby === 'cold') return startCold(context, signal)
  try {
    await load(context, signal)
    return { from: 'saved' }
  } catch (error) {
    if (signal.aborted || (error instanceof RingwardError && error.code === 'HYPERVISOR_UNREACHABLE')) throw error
    const warning = `${name} starts cold: its saved state ${statePath(context.share_vm_directory, context.machine)} is missing, damaged or of another QEMU; save it again (${reasonOf(error)})`
    context.log(warning)
    await context.remove()
    return { ...await startCold(context, signal), warning }
  }
}

/** Libvirt is let finish: called off half-way, nobody could tell what it starts. A cut feed makes it end at once. */
async function load({ machine, places, virsh, share_vm_directory }: LibvirtStart, signal: AbortSignal): Promise<void> {
  await mkdir(places.directory, { recursive: true, mode: 0o700 })
  signal.throwIfAborted()
  const feed = await StateFeed.open(join(places.directory, 'state'), saveHeader(domainXml(machine, places.tap, 'saved')), statePath(share_vm_directory, machine))
  const cut = () => feed.cut()
  signal.addEventListener('abort', cut, { once: true })
  if (signal.aborted) cut()
  try {
    await virsh.ask(['restore', '--paused', feed.path], { limit_ms: LOAD_LIMIT_MS })
  } catch (error) {
    throw error instanceof RingwardError && error.code === 'HYPERVISOR_FAILED' && feed.words !== '' ? new RingwardError('HYPERVISOR_FAILED', `${feed.words}; ${error.message}`, { cause: error }) : error
  } finally {
    signal.removeEventListener('abort', cut)
    await feed.end()
  }
  await linkUp(places, signal)
}

async function startCold({ machine, places, virsh, share_vm_directory }: LibvirtStart, signal: AbortSignal): Promise<Origin> {
  await mkdir(places.directory, { recursive: true, mode: 0o700 })
  const definition = join(places.directory, 'domain.xml')
  await writeFile(definition, domainXml(machine, places.tap, { image_directory: join(share_vm_directory, checkedName(machine.server.image)) }))
  signal.throwIfAborted()
  try {
    await virsh.ask(['create', '--paused', definition], { limit_ms: START_LIMIT_MS })
  } catch (error) {
    if (!(error instanceof RingwardError) || error.code !== 'HYPERVISOR_FAILED') throw error
    throw new RingwardError('HYPERVISOR_FAILED', `${machine.server.name} does not start: ${error.message}`, { cause: error })
  }
  await linkUp(places, signal)
  return { from: 'cold' }
}

/** Not on the bridge before it runs: what arrives meanwhile would only be a backlog for a slow guest. */
async function linkUp({ tap }: MachinePlaces, signal: AbortSignal): Promise<void> {
  await runOrFail('ip', ['link', 'set', 'dev', tap, 'addrgenmode', 'none', 'up'], { limit_ms: LINK_LIMIT_MS, signal })
}
