import type { Clock } from '../edges/clock.ts'
import type { Share } from '../edges/share/share.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Style } from './render/style.ts'

/** What a command needs of the world; `main.ts` gives the real one, tests their own. */
export interface CliContext {
  out(text: string): void
  error(text: string): void
  /** Stdout is a terminal: `--watch` repaints it. */
  readonly terminal: boolean
  readonly style: Style
  readonly clock: Clock
  /** Ends with Ctrl-C. */
  readonly signal: AbortSignal
  /** Asks this host's agent; rejects as `askControl` does. */
  ask(verb: string, args: Readonly<Record<string, unknown>>, deadline_ms: number): Promise<unknown>
  /** This host's name and, where it has one, its shared area behind a helper process. The caller closes the share. */
  openShare(): Promise<{ readonly host: string; readonly share?: Share; readonly reason?: string }>
  /** What the process ends with when nothing is thrown. */
  setExit(code: ExitCode): void
}

/** Waits, or until Ctrl-C. */
export function pause(duration_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, duration_ms)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}
