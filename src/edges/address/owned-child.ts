import { start } from '../command.ts'

export interface ChildEnd {
  /** Undefined when it was killed or never started. */
  readonly status: number | undefined
  readonly stdout: string
  /** Its own words on failure. */
  readonly words: string
}

export interface OwnedChild {
  readonly ended: Promise<ChildEnd>
  kill(): void
}

/** arping says a few lines; whatever is beyond is not read. */
const OUTPUT_LIMIT_CHARACTERS = 4_096

/** A child whose end is awaited whatever happens: it never rejects and leaves nothing behind. */
export function startOwned(program: string, args: readonly string[]): OwnedChild {
  const child = start(program, args)
  let stdout = ''
  let words = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout = (stdout + text).slice(0, OUTPUT_LIMIT_CHARACTERS) })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { words = (words + text).slice(0, OUTPUT_LIMIT_CHARACTERS) })
  const ended = new Promise<ChildEnd>(resolve => {
    // Out of file handles, Node emits `error` and never `close`.
    child.once('error', error => resolve({ status: undefined, stdout, words: error.message }))
    child.once('close', status => resolve({ status: status ?? undefined, stdout, words: words.trim() }))
  })
  return { ended, kill: () => void child.kill('SIGKILL') }
}
