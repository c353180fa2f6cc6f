import { start } from '../src/edges/command.ts'
import { forwardLines } from './lines.ts'
import type { Log } from './log.ts'
import { signalGroup } from './process-group.ts'

type Process = ReturnType<typeof start>

/** First restart: soon enough for the guard to keep the lease (2 s) and for clients to notice nothing. */
const RESTART_FIRST_MS = 100
/** A child that dies at once each time must not eat the host; it is still back within the promised second. */
const RESTART_MAX_MS = 800
/** One that lived this long has died of something new. */
const LIVED_MS = 5_000
/** For the post-mortem in status; older ones are in the log. */
const REASONS_MAX = 5
/** A grandchild that hangs in the kernel may hold the pipes open; nobody waits for it longer. */
const PIPE_LIMIT_MS = 100

export interface ChildProgram {
  readonly name: string
  /** Whether its own children are killed with it. Those of the guard are not: its watchdog outlives it on purpose. */
  readonly family: 'killed' | 'left'
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/**
 * One child that is kept alive: started as the leader of its own process group and restarted when it ends. With family `killed`
 * nothing of an old one is left to disturb a new one.
 */
export class Child {
  readonly name: string
  private program: ChildProgram
  private readonly log: Log
  private readonly boot_ms: () => number
  private readonly changed: () => void
  private process: Process | undefined
  private started_ms = 0
  private delay_ms = RESTART_FIRST_MS
  private restart: NodeJS.Timeout | undefined
  private kept = false
  private readonly reasons: string[] = []
  private waiting: (() => void)[] = []

  /** `changed` is called after each start and each end. */
  constructor(program: ChildProgram, log: Log, boot_ms: () => number, changed: () => void) {
    this.name = program.name
    this.program = program
    this.log = log
    this.boot_ms = boot_ms
    this.changed = changed
  }

  /** Starts it and keeps it alive from now on. */
  keep(): void {
    this.kept = true
    if (!this.process && !this.restart) this.spawn()
  }

  /** From now on its end is final. */
  letGo(): void {
    this.kept = false
    clearTimeout(this.restart)
    this.restart = undefined
  }

  /** The next start is with these. */
  startWith(args: readonly string[]): void {
    this.program = { ...this.program, args }
  }

  /** Undefined while it is not running. */
  get pid(): number | undefined {
    return this.process?.pid
  }

  /** Why it ended the last times, newest last. */
  get lastReasons(): readonly string[] {
    return this.reasons
  }

  /** To the child itself, not to its family. */
  signal(signal: NodeJS.Signals): void {
    this.process?.kill(signal)
  }

  /** At once. */
  kill(): void {
    if (this.program.family === 'killed' && this.pid !== undefined) signalGroup(this.pid, 'SIGKILL')
    else this.signal('SIGKILL')
  }

  /** Resolves with true when it has ended and is reaped, with false at the limit. */
  ended(limit_ms: number): Promise<boolean> {
    if (!this.process) return Promise.resolve(true)
    return new Promise(resolve => {
      const end = (): void => {
        clearTimeout(timer)
        resolve(true)
      }
      const timer = setTimeout(() => {
        this.waiting = this.waiting.filter(each => each !== end)
        resolve(false)
      }, limit_ms)
      this.waiting.push(end)
    })
  }

  private spawn(): void {
    this.restart = undefined
    this.started_ms = this.boot_ms()
    // The same runtime that runs the Executer.
    const child = start(process.execPath, this.program.args, { environment: this.program.environment, group: true })
    this.process = child
    if (child.stdout) forwardLines(child.stdout, line => this.log.child(this.name, line))
    if (child.stderr) forwardLines(child.stderr, line => this.log.child(this.name, line))
    child.once('error', error => {
      if (child.pid === undefined) this.onEnd(child, `it could not be started: ${error.message}`)
    })
    child.once('exit', (status, signal) => this.onEnd(child, signal === null ? `it ended with status ${status}` : `it was ended by ${signal}`))
    this.log.info(`${this.name} started as process ${child.pid ?? '?'}`)
    this.changed()
  }

  private onEnd(child: Process, reason: string): void {
    if (child.pid !== undefined && this.program.family === 'killed') signalGroup(child.pid, 'SIGKILL')
    const timer = setTimeout(() => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    }, PIPE_LIMIT_MS)
    child.once('close', () => clearTimeout(timer))
    this.process = undefined
    this.reasons.push(reason)
    if (this.reasons.length > REASONS_MAX) this.reasons.shift()
    if (this.kept) this.restartLater(reason)
    else this.log.info(`${this.name}: ${reason}`)
    const waiting = this.waiting
    this.waiting = []
    for (const end of waiting) end()
    this.changed()
  }

  private restartLater(reason: string): void {
    const lived_ms = this.boot_ms() - this.started_ms
    if (lived_ms >= LIVED_MS) this.delay_ms = RESTART_FIRST_MS
    this.log.warn(`${this.name}: ${reason} after ${Math.round(lived_ms)} ms; it is started again in ${this.delay_ms} ms`)
    this.restart = setTimeout(() => this.spawn(), this.delay_ms)
    this.delay_ms = Math.min(this.delay_ms * 2, RESTART_MAX_MS)
  }
}
