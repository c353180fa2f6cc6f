import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../src/edges/clock.ts'

/** A lease is renewed every 500 ms; the state is only looked at. */
const POLL_MS = 100
/** With two rounds of hands before and after, below the 120 s the control socket gives a request. */
export const WAIT_LIMIT_MS = 100_000

/** Whether `holds` came true within `limit_ms`; looked at again and again, for `--wait`. */
export async function cameTrue(holds: () => boolean, limit_ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const until_ms = clock.boot_ms() + Math.min(limit_ms, WAIT_LIMIT_MS)
  while (!holds()) {
    const left_ms = until_ms - clock.boot_ms()
    if (left_ms <= 0) return false
    await sleep(Math.min(POLL_MS, left_ms), undefined, { signal })
  }
  return true
}
