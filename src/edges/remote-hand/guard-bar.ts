import { connect } from 'node:net'
import type { GuardReply, GuardRequest } from '../../guard/guard-protocol.ts'
import { RingwardError } from '../../errors.ts'
import { LineReader, parseJson } from '../lines.ts'

/** The guard answers within milliseconds, scheduled first as it is; a hung one must not hold up the recovery. */
const LIMIT_MS = 1_000
const LINE_LIMIT_CHARACTERS = 64 * 1024
const REQUEST = 1

/**
 * Asks the guard of this host to end the function and to bar that epoch and older ones. Rejects with GUARD_REFUSED, or GUARD_UNREACHABLE: also where there is no
 * guard, for the successor of a killed one goes on with what it had in charge, and puts the VIP back.
 */
export function barByGuard(socket_path: string, function_name: string, epoch: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const request: GuardRequest = { request: REQUEST, verb: 'bar', function: function_name, epoch }
    const socket = connect(socket_path)
    const finish = (conclude: () => void): void => {
      clearTimeout(limit)
      socket.destroy()
      conclude()
    }
    const unreachable = (why: string): void => finish(() => reject(new RingwardError('GUARD_UNREACHABLE', `the guard at ${socket_path} ${why}; its lease will end by itself`)))
    const limit = setTimeout(() => unreachable(`did not answer within ${LIMIT_MS} ms`), LIMIT_MS)
    const reader = new LineReader(LINE_LIMIT_CHARACTERS, line => {
      const reply = parseJson(line) as Partial<GuardReply> | null | undefined
      // Notices come unasked in between.
      if (reply?.reply !== REQUEST) return
      if (reply.ok === true) return finish(resolve)
      finish(() => reject(new RingwardError('GUARD_REFUSED', `the guard did not give up ${function_name}: ${reply.reason ?? 'no reason given'}`)))
    }, () => unreachable('sent an endless line'))
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    socket.on('data', (text: string) => reader.feed(text))
    socket.on('end', () => unreachable('closed without an answer'))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Nothing listens: ECONNREFUSED is the socket a killed guard left behind.
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') return unreachable('does not run')
      unreachable(`failed (${error.code ?? error.message})`)
    })
  })
}
