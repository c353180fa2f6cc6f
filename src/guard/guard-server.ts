import { chmodSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { LineReader } from '../edges/lines.ts'
import { RingwardError, reasonOf } from '../errors.ts'
import type { GuardNotice, GuardReply, GuardRequest } from './guard-protocol.ts'
import { parseRequest } from './guard-requests.ts'

/** Agent, its successor during a restart, remote hands, the Executer's last word. */
const CLIENTS_LIMIT = 16
/** A request is a few hundred characters. */
const LINE_LIMIT_CHARACTERS = 16_384
/** A client that does not read is cut off; notices come twice a second with about 1 KB. */
const QUEUE_LIMIT_BYTES = 256 * 1024

export interface GuardServerOptions {
  readonly path: string
  handle(request: GuardRequest): Promise<Omit<GuardReply, 'reply'>>
  /** The notice a new client gets first. */
  greeting(): GuardNotice
  /** An agent is a client that has asked for anything but `bar`: the remote hand only bars. */
  onAgents(present: boolean): void
}

/** The guard's socket: JSON lines, for root only. */
export class GuardServer {
  private readonly options: GuardServerOptions
  private readonly server: Server
  private readonly clients = new Set<Socket>()
  private readonly agents = new Set<Socket>()

  constructor(options: GuardServerOptions) {
    this.options = options
    this.server = createServer(socket => { this.accept(socket) })
    this.server.maxConnections = CLIENTS_LIMIT
  }

  /** Rejects with GUARD_REFUSED when a guard answers at the socket already: two would write one lease. */
  async listen(): Promise<void> {
    const { path } = this.options
    if (await isAnswered(path)) throw new RingwardError('GUARD_REFUSED', `a guard runs already at ${path}; end it first`)
    rmSync(path, { force: true })
    await new Promise<void>((resolve, reject) => {
      const mask = process.umask(0o177)
      this.server.once('error', reject).listen(path, resolve)
      process.umask(mask)
    })
    chmodSync(path, 0o600)
  }

  broadcast(notice: GuardNotice): void {
    const line = JSON.stringify(notice) + '\n'
    for (const client of this.clients) this.write(client, line)
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.server.close(resolve))
    for (const client of this.clients) client.destroySoon()
    await closed
  }

  private accept(socket: Socket): void {
    this.clients.add(socket)
    const reader = new LineReader(LINE_LIMIT_CHARACTERS, line => { void this.answer(socket, line) }, () => socket.destroy())
    socket.setEncoding('utf8').on('data', (text: string) => { reader.feed(text) })
    socket.on('error', () => undefined).on('close', () => {
      this.clients.delete(socket)
      if (this.agents.delete(socket)) this.options.onAgents(this.agents.size > 0)
    })
    this.write(socket, JSON.stringify(this.options.greeting()) + '\n')
  }

  private async answer(socket: Socket, line: string): Promise<void> {
    const request = parseRequest(line)
    let reply: Omit<GuardReply, 'reply'>
    if ('wrong' in request) reply = { ok: false, reason: request.wrong }
    else {
      if (request.verb !== 'bar' && !this.agents.has(socket)) {
        this.agents.add(socket)
        this.options.onAgents(true)
      }
      reply = await this.options.handle(request).catch((error: unknown) => ({ ok: false, reason: reasonOf(error) }))
    }
    this.write(socket, JSON.stringify({ reply: request.request, ...reply }) + '\n')
  }

  private write(socket: Socket, line: string): void {
    if (socket.destroyed) return
    if (socket.writableLength > QUEUE_LIMIT_BYTES) socket.destroy()
    else socket.write(line)
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createConnection(path)
    probe.once('connect', () => { probe.destroy(); resolve(true) }).once('error', () => { resolve(false) })
  })
}
