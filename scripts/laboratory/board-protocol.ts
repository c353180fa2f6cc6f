import { createConnection } from 'node:net'
import { join } from 'node:path'
import { LabError, type Lab } from './lab.ts'
import type { Program } from './programs.ts'

/** What the lab's program asks of the power board, the one process of the lab that lives on; JSON lines over a socket. */
export type BoardRequest =
  | { readonly verb: 'power-on' | 'check-service'; readonly host: string }
  /** Of all of them in the same instant. */
  | { readonly verb: 'power-off'; readonly hosts: readonly string[] }
  /** The lab's settings name another host: it gets a mainboard. */
  | { readonly verb: 'add'; readonly host: string }
  | { readonly verb: 'freeze'; readonly host: string; readonly seconds: number }
  | { readonly verb: 'freeze-program'; readonly host: string; readonly program: Program; readonly seconds: number }
  | { readonly verb: 'state' }

export interface BoardReply {
  readonly ok: boolean
  readonly reason?: string
  readonly hosts?: Readonly<Record<string, { readonly power: string; readonly boots: number }>>
}

/** Longest answer awaited: a power cut of a host with a hung shared area takes most. */
const REPLY_LIMIT_MS = 30_000

export function boardSocket(directory: string): string {
  return join(directory, 'power.sock')
}

/** Asks the power board. Rejects when there is none, or with the board's own reason when it refused. */
export function askBoard(lab: Pick<Lab, 'directory'>, request: BoardRequest): Promise<BoardReply> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(boardSocket(lab.directory))
    let text = ''
    socket.setTimeout(REPLY_LIMIT_MS, () => socket.destroy(new LabError(`the power board did not answer ${request.verb} within ${REPLY_LIMIT_MS} ms`)))
    socket.on('data', chunk => { text += chunk.toString() })
    socket.once('error', error => reject(error instanceof LabError ? error : new LabError(`the lab's power board cannot be reached (${error.message}); is the lab up?`, 3)))
    socket.once('end', () => {
      // A board that is killed closes the line without a word.
      const reply: BoardReply = text === '' ? { ok: false, reason: `the power board ended before it answered ${request.verb}` } : JSON.parse(text) as BoardReply
      if (reply.ok) resolve(reply)
      else reject(new LabError(reply.reason ?? `${request.verb} failed`))
    })
    socket.end(`${JSON.stringify(request)}\n`)
  })
}
