import { existsSync } from 'node:fs'
import { copyFile, link, mkdir, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { VirtualServer } from '../../src/core/inventory.ts'
import { probeAccelerator } from '../../src/edges/hypervisor/accelerator.ts'
import { statePath, type Network } from '../../src/edges/hypervisor/qemu-arguments.ts'
import { buildGuest, type GuestImage } from '../guest-image/build-guest.ts'
import { saveVirtualServerState } from '../guest-image/save-state.ts'
import type { HostPlan } from './hosts.ts'
import { NET_PREFIX } from './hosts.ts'
import { CACHE_DIRECTORY, openLab, type Lab } from './lab.ts'
import { GUEST_MEMORY_MB, imageOf, virtualServerOf } from './names.ts'

/** A program of its own: it reads the guest's recipe beside its source. Runs in the switch's namespace, where its devices bother nobody. */

/** Must be what the agent hands to the hypervisor, or the saved states are not found. */
const NETWORK: Network = { prefix: NET_PREFIX }
/** Booting a guest takes a whole processor for some seconds. */
const SAVED_AT_ONCE = 2

function virtualServer(lab: Lab, host: HostPlan): VirtualServer {
  return {
    name: virtualServerOf(host.name), address: host.virtual_address, memory_mb: GUEST_MEMORY_MB, cpus: 1, image: imageOf(host.name),
    standby: lab.settings.standby, stateless: true,
  }
}

/**
 * Puts each virtual server's image and saved memory where the hosts look for them. Both come from a cache beside the root
 * images, named after the guest's recipe; what is missing there is built and saved first (6 s for each saved state).
 */
async function place(lab: Lab): Promise<void> {
  const guest = await buildGuest({ cache_directory: CACHE_DIRECTORY })
  const cache = join(CACHE_DIRECTORY, `states-${basename(dirname(guest.kernel))}`)
  const waiting = [...lab.hosts]
  const accelerator = await probeAccelerator()
  await Promise.all(Array.from({ length: SAVED_AT_ONCE }, async () => {
    for (let host = waiting.shift(); host; host = waiting.shift()) {
      const server = virtualServer(lab, host)
      await linkGuest(guest, join(cache, server.image))
      if (lab.settings.standby !== 'cold' && !existsSync(statePath(cache, { server, accelerator, network: NETWORK }))) {
        process.stderr.write(`lab: booting ${server.name} once to save its memory\n`)
        await saveVirtualServerState({ server, share_vm_directory: cache, network: NETWORK, accelerator })
      }
      await linkAll(join(cache, server.image), join(lab.directory, 'vm', server.image))
    }
  }))
}

async function linkGuest(guest: GuestImage, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const file of [guest.kernel, guest.initrd]) await linkOrCopy(file, join(folder, basename(file)))
}

async function linkAll(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const name of await readdir(from)) if (!name.startsWith('new-')) await linkOrCopy(join(from, name), join(to, name))
}

/** Six copies of a saved memory take a second and 200 MB; the files are only read. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  if (existsSync(to)) return
  await link(from, to).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    return copyFile(from, to)
  })
}

await place(await openLab(process.argv[2] ?? ''))
