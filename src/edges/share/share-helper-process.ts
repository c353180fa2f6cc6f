import { start } from '../command.ts'
import { LineReader, parseJson } from '../lines.ts'
import { LINE_LIMIT_CHARACTERS, type ShareAnswer } from './share-protocol.ts'

/** Threads for file operations in the helper: more than can hang at once while leases are read (Node's default is 4). */
const THREADS = '16'
/** A killed helper is gone after this, or it hangs in the kernel and is left alone. */
const KILL_WAIT_MS = 500

/** One helper process, owned: its answers, its end, its killing. */
export class ShareHelperProcess {
  private readonly child: ReturnType<typeof start>
  private over = false
  private readonly ended: Promise<void>

  constructor(command: readonly string[], listener: { onAnswer(answer: ShareAnswer): void; onEnd(): void }) {
    const [program, ...args] = command
    this.child = start(program ?? process.execPath, args, { stdin: 'pipe', stderr: 'ignore', environment: { UV_THREADPOOL_SIZE: THREADS } })
    const reader = new LineReader(LINE_LIMIT_CHARACTERS, line => {
      const answer = parseJson(line) as ShareAnswer | undefined
      if (answer !== undefined) listener.onAnswer(answer)
    }, () => { this.kill() })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => { reader.feed(text) })
    // Writing to a helper that has just ended fails here; its end is told by `exit`.
    this.child.stdin?.on('error', () => undefined)
    this.ended = new Promise(resolve => {
      const end = (): void => {
        if (this.over) return
        this.over = true
        resolve()
        listener.onEnd()
      }
      this.child.once('exit', end).once('error', end)
    })
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  send(line: string): void {
    if (!this.over) this.child.stdin?.write(line + '\n')
  }

  kill(): void {
    if (!this.over) this.child.kill('SIGKILL')
  }

  /** Kills the helper and waits a moment for its end. One that hangs in the kernel no longer keeps this process alive. */
  async abandon(): Promise<void> {
    this.kill()
    let timer: NodeJS.Timeout | undefined
    await Promise.race([this.ended, new Promise(resolve => { timer = setTimeout(resolve, KILL_WAIT_MS) })])
    clearTimeout(timer)
    this.child.stdin?.destroy()
    this.child.stdout?.destroy()
    this.child.unref()
  }
}
