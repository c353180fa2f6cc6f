import { RingwardError } from '../src/errors.ts'

/** Queries of the CLI that another host's agent answers (`--host`), over the direct stream between the two. */
export interface RelayParts {
  readonly send: (to: string, message: unknown) => boolean
  readonly answer: (verb: string) => Promise<unknown>
}

/** Only what reads; acting on another host goes through its remote hand. */
const RELAYED = new Set(['status', 'ring', 'load', 'incidents'])
const ANSWER_LIMIT_MS = 1_500
const OUTSTANDING_LIMIT = 32

interface Request { readonly kind: 'control-request'; readonly request: number; readonly verb: string }
interface Reply { readonly kind: 'control-reply'; readonly request: number; readonly document?: unknown; readonly error?: string }

export class Relay {
  private readonly parts: RelayParts
  private readonly waiting = new Map<number, (reply: Reply | undefined) => void>()
  private counter = 0
  private answering = 0

  constructor(parts: RelayParts) {
    this.parts = parts
  }

  async ask(host: string, verb: string): Promise<unknown> {
    if (!RELAYED.has(verb)) throw new RingwardError('CONTROL_REFUSED', `${verb} is not answered for another host; run it there`)
    const request = (this.counter += 1)
    if (this.waiting.size >= OUTSTANDING_LIMIT || !this.parts.send(host, { kind: 'control-request', request, verb } satisfies Request)) {
      throw new RingwardError('CONTROL_UNREACHABLE', `${host} is not reachable from this host; run the command there`)
    }
    const reply = await new Promise<Reply | undefined>(resolve => {
      const timer = setTimeout(() => resolve(undefined), ANSWER_LIMIT_MS)
      this.waiting.set(request, answer => {
        clearTimeout(timer)
        resolve(answer)
      })
    })
    this.waiting.delete(request)
    if (!reply) throw new RingwardError('CONTROL_UNREACHABLE', `${host} did not answer within ${ANSWER_LIMIT_MS} ms`)
    if (reply.error !== undefined) throw new RingwardError('CONTROL_REFUSED', `${host}: ${reply.error}`)
    return reply.document
  }

  /** Takes a message that belongs here; false when it is the core's. */
  take(from: string, message: unknown): boolean {
    if (typeof message !== 'object' || message === null) return false
    const { kind, request, verb } = message as Partial<Request>
    if (kind === 'control-request' && typeof request === 'number' && typeof verb === 'string') {
      void this.reply(from, request, verb)
      return true
    }
    if ((kind as string) !== 'control-reply' || typeof request !== 'number') return false
    this.waiting.get(request)?.(message as Reply)
    return true
  }

  private async reply(from: string, request: number, verb: string): Promise<void> {
    if (this.answering >= OUTSTANDING_LIMIT || !RELAYED.has(verb)) return
    this.answering += 1
    try {
      const document = await this.parts.answer(verb)
      this.parts.send(from, { kind: 'control-reply', request, document } satisfies Reply)
    } catch (error) {
      this.parts.send(from, { kind: 'control-reply', request, error: error instanceof Error ? error.message : String(error) } satisfies Reply)
    } finally {
      this.answering -= 1
    }
  }

  stop(): void {
    for (const settle of this.waiting.values()) settle(undefined)
  }
}
