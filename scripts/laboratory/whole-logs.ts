import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hostPlaces, shareBacking, type Lab } from './lab.ts'

/** After an outage of the shared area what was held back is sent within seconds. */
const CATCH_UP_LIMIT_MS = 30_000
const LOOK_EVERY_MS = 250

/** Hosts whose log on the shared area lacks something of what they have on their own disk, after a time to catch up. */
export async function logsBehind(lab: Lab): Promise<string[]> {
  const end_ms = performance.now() + CATCH_UP_LIMIT_MS
  const behind: string[] = []
  for (const { name } of lab.hosts) {
    while (!await isWhole(lab, name) && performance.now() < end_ms) await sleep(LOOK_EVERY_MS)
    if (!await isWhole(lab, name)) behind.push(name)
  }
  return behind
}

async function isWhole(lab: Lab, host: string): Promise<boolean> {
  const own = join(hostPlaces(lab, host).root, 'var/log/ringward')
  const shared = join(shareBacking(lab), 'log', host)
  for (const name of (await readdir(own)).filter(each => each.endsWith('.log'))) {
    // In this order: what is written in between is not missing.
    const written = await readFile(join(own, name), 'utf8')
    const sent = await readFile(join(shared, name), 'utf8').catch(() => '')
    if (!sent.startsWith(written)) return false
  }
  return true
}
