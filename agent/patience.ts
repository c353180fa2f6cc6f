import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../src/edges/clock.ts'

/** A lease is renewed every 500 ms; the state is only looked at. */
const POLL_MS = 100
/** With two rounds of hands before and after, below the 120 s the control socket gives a request. */
const WAIT_LIMIT_MS = 100_000

/** How long a request wants to wait, within what it may: its `wait_ms`, or 0 without one. */
export function patienceOf(wait_ms: unknown): number {
  return typeof wait_ms === 'number' && wait_ms > 0 ? Math.min(wait_ms, WAIT_LIMIT_MS) : 0
}

/** Whether `holds` came true within `limit_ms`; looked at again and again, for `--wait`. */
export async function cameTrue(holds: () => boolean, limit_ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const until_ms = clock.boot_ms() + limit_ms
  while (!holds()) {
    const left_ms = until_ms - clock.boot_ms()
    if (left_ms <= 0) return false
    await sleep(Math.min(POLL_MS, left_ms), undefined, { signal })
  }
  return true
}
