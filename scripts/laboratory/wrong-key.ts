import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { writeInto } from './host-root.ts'
import { hostPlaces, LabError, type Lab } from './lab.ts'
import { programPids } from './programs.ts'

const KEY = 'etc/ringward/keys/ring.psk'
/** The ring's own key waits beside it. */
const KEPT = `${KEY}.good`
const PRIVATE = 0o600

/** The host has another ring's key, as one that was set up with the wrong files; its agent begins anew with it. */
export async function giveWrongKey(lab: Lab, host: string): Promise<void> {
  const { root } = hostPlaces(lab, host)
  if (existsSync(join(root, KEPT))) throw new LabError(`${host} has a wrong key already`)
  const key = await readFile(join(root, KEY), 'utf8')
  await rename(join(root, KEY), join(root, KEPT))
  await writeInto(root, KEY, key.replace(/[0-9a-f]{64}/, randomBytes(32).toString('hex')), PRIVATE)
  restartAgent(lab, host)
}

export async function healKey(lab: Lab, host: string): Promise<void> {
  const { root } = hostPlaces(lab, host)
  if (!existsSync(join(root, KEPT))) return
  await rename(join(root, KEPT), join(root, KEY))
  restartAgent(lab, host)
}

/** Keys are read when an agent starts; the Executer brings the next one. */
function restartAgent(lab: Lab, host: string): void {
  for (const pid of programPids(lab, host, 'agent')) process.kill(pid, 'SIGKILL')
}
