import { createInterface } from 'node:readline'
import type { Clock } from '../clock.ts'
import { start } from '../command.ts'
import { parsePingLine } from './ping-line.ts'
import type { PingWatch } from './prober.ts'

/** Backoff between restarts: quick enough for one crash, calm enough for a network that stays unreachable. */
const RESTART_FIRST_MS = 200
const RESTART_LONGEST_MS = 5_000
/** `ping -O` says something for each probe; silence over so many intervals (and this long) means ping itself hangs. */
const SILENT_INTERVALS = 5
const SILENT_LEAST_MS = 5_000

export interface PingWatchOptions {
  readonly address: string
  readonly interval_ms: number
  readonly clock: Clock
  onAnswer(rtt_ms: number): void
  onMiss(): void
  /** The watch itself is impaired (ping missing, killed, hung): says nothing about the target. */
  onProblem(text: string): void
}

/**
 * One long-lived `ping` per target: 0.1 ms of CPU a probe against 2.2 ms for a process each time, and its verdict does not
 * hang on this event loop. An interval below 200 ms needs root. A ping that ends by itself (no route) counts as a miss.
 */
export class SystemPingWatch implements PingWatch {
  last_answer_ms: number | undefined
  private readonly options: PingWatchOptions
  private child: ReturnType<typeof start> | undefined
  private restart: NodeJS.Timeout | undefined
  private silence: NodeJS.Timeout | undefined
  private backoff_ms = RESTART_FIRST_MS
  private stopped = false
  private ended: Promise<void> = Promise.resolve()

  constructor(options: PingWatchOptions) {
    this.options = options
    this.launch()
  }

  /** Kills ping and waits until it is reaped. */
  async stop(): Promise<void> {
    this.stopped = true
    clearTimeout(this.restart)
    clearTimeout(this.silence)
    this.child?.kill('SIGKILL')
    await this.ended
  }

  private launch(): void {
    const { address, interval_ms } = this.options
    const child = start('ping', ['-n', '-O', '-D', '-i', String(interval_ms / 1_000), '--', address])
    this.child = child
    let words = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { words = (words + text).slice(-200) })
    if (child.stdout) createInterface({ input: child.stdout }).on('line', line => this.read(line))
    this.hear(child)
    this.ended = new Promise(resolve => {
      let over = false
      const end = (status: number | null | undefined, why: string): void => {
        if (over) return
        over = true
        this.finished(status, why)
        resolve()
      }
      // Out of file handles, Node emits `error` and never `close`.
      child.once('error', error => end(undefined, error.message))
      child.once('close', status => end(status, words.trim()))
    })
  }

  private read(line: string): void {
    if (this.stopped) return
    if (this.child) this.hear(this.child)
    const parsed = parsePingLine(line)
    if (!parsed) return
    if (parsed.says === 'miss') return this.options.onMiss()
    this.backoff_ms = RESTART_FIRST_MS
    this.last_answer_ms = this.options.clock.boot_ms()
    this.options.onAnswer(parsed.rtt_ms)
  }

  /** Ping spoke: waits anew for its next line; a hung one is killed, and restarted like any that ended. */
  private hear(child: ReturnType<typeof start>): void {
    clearTimeout(this.silence)
    const limit_ms = Math.max(SILENT_LEAST_MS, SILENT_INTERVALS * this.options.interval_ms)
    this.silence = setTimeout(() => child.kill('SIGKILL'), limit_ms)
  }

  private finished(status: number | null | undefined, words: string): void {
    clearTimeout(this.silence)
    if (this.stopped) return
    const { address } = this.options
    // An exit status is ping's own verdict ("Network is unreachable"); a signal or a failed start is our trouble.
    if (typeof status === 'number') this.options.onMiss()
    this.options.onProblem(`ping ${address} ended (${words || (status === null ? 'killed' : `status ${status}`)}); started again in ${this.backoff_ms} ms`)
    this.restart = setTimeout(() => this.launch(), this.backoff_ms)
    this.backoff_ms = Math.min(2 * this.backoff_ms, RESTART_LONGEST_MS)
  }
}
