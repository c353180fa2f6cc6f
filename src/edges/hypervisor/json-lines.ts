import { createConnection, type Socket } from 'node:net'
import { RingwardError } from '../../errors.ts'

/** No answer of QEMU or its guest agent that ringward asks for comes near this. */
const LINE_LIMIT_BYTES = 1024 * 1024

/** One JSON document a line over a Unix socket: what QMP and the guest agent both speak. */
export class JsonLines {
  private readonly socket: Socket
  private readonly lines: string[] = []
  private rest = ''
  private failure: RingwardError | undefined
  private wake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.receive(text))
    socket.on('error', (error: Error) => this.fail(error.message))
    socket.on('close', () => this.fail('the connection was closed'))
  }

  /** Rejects with HYPERVISOR_UNREACHABLE when nobody listens on `path`. */
  static connect(path: string, signal: AbortSignal): Promise<JsonLines> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new RingwardError('HYPERVISOR_UNREACHABLE', `${path}: no time left to connect`))
      const socket = createConnection(path)
      const lines = new JsonLines(socket)
      const release = lines.closeOn(signal)
      socket.once('connect', () => { release(); resolve(lines) })
      socket.once('close', () => { release(); reject(lines.failure ?? new RingwardError('HYPERVISOR_UNREACHABLE', path)) })
    })
  }

  get isOpen(): boolean {
    return this.failure === undefined
  }

  /** The signal ends the connection and everything that waits on it, until the returned function is called. */
  closeOn(signal: AbortSignal): () => void {
    const abort = () => this.fail('it did not answer in time, or the work was called off')
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    return () => signal.removeEventListener('abort', abort)
  }

  /** `prefix` goes before the document as it is (the guest agent's reset byte). */
  send(document: unknown, prefix = ''): void {
    this.socket.write(prefix + Buffer.from(`${JSON.stringify(document)}\n`).toString('latin1'), 'latin1')
  }

  /** The next line, parsed; lines that are no JSON object are passed over. Rejects with HYPERVISOR_UNREACHABLE. */
  async next(): Promise<Record<string, unknown>> {
    for (;;) {
      const line = this.lines.shift()
      if (line === undefined) {
        if (this.failure) throw this.failure
        await new Promise<void>(resolve => { this.wake = resolve })
        continue
      }
      const document = parse(line)
      if (document) return document
    }
  }

  close(): void {
    this.fail('it was closed here')
  }

  private receive(text: string): void {
    const parts = (this.rest + text).split('\n')
    this.rest = parts.pop() ?? ''
    this.lines.push(...parts)
    if (this.rest.length > LINE_LIMIT_BYTES) this.fail('an answer is longer than allowed')
    this.wake?.()
  }

  private fail(reason: string): void {
    this.failure ??= new RingwardError('HYPERVISOR_UNREACHABLE', `the machine's socket: ${reason}`)
    this.socket.destroy()
    this.wake?.()
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(line, 'latin1').toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
