/**
 * Runs `work` under one signal that fires when any of `signals` does or `limit_ms` is over, and clears the timer afterwards.
 * Not `AbortSignal.any` with `AbortSignal.timeout`: Node 20 may collect such a composed signal before it fires (seen here).
 */
export async function within<T>(limit_ms: number, signals: readonly AbortSignal[], work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const timer = setTimeout(abort, limit_ms)
  for (const signal of signals) {
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  }
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    for (const signal of signals) signal.removeEventListener('abort', abort)
  }
}
