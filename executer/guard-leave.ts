import { createConnection } from 'node:net'
import { RingwardError } from '../src/errors.ts'
import type { GuardReply, GuardRequest } from '../src/guard/guard-protocol.ts'

/** A status notice of 256 charges has 50 KB; more is not a guard. */
const ANSWER_CHARACTERS_MAX = 256 * 1024
const LEAVE: GuardRequest = { request: 1, verb: 'leave', standing: 'unmanaged' }

/**
 * Asks the guard itself for the clean stop, when the agent could not: VIPs of native functions become permanent, the guard exits.
 * @throws RingwardError GUARD_UNREACHABLE (no socket, no answer within `limit_ms`) or GUARD_REFUSED.
 */
export function requestLeave(socket_path: string, limit_ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socket_path)
    const settle = (error?: RingwardError): void => {
      clearTimeout(timer)
      socket.destroy()
      if (error) reject(error)
      else resolve()
    }
    const unreachable = (reason: string): void => settle(new RingwardError('GUARD_UNREACHABLE', `the guard at ${socket_path} ${reason}`))
    const timer = setTimeout(() => unreachable(`did not answer within ${limit_ms} ms`), limit_ms)
    let rest = ''
    socket.setEncoding('utf8')
    socket.once('connect', () => socket.write(`${JSON.stringify(LEAVE)}\n`))
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > ANSWER_CHARACTERS_MAX) return unreachable('answered too much')
      const reply = lines.map(parseReply).find(each => each?.reply === LEAVE.request)
      if (!reply) return
      settle(reply.ok ? undefined : new RingwardError('GUARD_REFUSED', `the guard refused to leave: ${reply.reason ?? 'it gave no reason'}`))
    })
    socket.once('error', error => unreachable(`cannot be reached: ${error.message}`))
    socket.once('close', () => unreachable('closed the connection'))
  })
}

/** Notices come on the same connection; they are passed over. */
function parseReply(line: string): GuardReply | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'reply' in value ? value as GuardReply : undefined
  } catch {
    return undefined
  }
}
