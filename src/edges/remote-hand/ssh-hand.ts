import type { Clock } from '../clock.ts'
import { HandLines } from './hand-lines.ts'
import { formatCommand, oneLine, parseAnswer } from './hand-words.ts'
import type { HandResult, HandTarget, HandVerb, RemoteHand } from './remote-hand.ts'

const SSH_PORT = 22

export interface SshHandOptions {
  readonly clock: Clock
  /** The bytes of the ring's hand key file. */
  readonly private_key: Buffer
  /** The account with the forced command; it restarts services and removes addresses, hence root. */
  readonly username?: string
  readonly port?: number
}

/** Remote hands over SSH: pinned host key, one kept connection for each target, one exec for each verb. */
export class SshHand implements RemoteHand {
  private readonly options: SshHandOptions
  private readonly lines: HandLines

  constructor(options: SshHandOptions) {
    this.options = options
    this.lines = new HandLines(options)
  }

  async run(target: HandTarget, verb: HandVerb, args: readonly string[], limit_ms: number, signal: AbortSignal): Promise<HandResult> {
    const command = formatCommand(verb, args)
    if (command === undefined) return { ok: false, detail: `${verb} with these arguments is not allowed; nothing was sent to ${target.name}` }
    const line = { ...target, user: this.options.username ?? 'root', port: this.options.port ?? SSH_PORT }
    const asked = await this.lines.run(line, command, limit_ms, signal, async ask => parseAnswer(await ask(command)))
    return 'value' in asked ? asked.value : { ok: false, detail: oneLine(asked.failed) }
  }

  /** Calls off what is under way and closes every connection. */
  close(): Promise<void> {
    return this.lines.close()
  }
}
