import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { RingwardError, reasonOf } from '../../errors.ts'
import { JsonLines } from './json-lines.ts'
import { within } from '../within.ts'

/** A cold start without hardware virtualization takes about 2 s; on a starved host several times that. */
export const GUEST_LIMIT_MS = 20_000
/** A guest that boots is asked again after this. */
const SYNC_AGAIN_MS = 250
/** Each question takes processor time from the program it asks about. */
const POLL_MS = 8
/** Resets the agent's parser, whatever a former caller left half said (QEMU guest agent protocol). */
const RESET = '\xff'

export interface GuestResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * The line to the guest agent of one virtual server. It stays open between calls: an agent whose line was closed sleeps 100 ms at
 * a time and would answer that much later. One caller at a time; a call that fails or is called off closes the line, the next one opens it anew.
 */
export class GuestAgent {
  private readonly path: string
  private lines: JsonLines | undefined
  private is_synchronised = false
  private turn: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.path = path
  }

  /** Opens the line; the guest need not run yet. */
  async open(signal: AbortSignal): Promise<JsonLines> {
    if (this.lines?.isOpen) return this.lines
    this.is_synchronised = false
    return this.lines = await JsonLines.connect(this.path, signal)
  }

  /** Waits until the guest answers, then does `work`. Rejects with GUEST_FAILED, or HYPERVISOR_UNREACHABLE when the machine is gone. */
  use<T>(signal: AbortSignal, work: (guest: GuestConversation) => Promise<T>, limit_ms = GUEST_LIMIT_MS): Promise<T> {
    const turn = this.turn.catch(() => undefined).then(() => within(limit_ms, [signal], limited => this.talk(limited, work)))
    this.turn = turn
    return turn
  }

  close(): void {
    this.lines?.close()
  }

  private async talk<T>(signal: AbortSignal, work: (guest: GuestConversation) => Promise<T>): Promise<T> {
    const lines = await this.open(signal)
    const release = lines.closeOn(signal)
    try {
      if (!this.is_synchronised) await synchronise(lines)
      this.is_synchronised = true
      return await work(new GuestConversation(lines))
    } catch (error) {
      lines.close()
      throw error instanceof RingwardError && error.code === 'GUEST_FAILED' ? error : new RingwardError('GUEST_FAILED', `the guest agent behind ${this.path} does not answer: ${reasonOf(error)}`, { cause: error })
    } finally {
      release()
    }
  }
}

/**
 * Answers of a former caller may still be on their way, and a guest that boots hears nothing yet: ask again with a new number until the
 * newest comes back. Answers keep their order, so nothing old follows it.
 */
async function synchronise(lines: JsonLines): Promise<void> {
  let id = randomInt(1, 2 ** 31)
  const ask = () => lines.send({ execute: 'guest-sync', arguments: { id: ++id } }, RESET)
  const timer = setInterval(ask, SYNC_AGAIN_MS)
  try {
    ask()
    while ((await lines.next())['return'] !== id) continue
  } finally {
    clearInterval(timer)
  }
}

/** What may be asked of the guest while it is one's turn. */
export class GuestConversation {
  private readonly lines: JsonLines

  constructor(lines: JsonLines) {
    this.lines = lines
  }

  /** Rejects with GUEST_FAILED and the agent's own words. */
  async execute(command: string, values: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    this.lines.send({ execute: command, arguments: values })
    const answer = await this.lines.next()
    if ('error' in answer) throw new RingwardError('GUEST_FAILED', `the guest agent refused ${command}: ${JSON.stringify(answer['error'])}`)
    const value = answer['return']
    return typeof value === 'object' && value !== null ? { ...value } : {}
  }

  /** Runs a program in the guest to its end; a non-zero status is a result. */
  run(program: string, args: readonly string[]): Promise<GuestResult> {
    return runInGuest((command, values) => this.execute(command, values), program, args)
  }
}

export type Execute = (command: string, values: Record<string, unknown>) => Promise<Record<string, unknown>>

/** The guest agent's way to run a program to its end, over whatever line it is reached. */
export async function runInGuest(execute: Execute, program: string, args: readonly string[]): Promise<GuestResult> {
  const { pid } = await execute('guest-exec', { path: program, arg: args, 'capture-output': true })
  for (;;) {
    const state = await execute('guest-exec-status', { pid })
    if (state['exited'] === true) return { status: numberOf(state['exitcode'], -1), stdout: decoded(state['out-data']), stderr: decoded(state['err-data']) }
    await sleep(POLL_MS)
  }
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function decoded(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : ''
}
