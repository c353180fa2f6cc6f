import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hostPlaces, LabError, type Lab } from './lab.ts'
import { imageOf } from './names.ts'

/** How a saved memory can be of no use. Of other settings or another QEMU it has another name, so that a stale one is a missing one. */
export const SPOILED = ['missing', 'damaged'] as const
export type Spoiled = typeof SPOILED[number]

const ENDING = '.state'

function imagesOf(lab: Lab, host: string): string {
  return join(lab.directory, 'vm', imageOf(host))
}

/** Where the good files wait until the fault ends. */
function keptOf(lab: Lab, host: string): string {
  return join(hostPlaces(lab, host).base, 'good-states')
}

/** The saved memory of the virtual server that gives a host's function is gone, or its second half is. */
export async function spoilState(lab: Lab, host: string, how: Spoiled): Promise<void> {
  await healState(lab, host)
  const [images, kept] = [imagesOf(lab, host), keptOf(lab, host)]
  const states = (await readdir(images)).filter(name => name.endsWith(ENDING))
  if (states.length === 0) throw new LabError(`the virtual server of ${host} has no saved memory; it starts cold anyway`)
  await mkdir(kept, { recursive: true })
  for (const name of states) {
    // Moved and not changed: the cache of saved states has the same file.
    await rename(join(images, name), join(kept, name))
    if (how === 'missing') continue
    const whole = await readFile(join(kept, name))
    await writeFile(join(images, name), whole.subarray(0, Math.floor(whole.length / 2)), { mode: 0o640 })
  }
}

export async function healState(lab: Lab, host: string): Promise<void> {
  const kept = keptOf(lab, host)
  if (!existsSync(kept)) return
  for (const name of await readdir(kept)) await rename(join(kept, name), join(imagesOf(lab, host), name))
}
