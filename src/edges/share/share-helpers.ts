import type { Clock } from '../clock.ts'
import { ShareHelperProcess } from './share-helper-process.ts'
import type { ShareAnswer } from './share-protocol.ts'

/** Helpers given up and not yet gone; each may hold 40 MB until the share answers or the host reboots. */
const ABANDONED_LIMIT = 8
/** What one helper may have in hand; requests given up by their deadline still wait in a hung one. */
const SENT_LIMIT = 256
/** A helper that dies is replaced at once; one that dies without ever answering, after this, doubled up to the limit. */
const RESTART_MS = 100
const RESTART_LIMIT_MS = 5_000
/** The silence after which the next helper is given up never grows beyond this. */
const STALL_LIMIT_MS = 60_000

export interface ShareHelpersOptions {
  readonly command: readonly string[]
  readonly clock: Clock
  readonly stall_ms: number
  onAnswer(answer: ShareAnswer): void
  /** A new helper runs; what waits is to be sent (again). */
  onReady(): void
  onDied(): void
  onGivenUp(): void
  onProblem(text: string): void
}

/** The present helper process and those that were given up: starts, replaces, abandons. */
export class ShareHelpers {
  private readonly options: ShareHelpersOptions
  private readonly abandoned = new Set<ShareHelperProcess>()
  private present: ShareHelperProcess | undefined
  private restart: NodeJS.Timeout | undefined
  private deaths = 0
  private stall_ms: number
  /** Since when requests have been waiting without any answer; undefined when nothing waits. */
  private silent_since_ms: number | undefined
  /** Requests sent to the present helper and not answered. */
  private unanswered = 0
  private closed = false

  constructor(options: ShareHelpersOptions) {
    this.options = options
    this.stall_ms = options.stall_ms
    this.spawn()
  }

  /** False when there is no helper now; `onReady` will tell when there is one. */
  send(line: string): boolean {
    this.silent_since_ms ??= this.options.clock.boot_ms()
    if (!this.present || this.unanswered >= SENT_LIMIT) return false
    this.unanswered++
    this.present.send(line)
    return true
  }

  silent_ms(now_ms: number): number {
    return this.silent_since_ms === undefined ? 0 : now_ms - this.silent_since_ms
  }

  /** Gives the present helper up when it has been silent for too long. */
  judge(now_ms: number): void {
    if (!this.present || this.silent_ms(now_ms) < this.stall_ms) return
    if (this.abandoned.size >= ABANDONED_LIMIT) return
    this.options.onProblem(`the shared area has not answered for ${Math.round(this.silent_ms(now_ms))} ms; its helper process ${this.present.pid ?? ''} is given up and a new one started`)
    const former = this.present
    this.present = undefined
    this.abandoned.add(former)
    this.stall_ms = Math.min(2 * this.stall_ms, STALL_LIMIT_MS)
    this.silent_since_ms = undefined
    this.options.onGivenUp()
    void former.abandon()
    this.spawn()
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.restart)
    const all = [...this.abandoned, ...(this.present ? [this.present] : [])]
    this.present = undefined
    await Promise.all(all.map(helper => helper.abandon()))
  }

  private spawn(): void {
    if (this.closed) return
    this.unanswered = 0
    const helper: ShareHelperProcess = new ShareHelperProcess(this.options.command, {
      onAnswer: answer => { if (helper === this.present) this.answered(answer) },
      onEnd: () => { this.gone(helper) },
    })
    this.present = helper
    this.options.onReady()
  }

  private answered(answer: ShareAnswer): void {
    this.deaths = 0
    this.stall_ms = this.options.stall_ms
    this.unanswered--
    this.silent_since_ms = this.unanswered > 0 ? this.options.clock.boot_ms() : undefined
    this.options.onAnswer(answer)
  }

  private gone(helper: ShareHelperProcess): void {
    this.abandoned.delete(helper)
    if (helper !== this.present || this.closed) return
    this.present = undefined
    this.deaths++
    const wait_ms = this.deaths === 1 ? 0 : Math.min(RESTART_MS * 2 ** Math.min(this.deaths - 2, 10), RESTART_LIMIT_MS)
    this.options.onProblem(`the helper process ${helper.pid ?? ''} of the shared area ended; a new one starts in ${wait_ms} ms`)
    this.options.onDied()
    this.restart = setTimeout(() => { this.spawn() }, wait_ms)
  }
}
