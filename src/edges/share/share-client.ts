import type { ClaimRecord, LeaseRecord, Observation, ReleaseRecord } from '../../core/records.ts'
import { RingwardError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import type { ClaimOutcome, Share, WaitOptions } from './share.ts'
import { ShareHelpers } from './share-helpers.ts'
import { checkPath } from './share-names.ts'
import { OUTSTANDING_LIMIT, type ShareAnswer, type ShareAnswers, type ShareCall } from './share-protocol.ts'
import { ShareHealth, type ShareState } from './share-health.ts'

/** Longest wait anybody may ask for; more is a boot-clock time passed for a duration. */
const DEADLINE_LIMIT_MS = 120_000
/** A request whose helper died is sent to the next one once: all calls may be repeated. */
const SENDS_LIMIT = 2
/** How often an unanswered share is judged. */
const LOOK_MS = 250

export interface ShareClientOptions {
  /** Mount point of the shared area. */
  readonly directory: string
  /** This host's name; temporary files are written under it. */
  readonly host: string
  /** Program and arguments that start the helper, e.g. `[process.execPath, '/…/share-helper.mjs']`. */
  readonly helper: readonly string[]
  readonly clock: Clock
  /** Told when the state changes. */
  readonly onState?: (state: ShareState) => void
  /** Torn or foreign records and dying helpers, each text once until it changes. */
  readonly onProblem?: (text: string) => void
  /** Silence after which a helper is given up; doubles each time until something is answered. Default 5 s. */
  readonly stall_ms?: number
}

interface Waiting {
  readonly line: string
  readonly issued_ms: number
  sends: number
  settle(answer: ShareAnswer | RingwardError): void
}

/** The shared area through a helper process which may hang (L4). Owns the helper; `close` ends it. */
export class ShareClient implements Share {
  private readonly options: ShareClientOptions
  private readonly helpers: ShareHelpers
  private readonly health: ShareHealth
  private readonly waiting = new Map<number, Waiting>()
  private last_request = 0
  private problems = ''
  private measured_kb: number | undefined
  private closed = false
  private look: NodeJS.Timeout | undefined

  constructor(options: ShareClientOptions) {
    this.options = options
    this.health = new ShareHealth(options.onState ?? (() => undefined))
    this.helpers = new ShareHelpers({
      command: [...options.helper, options.directory, options.host], clock: options.clock, stall_ms: options.stall_ms ?? 5_000,
      onAnswer: answer => { this.answered(answer) },
      onReady: () => { for (const request of this.waiting.values()) this.transmit(request) },
      onDied: () => { this.helperDied() },
      onGivenUp: () => { this.failAll('the helper process was given up because it did not answer') },
      onProblem: text => options.onProblem?.(text),
    })
  }

  get state(): ShareState {
    return this.health.state
  }

  get free_kb(): number | undefined {
    return this.measured_kb
  }

  async renewLease(record: LeaseRecord, options: WaitOptions): Promise<void> {
    await this.ask({ call: 'renewLease', record }, options)
  }

  async observe(options: WaitOptions): Promise<Observation> {
    const { observation, problems, free_kb } = await this.ask({ call: 'observe' }, options)
    if (free_kb !== undefined) this.measured_kb = free_kb
    const text = problems.join('; ')
    if (text !== this.problems && text !== '') this.options.onProblem?.(text)
    this.problems = text
    return observation
  }

  claim(record: ClaimRecord, options: WaitOptions): Promise<ClaimOutcome> {
    return this.ask({ call: 'claim', record }, options)
  }

  async release(record: ReleaseRecord, options: WaitOptions): Promise<void> {
    await this.ask({ call: 'release', record }, options)
  }

  async writeView(path: string, text: string, options: WaitOptions): Promise<void> {
    checkPath(path)
    await this.ask({ call: 'writeView', path, text }, options)
  }

  async writeAt(path: string, offset: number, bytes: Buffer, options: WaitOptions): Promise<void> {
    checkPath(path)
    await this.ask({ call: 'writeAt', path, offset, bytes_base64: bytes.toString('base64') }, options)
  }

  async readAt(path: string, offset: number, limit: number, options: WaitOptions): Promise<Buffer> {
    checkPath(path)
    return Buffer.from(await this.ask({ call: 'readAt', path, offset, limit }, options), 'base64')
  }

  async list(path: string, options: WaitOptions): Promise<string[]> {
    checkPath(path)
    return [...await this.ask({ call: 'list', path }, options)]
  }

  async close(): Promise<void> {
    this.closed = true
    clearInterval(this.look)
    this.failAll('the connection to the shared area was closed', 'ABORTED')
    await this.helpers.close()
  }

  private async ask<C extends ShareCall['call']>(call: ShareCall & { readonly call: C }, options: WaitOptions): Promise<ShareAnswers[C]> {
    if (this.closed) throw new RingwardError('ABORTED', `${call.call}: the connection to the shared area is closed`)
    if (options.signal?.aborted) throw new RingwardError('ABORTED', `${call.call} in the shared area was called off`)
    if (!(options.deadline_ms > 0 && options.deadline_ms <= DEADLINE_LIMIT_MS)) throw new RingwardError('SHARE_ERROR', `${call.call}: a deadline of ${options.deadline_ms} ms from now is not between 0 and ${DEADLINE_LIMIT_MS}`)
    if (this.waiting.size >= OUTSTANDING_LIMIT) throw new RingwardError('SHARE_TIMEOUT', `${call.call}: ${OUTSTANDING_LIMIT} requests to the shared area wait already; see ringward status`)
    const answer = await this.issue(call, options)
    if (answer instanceof RingwardError) throw answer
    if (!answer.ok) throw new RingwardError(answer.code, answer.reason)
    return answer.value as ShareAnswers[C]
  }

  private issue(call: ShareCall, { deadline_ms, signal }: WaitOptions): Promise<ShareAnswer | RingwardError> {
    const request = ++this.last_request
    const issued_ms = this.options.clock.boot_ms()
    return new Promise(resolve => {
      const settle = (answer: ShareAnswer | RingwardError): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.waiting.delete(request)
        resolve(answer)
      }
      const abort = (): void => { settle(new RingwardError('ABORTED', `${call.call} in the shared area was called off`)) }
      const timer = setTimeout(() => {
        // After a blocked event loop the answer may lie in the pipe already: judge after a full poll phase (protocol 5).
        setImmediate(() => { settle(new RingwardError('SHARE_TIMEOUT', `${call.call}: the shared area did not answer within ${deadline_ms} ms; the outcome is unknown`)) })
      }, deadline_ms)
      signal?.addEventListener('abort', abort, { once: true })
      const waiting: Waiting = { line: JSON.stringify({ ...call, request, expires_ms: issued_ms + deadline_ms }), issued_ms, sends: 0, settle }
      this.waiting.set(request, waiting)
      this.transmit(waiting)
      this.look ??= setInterval(() => { this.judge() }, LOOK_MS).unref()
    })
  }

  private transmit(request: Waiting): void {
    if (!this.helpers.send(request.line)) return
    request.sends++
  }

  private answered(answer: ShareAnswer): void {
    const request = this.waiting.get(answer.answer)
    const failed = !answer.ok && answer.code === 'SHARE_ERROR'
    if (request) this.health.answered(this.options.clock.boot_ms() - request.issued_ms, failed)
    request?.settle(answer)
  }

  private judge(): void {
    const now_ms = this.options.clock.boot_ms()
    this.health.unanswered(this.helpers.silent_ms(now_ms))
    this.helpers.judge(now_ms)
  }

  private helperDied(): void {
    for (const request of [...this.waiting.values()]) {
      if (request.sends >= SENDS_LIMIT) request.settle(new RingwardError('SHARE_TIMEOUT', 'the helper process of the shared area died twice over a request; the outcome is unknown'))
    }
  }

  private failAll(reason: string, code: 'SHARE_TIMEOUT' | 'ABORTED' = 'SHARE_TIMEOUT'): void {
    for (const request of [...this.waiting.values()]) request.settle(new RingwardError(code, `${reason}; the outcome is unknown`))
  }
}
