import { Client, type ClientChannel } from 'ssh2'
import type { HandTarget } from './remote-hand.ts'

/** A verb's answer is one short line. */
const ANSWER_LIMIT_BYTES = 16 * 1024
/** A kept connection whose target is gone is noticed within 3 s instead of at the next verb's limit. */
const KEEPALIVE_INTERVAL_MS = 1_000
const KEEPALIVE_MISSED = 3

export interface ConnectionOptions {
  readonly target: HandTarget
  readonly port: number
  readonly username: string
  readonly private_key: Buffer
}

export class ConnectionError extends Error {
  /** The command was certainly not started: asking again on a new connection does nothing twice. */
  readonly not_started: boolean
  constructor(message: string, not_started: boolean) {
    super(message)
    this.not_started = not_started
  }
}

/** One SSH connection to one target. It has ended when `broken` is true; it is never mended. */
export class HandConnection {
  private readonly client = new Client()
  private readonly ready: Promise<void>
  private reason: string | undefined
  private readonly waiting = new Set<() => void>()
  broken = false

  constructor(options: ConnectionOptions) {
    const pinned = Buffer.from(/^ssh-ed25519 ([A-Za-z0-9+/]+=*)/.exec(options.target.ssh_host_key)?.[1] ?? '', 'base64')
    this.ready = new Promise((resolve, reject) => {
      this.client.once('ready', resolve)
      // The handshake and a verb are small packets in turn: Nagle's algorithm costs 40 ms for each.
      this.client.once('connect', () => this.client.setNoDelay(true))
      this.client.on('error', error => { this.reason ??= error.message })
      this.client.once('close', () => {
        this.broken = true
        reject(new ConnectionError(this.why(), true))
        for (const wake of this.waiting) wake()
      })
    })
    // Whoever asks sees the reason; a connection nobody asks any more may fail quietly.
    this.ready.catch(() => undefined)
    this.client.connect({
      host: options.target.address, port: options.port, username: options.username, privateKey: options.private_key,
      authHandler: ['publickey'],
      // The key's bytes themselves are compared; no other kind of key is even offered.
      algorithms: { serverHostKey: ['ssh-ed25519'] },
      hostVerifier: (key: Buffer) => {
        const same = pinned.length > 0 && key.equals(pinned)
        if (!same) this.reason = 'the host key is not the one in the configuration; if the host was installed anew, correct ssh_host_key'
        return same
      },
      // Each verb has its own limit; this connection ends with the last of them.
      readyTimeout: 0, keepaliveInterval: KEEPALIVE_INTERVAL_MS, keepaliveCountMax: KEEPALIVE_MISSED,
    })
  }

  /** Runs the command, which reads `input`, and resolves with what it wrote; rejects with ConnectionError. Unbounded in time: the caller ends the connection. */
  async exec(command: string, input?: string): Promise<string> {
    await this.ready
    return new Promise((resolve, reject) => {
      let started = false
      const lost = (): void => fail(`${this.why()} ${started ? 'before the answer' : 'before the command'}`)
      const fail = (why: string): void => {
        this.waiting.delete(lost)
        reject(new ConnectionError(why, !started))
      }
      if (this.broken) return lost()
      this.waiting.add(lost)
      try {
        this.client.exec(command, (error, channel) => {
          if (error) return fail(error.message)
          started = true
          this.collect(channel, text => {
            this.waiting.delete(lost)
            resolve(text)
          })
          if (input !== undefined) channel.end(input)
        })
      } catch (error) {
        fail(String(error))
      }
    })
  }

  end(): void {
    this.client.destroy()
  }

  private why(): string {
    return this.reason ?? 'the connection was closed'
  }

  private collect(channel: ClientChannel, done: (text: string) => void): void {
    let text = ''
    channel.setEncoding('utf8')
    channel.on('data', (piece: string) => {
      if (text.length < ANSWER_LIMIT_BYTES) text += piece.slice(0, ANSWER_LIMIT_BYTES)
    })
    channel.stderr.resume()
    channel.on('error', () => undefined)
    channel.once('close', () => {
      // A connection that breaks closes its channels first: without a whole line there was no answer.
      if (text.endsWith('\n')) return done(text)
      setImmediate(() => { if (!this.broken) done(text) })
    })
  }
}
