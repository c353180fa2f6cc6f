import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import type { AlertDocument } from '../../control/documents.ts'
import { RingwardError } from '../../errors.ts'
import { start } from '../command.ts'

export interface AlertHookOptions {
  /** The program by its absolute path, and its arguments. */
  readonly command: readonly string[]
  /** It failed, took too long, or an alert was dropped. */
  readonly onProblem: (text: string) => void
  readonly limit_ms?: number
}

/** A mail server or a chat answers in seconds. */
const LIMIT_MS = 10_000
/** More than a ring of dozens loses at once; beyond that the log has them all. */
const QUEUE_LIMIT = 32
/** Of the program's last words, as much as a log line bears. */
const WORDS_CHARACTERS = 200
/** So much later it ends without us. */
const ORPHAN_S = 1
/** Said by `timeout`, as by a shell. */
const NOT_FOUND = 127
/** `nobody` and `nogroup` of Debian: it needs none of the agent's rights. */
const NOBODY = 65_534

/** Tells an operator's own program of each alert: one at a time, as JSON on its standard input, without privileges, within a limit. */
export class AlertHook {
  private readonly options: AlertHookOptions
  private readonly waiting: AlertDocument[] = []
  private readonly ending = new AbortController()
  private working: Promise<void> | undefined

  constructor(options: AlertHookOptions) {
    this.options = options
  }

  tell(alert: AlertDocument): void {
    if (this.ending.signal.aborted) return
    if (this.waiting.length >= QUEUE_LIMIT) return this.options.onProblem(`the alert command was not told of ${alert.code} ${alert.subject} (${alert.state}): ${QUEUE_LIMIT} alerts wait already; see "ringward log"`)
    this.waiting.push(alert)
    this.working ??= this.work().finally(() => { this.working = undefined })
  }

  /** Kills the one under way; what waits is in the log. */
  async stop(): Promise<void> {
    this.ending.abort()
    this.waiting.length = 0
    await this.working
  }

  private async work(): Promise<void> {
    for (let alert = this.waiting.shift(); alert !== undefined; alert = this.waiting.shift()) {
      try {
        await this.run(`${JSON.stringify(alert)}\n`)
      } catch (error) {
        if (!this.ending.signal.aborted) this.options.onProblem(`the alert command failed for ${alert.code} ${alert.subject}: ${(error as Error).message}`)
      }
    }
  }

  private run(input: string): Promise<void> {
    const { command: [program = '', ...args], limit_ms = LIMIT_MS } = this.options
    const { signal } = this.ending
    const root = process.getuid?.() === 0
    return new Promise((resolve, reject) => {
      // `timeout` ends it also when this process is killed meanwhile.
      const child = start('timeout', ['-s', 'KILL', String(limit_ms / 1_000 + ORPHAN_S), program, ...args], { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe', group: true, ...root ? { account: NOBODY } : {} })
      if (root && child.pid !== undefined) becomeOrdinary(child.pid)
      let words = ''
      let why: RingwardError | undefined
      // What it started as well: the group is its own.
      const kill = (error: RingwardError): void => {
        why = error
        if (child.pid !== undefined) try { process.kill(-child.pid, 'SIGKILL') } catch { /* it has just ended */ }
      }
      const abort = (): void => kill(new RingwardError('ABORTED', `${program} was called off`))
      const timer = setTimeout(() => kill(new RingwardError('COMMAND_TIMEOUT', `${program} did not end within ${limit_ms} ms`)), limit_ms)
      const end = (error?: Error): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
        if (error) reject(error)
        else resolve()
      }
      signal.addEventListener('abort', abort, { once: true })
      child.stdout?.resume()
      child.stderr?.setEncoding('utf8').on('data', (text: string) => { words = (words + text).slice(-WORDS_CHARACTERS) })
      // One that does not read its input is free not to.
      child.stdin?.on('error', () => undefined).end(input)
      child.once('error', error => end(new RingwardError('COMMAND_FAILED', `${program}: ${error.message}`)))
      child.once('close', status => end(why ?? failure(program, status, words.trim())))
    })
  }
}

function failure(program: string, status: number | null, words: string): RingwardError | undefined {
  if (status === 0) return undefined
  if (status === NOT_FOUND) return new RingwardError('COMMAND_MISSING', `${program} does not exist; correct alert_command in host.toml (${words})`)
  return new RingwardError('COMMAND_FAILED', `${program} ended with ${status ?? 'a signal'}${words === '' ? '' : `: ${words}`}`)
}

/** The agent comes before others, for processors and for memory; what it only informs does not. */
function becomeOrdinary(pid: number): void {
  try {
    setPriority(pid, 0)
    writeFileSync(`/proc/${pid}/oom_score_adj`, '0')
  } catch {
    // It has ended already.
  }
}
