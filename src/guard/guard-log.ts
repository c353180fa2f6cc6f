import type { Clock } from '../edges/clock.ts'

/** What waits to be read by the Executer before lines are dropped: a stuck reader must not hold up the guard. */
const QUEUE_LIMIT_BYTES = 64 * 1024

export type GuardLog = (level: 'info' | 'warn' | 'error', text: string, more?: Readonly<Record<string, unknown>>) => void

/** One JSON line per event on stdout. Node writes pipes synchronously unless told otherwise. */
export function stdoutLog(clock: Clock): GuardLog {
  const handle = (process.stdout as { _handle?: { setBlocking?(blocking: boolean): void } })._handle
  handle?.setBlocking?.(false)
  process.stdout.on('error', () => undefined)
  return (level, text, more = {}) => {
    if (process.stdout.writableLength > QUEUE_LIMIT_BYTES) return
    process.stdout.write(JSON.stringify({ time: clock.wall().toISOString(), level, text, ...more }) + '\n')
  }
}
