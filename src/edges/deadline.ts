import type { Clock } from './clock.ts'

/** A timer this late means that this process was held up, not that the other side was slow. */
const STALL_MS = 50

export interface Deadline {
  cancel(): void
}

/**
 * Calls `expired` once, `limit_ms` from now, unless cancelled before.
 * After a blocked event loop Node runs expired timers before it reads what already lies in the sockets; so the
 * judgement waits for a full poll phase, and time in which this process did not run is not counted against the
 * other side, once (protocol 5). The wait is therefore at most twice `limit_ms`, counted from when the process runs again.
 */
export function startDeadline(clock: Clock, limit_ms: number, expired: () => void): Deadline {
  let open = true
  let extended = false
  let timer: NodeJS.Timeout
  const arm = (wait_ms: number): void => {
    const due_ms = clock.boot_ms() + wait_ms
    timer = setTimeout(() => {
      const late_ms = clock.boot_ms() - due_ms
      // setImmediate runs in the check phase, which follows the poll phase of this very turn.
      setImmediate(() => {
        if (!open) return
        if (late_ms > STALL_MS && !extended) {
          extended = true
          return arm(Math.min(late_ms, limit_ms))
        }
        open = false
        expired()
      })
    }, wait_ms)
  }
  arm(limit_ms)
  return {
    cancel: () => {
      open = false
      clearTimeout(timer)
    },
  }
}
