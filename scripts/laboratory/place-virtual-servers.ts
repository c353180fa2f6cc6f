import { existsSync } from 'node:fs'
import { copyFile, link, mkdir, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { runCheck } from '../../src/configuration/check.ts'
import { probeAccelerator } from '../../src/edges/hypervisor/accelerator.ts'
import { networkOf, statePath } from '../../src/edges/hypervisor/qemu-arguments.ts'
import { buildGuest, type GuestImage } from '../guest-image/build-guest.ts'
import { portsOf, saveVirtualServerState } from '../guest-image/save-state.ts'
import { CACHE_DIRECTORY, LabError, openLab, shareBacking, type Lab } from './lab.ts'

/** A program of its own: it reads the guest's recipe beside its source. Runs in the switch's namespace, where its devices bother nobody. */

/** Booting a guest takes a whole processor for some seconds. */
const SAVED_AT_ONCE = 2

/**
 * Puts each virtual server's image and saved memory where the hosts look for them. Both come from a cache beside the root
 * images, named after the guest's recipe; what is missing there is built and saved first (6 s for each saved state).
 */
async function place(lab: Lab): Promise<void> {
  const { inventory } = await runCheck(shareBacking(lab))
  if (!inventory) throw new LabError('the configuration of the lab\'s ring is not valid')
  const guest = await buildGuest({ cache_directory: CACHE_DIRECTORY })
  const cache = join(CACHE_DIRECTORY, `states-${basename(dirname(guest.kernel))}`)
  const network = networkOf(inventory)
  const waiting = [...inventory.servers]
  const accelerator = await probeAccelerator()
  await Promise.all(Array.from({ length: SAVED_AT_ONCE }, async () => {
    for (let host = waiting.shift(); host; host = waiting.shift()) {
      const server = host.virtual_server
      await linkGuest(guest, join(cache, server.image))
      if (server.standby === 'saved' && !existsSync(statePath(cache, { server, accelerator, network }))) {
        process.stderr.write(`lab: booting ${server.name} once to save its memory\n`)
        await saveVirtualServerState({ server, share_vm_directory: cache, network, ports: portsOf(host), accelerator })
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
