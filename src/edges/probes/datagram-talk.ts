import { createSocket, type Socket } from 'node:dgram'
import type { ProbeDialogue } from '../../core/inventory.ts'
import type { Clock } from '../clock.ts'
import { startDeadline, type Deadline } from '../deadline.ts'
import { printable, RECEIVE_LIMIT_BYTES, wantedBy, type Step } from './dialogue-steps.ts'
import { dnsAnswer } from './dns-answer.ts'
import type { ProbeVerdict, TellVerdict } from './prober.ts'

/** A datagram is sent so often within the limit: one that the network lost must not look like a dead service. */
const SENDINGS = 3

/**
 * A dialogue over UDP. Each datagram is an answer by itself. While an answer is missing or wrong, the last datagram is sent again every third of
 * the limit; a wrong one is final only at the limit, for it may be a late answer to the step before. A refused port is `NG` at once, as over TCP.
 */
export class DatagramTalk {
  private readonly probe: ProbeDialogue
  private readonly steps: readonly Step[]
  private readonly onVerdict: TellVerdict
  private readonly socket: Socket
  private readonly deadline: Deadline
  private resend: NodeJS.Timeout | undefined
  private index = 0
  private sent = ''
  /** The last wrong answer since the last new datagram. */
  private wrong: string | undefined
  /** Why the last sending failed on this host. */
  private failure = ''
  private received_bytes = 0
  private open = true

  constructor(address: string, probe: ProbeDialogue, steps: readonly Step[], clock: Clock, onVerdict: TellVerdict) {
    this.probe = probe
    this.steps = steps
    this.onVerdict = onVerdict
    this.deadline = startDeadline(clock, probe.limit_ms, () => this.silent())
    this.socket = createSocket('udp4')
    // latin1 keeps every byte.
    this.socket.on('message', bytes => this.receive(bytes.toString('latin1')))
    this.socket.on('error', error => this.failed(error))
    // Connected: the kernel drops what others send, and tells when the port is refused.
    this.socket.connect(probe.port, address, (error?: Error) => {
      if (error) this.conclude('NG', `no way to port ${probe.port}/udp (${codeOf(error)})`)
      else if (this.open) this.advance(undefined)
    })
  }

  /** Leaves no handle behind; safe to call again. */
  end(): void {
    if (!this.open) return
    this.open = false
    this.deadline.cancel()
    clearInterval(this.resend)
    this.socket.close()
  }

  private receive(datagram: string): void {
    if (!this.open) return
    this.received_bytes += datagram.length
    if (this.advance(datagram)) return
    this.wrong = datagram
    if (this.received_bytes > RECEIVE_LIMIT_BYTES) this.conclude('ERROR', `sent more than ${RECEIVE_LIMIT_BYTES} bytes without ${this.wanted()}`)
  }

  /** Takes every step that can be taken with this datagram, or with none yet; answers whether there was one. */
  private advance(datagram: string | undefined): boolean {
    const before = this.index
    let text = datagram
    for (;;) {
      const step = this.steps[this.index]
      if (!step) {
        this.conclude('OK', `port ${this.probe.port}/udp answered as expected`)
        return true
      }
      if (step.expect && (text === undefined || !step.expect.test(text))) return this.index > before
      if (step.send !== undefined) {
        text = undefined
        this.sendNew(step.send)
      }
      this.index += 1
    }
  }

  private sendNew(send: string): void {
    this.sent = send
    this.wrong = undefined
    clearInterval(this.resend)
    this.resend = setInterval(() => this.transmit(), this.probe.limit_ms / SENDINGS)
    this.transmit()
  }

  private transmit(): void {
    this.socket.send(Buffer.from(this.sent, 'latin1'), error => {
      if (error) this.failed(error)
    })
  }

  /** A refusal is the target's own word; anything else (no route yet, a full queue) may pass within the limit. */
  private failed(error: Error): void {
    const reason = codeOf(error)
    if (reason === 'ECONNREFUSED') return this.conclude('NG', `nothing listens on port ${this.probe.port}/udp (${reason})`)
    this.failure = ` (${reason})`
  }

  private silent(): void {
    const when = `within ${this.probe.limit_ms} ms`
    if (this.wrong === undefined) return this.conclude('NG', `no answer ${when}${this.failure}, wanted ${this.wanted()}`, this.failure === '')
    this.conclude('ERROR', `answered ${dnsAnswer(this.sent, this.wrong) ?? `"${printable(this.wrong)}"`} and not ${this.wanted()} ${when}`, true)
  }

  private wanted(): string {
    return wantedBy(this.steps, this.index)
  }

  private conclude(verdict: ProbeVerdict, detail: string, timed_out = false): void {
    if (!this.open) return
    this.end()
    this.onVerdict(verdict, detail, timed_out)
  }
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message
}
