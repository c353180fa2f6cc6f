import { connect, type Socket } from 'node:net'
import type { ProbeDialogue } from '../../core/inventory.ts'
import { RingwardError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import { startDeadline, type Deadline } from '../deadline.ts'
import { DatagramTalk } from './datagram-talk.ts'
import { compileSteps, printable, RECEIVE_LIMIT_BYTES, wantedBy, type Step } from './dialogue-steps.ts'
import type { DialogueResult, ProbeVerdict, TellVerdict } from './prober.ts'

/**
 * Speaks a service dialogue with `address` (thesis 2.2, fig. 2.4): `OK` when every step went through, `ERROR` when something
 * else was answered, `NG` when nothing was within the limit or there was no connection.
 * Expressions look at what was received since the last send; `^` is its beginning. What a server said beyond the expected
 * words before it was its turn counts as well, if need be: dropbear sends its key exchange together with its greeting.
 * Over UDP each datagram is judged by itself (`datagram-talk.ts`).
 * Rejects with ABORTED, and with CONFIGURATION_INVALID for an expression that does not compile.
 */
export function speakDialogue(address: string, probe: ProbeDialogue, clock: Clock, signal: AbortSignal): Promise<DialogueResult> {
  return new Promise((resolve, reject) => {
    const steps = compileSteps(probe)
    if (signal.aborted) throw calledOff(probe)
    const begun_ms = clock.boot_ms()
    const abort = (): void => {
      talk.end()
      reject(calledOff(probe))
    }
    const Means = probe.transport === 'udp' ? DatagramTalk : StreamTalk
    const talk = new Means(address, probe, steps, clock, (verdict, detail, timed_out = false, slow = false) => {
      signal.removeEventListener('abort', abort)
      resolve({ verdict, detail, duration_ms: clock.boot_ms() - begun_ms, timed_out, slow })
    })
    signal.addEventListener('abort', abort, { once: true })
  })
}

function calledOff(probe: ProbeDialogue): RingwardError {
  return new RingwardError('ABORTED', `probe ${probe.name} was called off`)
}

/** One connection from connect to verdict. */
class StreamTalk {
  private readonly probe: ProbeDialogue
  private readonly steps: readonly Step[]
  private readonly onVerdict: TellVerdict
  private readonly socket: Socket
  private readonly deadline: Deadline
  private index = 0
  /** Since the last send. */
  private received = ''
  /** Before the last send, beyond what was expected then. */
  private early = ''
  private unread = ''
  private connected = false
  private open = true

  constructor(address: string, probe: ProbeDialogue, steps: readonly Step[], clock: Clock, onVerdict: TellVerdict) {
    this.probe = probe
    this.steps = steps
    this.onVerdict = onVerdict
    this.socket = connect({ host: address, port: probe.port, noDelay: true })
    this.deadline = startDeadline(clock, probe.limit_ms, () => this.silent(`within ${probe.limit_ms} ms`, true))
    // latin1 keeps every byte: a binary answer must not turn into an encoding problem.
    this.socket.setEncoding('latin1')
    this.socket.on('connect', () => {
      this.connected = true
      this.advance()
    })
    this.socket.on('data', (text: string) => this.receive(text))
    this.socket.on('end', () => this.silent('before the other side closed'))
    this.socket.on('error', error => this.silent(`(${'code' in error ? String(error.code) : error.message})`))
  }

  /** Leaves no handle behind; safe to call again. */
  end(): void {
    this.open = false
    this.deadline.cancel()
    this.socket.destroy()
  }

  private receive(text: string): void {
    if (!this.open) return
    this.received += text
    this.advance()
    if (this.open && this.received.length > RECEIVE_LIMIT_BYTES) {
      this.conclude('ERROR', `sent more than ${RECEIVE_LIMIT_BYTES} bytes without ${this.wanted()}`)
    }
  }

  /** Takes every step that can be taken with what was received so far. */
  private advance(): void {
    for (;;) {
      const step = this.steps[this.index]
      if (!step) return this.conclude('OK', `port ${this.probe.port} answered as expected`)
      if (step.expect && !this.meets(step.expect)) return
      if (step.send !== undefined) {
        this.early = this.unread
        this.received = this.unread = ''
        this.socket.write(step.send, 'latin1')
      }
      this.index += 1
    }
  }

  private meets(expected: RegExp): boolean {
    for (const text of [this.received, this.early + this.received]) {
      const found = expected.exec(text)
      if (!found) continue
      this.unread = text.slice(found.index + found[0].length)
      return true
    }
    return false
  }

  /** No further answer will come: what there is decides between a wrong answer and none. */
  private silent(when: string, timed_out = false): void {
    if (!this.connected) return this.conclude('NG', `no connection to port ${this.probe.port} ${when}`, timed_out)
    if (this.received === '') return this.conclude('NG', `no answer ${when}, wanted ${this.wanted()}`, timed_out, timed_out)
    this.conclude('ERROR', `answered "${printable(this.received)}" and not ${this.wanted()} ${when}`, timed_out)
  }

  private wanted(): string {
    return wantedBy(this.steps, this.index)
  }

  private conclude(verdict: ProbeVerdict, detail: string, timed_out = false, slow = false): void {
    if (!this.open) return
    this.open = false
    this.deadline.cancel()
    // A last "QUIT" still goes out; what the kernel does not take at once is not waited for.
    this.socket.destroySoon()
    setImmediate(() => this.socket.destroy())
    this.onVerdict(verdict, detail, timed_out, slow)
  }
}
