import { readFile } from 'node:fs/promises'
import { hostPlaces, type Lab } from './lab.ts'
import { untilWhole } from './ring-view.ts'

/** From power-on to the whole ring: twelve hosts on two cores take about 20 s. */
const WHOLE_LIMIT_MS = 60_000

/** Waits until the ring is whole and says how long after the power came on; false, and what is missing, when it is not in time. */
export async function ringIsWhole(lab: Lab, tell: (text: string) => void): Promise<boolean> {
  const began_ms = await powerOn_ms(lab)
  const missing = await untilWhole(lab, Math.max(0, began_ms + WHOLE_LIMIT_MS - Date.now()))
  const after_s = ((Date.now() - began_ms) / 1_000).toFixed(1)
  tell(missing.length === 0
    ? lab.hosts.length === 1 ? `the ring of one host is there ${after_s} s after power-on; nobody watches it` : `the ring of ${lab.hosts.length} hosts is whole ${after_s} s after power-on`
    : `the ring is not whole ${after_s} s after power-on: ${missing.join('; ')}`)
  return missing.length === 0
}

/** When the first host got its power, as its mainboard noted it. */
async function powerOn_ms(lab: Lab): Promise<number> {
  return Math.min(Date.now(), ...await bootTimes_ms(lab))
}

/** When the newest host got its power or rebooted; for ever ago when none has. */
export async function newestBoot_ms(lab: Lab): Promise<number> {
  return Math.max(-Infinity, ...await bootTimes_ms(lab))
}

async function bootTimes_ms(lab: Lab): Promise<number[]> {
  const noted = await Promise.all(lab.hosts.map(async host => {
    const text = await readFile(hostPlaces(lab, host.name).state, 'utf8').catch(() => '{}')
    return Date.parse((JSON.parse(text) as { since?: string }).since ?? '')
  }))
  return noted.filter(Number.isFinite)
}
