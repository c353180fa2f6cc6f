/** The agent's way to its guard in virtual time: an order waits for a guard that comes back, and fails when none does (guard-client.ts). */
import type { SimulatedGuard } from './simulated-guard.ts'
import type { SimulatedHost } from './simulated-host.ts'

/** As the agent's orders wait (giving-orders.ts), and as its client connects anew. */
const GUARD_LIMIT_MS = 2_000
const RECONNECT_MS = 100

export function askGuard(host: SimulatedHost, ask: (guard: SimulatedGuard) => void, unreachable: (why: string) => void): void {
  const until_ms = host.world.queue.now_ms + GUARD_LIMIT_MS
  const attempt = (): void => {
    if (host.guard?.answers) return ask(host.guard)
    if (host.world.queue.now_ms >= until_ms) return unreachable('the guard cannot be asked')
    host.later(RECONNECT_MS, attempt)
  }
  attempt()
}

/** As long as an order waits whose answer nobody waits for (guard-voice.ts); a killed guard is there again by then, or soon after. */
export const VOICE_LIMIT_MS = 500

/** An order whose answer nobody waits for: that a guard which stands still does not answer is told to the agent, and that it does again. */
export function tellGuard(host: SimulatedHost, tell: (guard: SimulatedGuard) => void): void {
  const { guard } = host
  if (!guard?.running || guard.answers) return void (guard && tell(guard))
  host.later(VOICE_LIMIT_MS, () => {
    if (host.guard !== guard || guard.answers || host.core?.guard_silent) return
    host.handle({ event: 'guard', answers: false })
    listenFor(host)
  })
}

function listenFor(host: SimulatedHost): void {
  if (host.guard?.answers) return host.handle({ event: 'guard', answers: true })
  host.later(RECONNECT_MS, () => listenFor(host))
}
