/** An announced leave: the system of a simulated host is shut down or rebooted in order. */
import type { SimulatedHost } from './simulated-host.ts'

/** What the Executer grants an announced leave, and how often it looks. */
const LEAVE_LIMIT_MS = 10_000
const LEAVE_LOOK_MS = 50

/** As systemd does it: the agent is told and has 10 s for the hand-over, then the guard says goodbye and the system goes down. */
export function leave(host: SimulatedHost, why: 'shutdown' | 'reboot', gone: () => void): void {
  if (!host.core || !host.up || host.frozen === 'everything') return
  const { queue } = host.world
  const { boot } = host
  const until_ms = queue.now_ms + LEAVE_LIMIT_MS
  host.handle({ event: 'leave', why })
  const look = (): void => {
    if (boot !== host.boot) return
    if (host.core && host.core.giving.size > 0 && queue.now_ms < until_ms) return queue.after(LEAVE_LOOK_MS, look)
    host.stopAgent()
    host.guard?.goodbye()
    queue.after(LEAVE_LOOK_MS, () => boot === host.boot && gone())
  }
  look()
}
