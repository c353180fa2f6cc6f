import { connect } from 'node:net'
import { ERROR_CODES, RingwardError, type ErrorCode } from '../errors.ts'
import { LineReader } from '../edges/lines.ts'
import { parseReply, REPLY_LIMIT_CHARACTERS, type ControlReply } from './control-protocol.ts'

export interface ControlRequestOptions {
  readonly deadline_ms: number
  readonly signal?: AbortSignal
}

/**
 * Asks the agent of this host one question over its control socket and returns the document.
 * Rejects with NOT_RUNNING (no agent), PERMISSION, CONTROL_TIMEOUT, CONTROL_UNREACHABLE (the agent went away), ABORTED,
 * or the agent's own error.
 */
export function askControl(path: string, verb: string, args: Readonly<Record<string, unknown>>, options: ControlRequestOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const settle = (act: () => void) => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', callOff)
      socket.destroy()
      act()
    }
    const fail = (code: ErrorCode, message: string) => settle(() => reject(new RingwardError(code, message)))
    const callOff = () => fail('ABORTED', `"${verb}" was called off`)
    const timer = setTimeout(() => fail('CONTROL_TIMEOUT', `the agent did not answer "${verb}" within ${options.deadline_ms} ms; it may be overloaded or stopped: see \`journalctl -t ringward\``), options.deadline_ms)
    options.signal?.addEventListener('abort', callOff, { once: true })
    if (options.signal?.aborted) return callOff()
    socket.once('error', error => settle(() => reject(connectionError(error, path))))
    socket.once('close', () => fail('CONTROL_UNREACHABLE', 'the agent closed the connection before it answered; it may be restarting: try again'))
    socket.once('connect', () => socket.write(`${JSON.stringify({ id: 1, verb, args })}\n`))
    const reader = new LineReader(REPLY_LIMIT_CHARACTERS, line => {
      const reply = parseReply(line)
      if (!reply) return fail('CONTROL_UNREACHABLE', `the agent's answer to "${verb}" is not understood; agent and command line may be of different versions`)
      settle(() => reply.ok ? resolve(reply.document) : reject(agentError(reply)))
    }, () => fail('CONTROL_UNREACHABLE', `the agent's answer to "${verb}" is too long`))
    socket.setEncoding('utf8').on('data', (text: string) => reader.feed(text))
  })
}

function connectionError(error: NodeJS.ErrnoException, path: string): RingwardError {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return new RingwardError('NOT_RUNNING', 'ringward is not running on this host; is the flag set? `ringward flag on`', { cause: error })
  }
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new RingwardError('PERMISSION', `the control socket ${path} belongs to root; run the command as root`, { cause: error })
  }
  return new RingwardError('CONTROL_UNREACHABLE', `the control socket ${path} cannot be used: ${error.message}`, { cause: error })
}

/** A newer agent may know codes this command line does not. */
function agentError(reply: Extract<ControlReply, { ok: false }>): RingwardError {
  const { code, message } = reply.error
  return new RingwardError(Object.hasOwn(ERROR_CODES, code) ? code as ErrorCode : 'INTERNAL', message)
}
