import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runCheck } from '../src/configuration/check.ts'
import { formatProblem } from '../src/configuration/problem.ts'
import type { Inventory, Server } from '../src/core/inventory.ts'
import { probeAccelerator } from '../src/edges/hypervisor/accelerator.ts'
import { networkOf } from '../src/edges/hypervisor/qemu-arguments.ts'
import { reasonOf } from '../src/errors.ts'
import { buildGuest, installGuest } from './guest-image/build-guest.ts'
import { portsOf, saveVirtualServerState } from './guest-image/save-state.ts'

/** Saves the states of a ring's virtual servers; `scripts/save-states` starts it and tells how to use it. */
interface Wishes {
  readonly share: string
  readonly image?: string
  /** Where the demonstration image is built; left out: the images that lie in `vm/` are used. */
  readonly demo_cache?: string
}

const USAGE = `use: scripts/save-states SHARE_DIR [--image FOLDER] [--demo-image --cache DIRECTORY]
  Boots each virtual server of the ring once, off the network, and saves its memory below SHARE_DIR/vm/ (standby "saved" only).
  --image FOLDER      only virtual servers with this image (a folder below vm/)
  --demo-image        first put the image that comes with ringward into their folders; else the kernel and initrd there are used
  --cache DIRECTORY   where that image is built, and found the next time
Exit status: 0 saved, 1 failed, 2 usage.
`
const BYTES_PER_MB = 1_000_000

function wishes(): Wishes | undefined {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { image: { type: 'string' }, cache: { type: 'string' }, 'demo-image': { type: 'boolean' } } })
    const [share, ...others] = positionals
    const { image, cache } = values
    if (share === undefined || others.length > 0) throw new Error('name one folder: the shared area')
    if (values['demo-image'] && cache === undefined) throw new Error('--demo-image needs --cache')
    return { share: resolve(share), ...image === undefined ? {} : { image }, ...values['demo-image'] && cache !== undefined ? { demo_cache: resolve(cache) } : {} }
  } catch (error) {
    process.stderr.write(`save-states: ${reasonOf(error)}\n${USAGE}`)
    return undefined
  }
}

async function saveStates({ share, image, demo_cache }: Wishes): Promise<boolean> {
  const { inventory, problems } = await runCheck(share)
  if (!inventory) return complain(problems.map(formatProblem).join('\n'))
  const servers = inventory.servers.filter(({ virtual_server }) => image === undefined || virtual_server.image === image)
  const vm = join(share, 'vm')
  const images = [...new Set(servers.map(({ virtual_server }) => virtual_server.image))]
  if (images.length === 0) return complain(`no virtual server has image = "${image ?? ''}"`)
  if (demo_cache !== undefined) {
    const guest = await buildGuest({ cache_directory: demo_cache })
    for (const folder of images) await installGuest(guest, join(vm, folder))
  }
  return await saveAll(inventory, servers.filter(({ virtual_server }) => virtual_server.standby === 'saved'), vm)
}

/** One after the other: booting takes a whole processor. What fails is told, and the others are saved all the same. */
async function saveAll(inventory: Inventory, servers: readonly Server[], vm: string): Promise<boolean> {
  const accelerator = await probeAccelerator()
  let good = true
  for (const server of servers) {
    const { name, virtual_server } = server
    const ports = portsOf(server)
    process.stdout.write(`${virtual_server.name} (for ${name}): booting, waiting for port ${ports.join(', ')}\n`)
    try {
      const file = await saveVirtualServerState({ server: virtual_server, share_vm_directory: vm, network: networkOf(inventory), ports, accelerator })
      process.stdout.write(`  saved ${file}, ${((await stat(file)).size / BYTES_PER_MB).toFixed(0)} MB\n`)
    } catch (error) {
      good = complain(`${virtual_server.name} could not be saved: ${reasonOf(error)}`)
    }
  }
  return good
}

function complain(text: string): false {
  process.stderr.write(`save-states: ${text}\n`)
  return false
}

const wished = wishes()
process.exitCode = wished === undefined ? 2 : await saveStates(wished) ? 0 : 1
