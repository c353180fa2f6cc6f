/** The agent's way to its guard in virtual time: an order waits for a guard that comes back, and fails when none does (guard-client.ts). */
import type { SimulatedGuard } from './simulated-guard.ts'
import type { SimulatedHost } from './simulated-host.ts'

/** As the agent's orders wait (giving-orders.ts), and as its client connects anew. */
const GUARD_LIMIT_MS = 2_000
const RECONNECT_MS = 100

export function askGuard(host: SimulatedHost, ask: (guard: SimulatedGuard) => void, unreachable: (why: string) => void): void {
  const until_ms = host.world.queue.now_ms + GUARD_LIMIT_MS
  const attempt = (): void => {
    if (host.guard?.running) return ask(host.guard)
    if (host.world.queue.now_ms >= until_ms) return unreachable('the guard cannot be asked')
    host.later(RECONNECT_MS, attempt)
  }
  attempt()
}
