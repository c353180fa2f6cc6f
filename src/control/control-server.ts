import { chmod, unlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { RingwardError, reasonOf } from '../errors.ts'
import { LineReader } from '../edges/lines.ts'
import { parseRequest, REQUEST_LIMIT_CHARACTERS, type ControlReply, type ControlRequest } from './control-protocol.ts'

/** Answers one verb. What it returns is the document; what it throws is the error. The signal ends with the deadline or the connection. */
export type ControlHandler = (args: Readonly<Record<string, unknown>>, signal: AbortSignal) => unknown
export type ControlHandlers = Readonly<Record<string, ControlHandler>>

export interface ControlServerOptions {
  /** The socket's place; its folder exists and belongs to root alone. */
  readonly path: string
  readonly handlers: ControlHandlers
  /** Deadline of one request. The longest is an act with `--wait`. */
  readonly request_limit_ms?: number
  readonly connections_limit?: number
}

/** A person, a dashboard and a handful of scripts; more is a runaway loop. */
const CONNECTIONS_LIMIT = 32
/** Requests one client may send ahead of their answers. */
const WAITING_LIMIT = 16
const REQUEST_LIMIT_MS = 120_000
/** Who neither asks nor reads for that long is sent away. */
const IDLE_LIMIT_MS = 180_000
/** A refused client has that long to read why. */
const REFUSED_LIMIT_MS = 1_000
/** A living agent accepts at once; one that is stopped keeps its socket and must not be robbed of it. */
const PROBE_LIMIT_MS = 500

/** The agent's door for the CLI. Everything is bounded: connections, line length, requests ahead, time per request. */
export class ControlServer {
  private readonly options: ControlServerOptions
  private readonly sockets = new Set<Socket>()
  private server: Server | undefined

  constructor(options: ControlServerOptions) {
    this.options = options
  }

  /** Listens. A socket left by a dead agent is replaced; one that answers is refused with CONTROL_REFUSED. */
  async start(): Promise<void> {
    const { path } = this.options
    if (await answers(path)) throw new RingwardError('CONTROL_REFUSED', `another agent answers at ${path}; stop it first`)
    await unlink(path).catch(() => undefined)
    const server = createServer(socket => this.accept(socket))
    this.server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, () => {
        server.off('error', reject)
        resolve()
      })
    })
    await chmod(path, 0o600)
  }

  /** Closes the door and every connection; running handlers are called off. */
  async stop(): Promise<void> {
    const server = this.server
    this.server = undefined
    for (const socket of this.sockets) socket.destroy()
    if (server) await new Promise<void>(resolve => server.close(() => resolve()))
  }

  private accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    const limit = this.options.connections_limit ?? CONNECTIONS_LIMIT
    if (this.sockets.size >= 2 * limit) return void socket.destroy()
    const refused = this.sockets.size >= limit
    this.sockets.add(socket)
    const gone = new AbortController()
    socket.once('close', () => {
      this.sockets.delete(socket)
      gone.abort()
    })
    socket.setTimeout(refused ? REFUSED_LIMIT_MS : IDLE_LIMIT_MS, () => socket.destroy())
    if (refused) {
      socket.resume().end(lineOf(refusal(null, 'CONTROL_REFUSED', 'the agent has too many control connections; try again in a moment')))
      return
    }
    new ControlConnection(socket, gone.signal, this.options.handlers, this.options.request_limit_ms ?? REQUEST_LIMIT_MS).begin()
  }
}

/** One client: requests are answered in their order, one at a time. */
class ControlConnection {
  private readonly socket: Socket
  private readonly gone: AbortSignal
  private readonly handlers: ControlHandlers
  private readonly request_limit_ms: number
  private readonly waiting: string[] = []
  private working = false

  constructor(socket: Socket, gone: AbortSignal, handlers: ControlHandlers, request_limit_ms: number) {
    this.socket = socket
    this.gone = gone
    this.handlers = handlers
    this.request_limit_ms = request_limit_ms
  }

  begin(): void {
    const reader = new LineReader(REQUEST_LIMIT_CHARACTERS, line => this.take(line), () => this.dismiss(`a line is longer than ${REQUEST_LIMIT_CHARACTERS} characters`))
    this.socket.setEncoding('utf8').on('data', (text: string) => reader.feed(text))
  }

  private take(line: string): void {
    if (this.waiting.length >= WAITING_LIMIT) return this.dismiss(`more than ${WAITING_LIMIT} requests wait`)
    this.waiting.push(line)
    if (!this.working) void this.work()
  }

  private dismiss(reason: string): void {
    if (!this.socket.writable) return
    this.waiting.length = 0
    this.socket.removeAllListeners('data').resume()
    this.socket.end(lineOf(refusal(null, 'CONTROL_REFUSED', `the connection is closed: ${reason}`)))
  }

  private async work(): Promise<void> {
    this.working = true
    for (let line = this.waiting.shift(); line !== undefined && !this.gone.aborted; line = this.waiting.shift()) {
      const request = parseRequest(line)
      const reply = request ? await this.answer(request) : refusal(null, 'CONTROL_REFUSED', 'a request is {"id", "verb", "args"} on one line')
      if (!this.gone.aborted && this.socket.writable) await new Promise<void>(resolve => this.socket.write(lineOf(reply), () => resolve()))
    }
    this.working = false
  }

  private async answer(request: ControlRequest): Promise<ControlReply> {
    const { id, verb, args } = request
    const handler = Object.hasOwn(this.handlers, verb) ? this.handlers[verb] : undefined
    if (!handler) return refusal(id, 'CONTROL_REFUSED', `this agent does not know "${verb}"; agent and command line may be of different versions`)
    const deadline = new AbortController()
    const called_off = AbortSignal.any([deadline.signal, this.gone])
    const timer = setTimeout(() => deadline.abort(), this.request_limit_ms)
    try {
      const document = await Promise.race([Promise.resolve(handler(args, called_off)), rejectOn(called_off, verb, this.request_limit_ms)])
      return { id, ok: true, document: document ?? null }
    } catch (error) {
      return refusal(id, error instanceof RingwardError ? error.code : 'INTERNAL', reasonOf(error))
    } finally {
      clearTimeout(timer)
      deadline.abort()
    }
  }
}

function rejectOn(signal: AbortSignal, verb: string, limit_ms: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new RingwardError('CONTROL_TIMEOUT', `the agent did not finish "${verb}" within ${limit_ms} ms`)), { once: true })
  })
}

function refusal(id: number | null, code: string, message: string): ControlReply {
  return { id, ok: false, error: { code, message } }
}

function lineOf(reply: ControlReply): string {
  return `${JSON.stringify(reply)}\n`
}

/** Whether somebody answers at the socket; a left-over file refuses at once. */
function answers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(PROBE_LIMIT_MS, () => done(true))
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}
