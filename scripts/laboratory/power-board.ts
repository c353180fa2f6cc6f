import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { boardSocket, type BoardReply, type BoardRequest } from './board-protocol.ts'
import { cgroupsOf, setFrozen } from './cgroups.ts'
import { dialogueOf, holdDialogue } from './dialogues.ts'
import { hostOf, hostPlaces, openLab, type Lab } from './lab.ts'
import { Mainboard } from './mainboard.ts'
import { listenForPower } from './power-port.ts'
import { programPids, type Program } from './programs.ts'
import { listenForWake } from './wake-listener.ts'

/** Present in a host's folder: its network card does not listen for magic packets. */
export const NO_WAKE_FILE = 'no-wake'
const CHECK_LIMIT_MS = 1_000
const LONGEST_REQUEST_BYTES = 4_096

/**
 * The lab's power board: one mainboard per host, the wake-up listener on the switch's side, and a socket for the lab's
 * program. It runs in the switch's network namespace until it is killed; then every host is cut off as well (`lab down`).
 */
export async function runPowerBoard(lab: Lab): Promise<never> {
  const tell = (text: string) => process.stdout.write(`${new Date().toISOString()} ${text}\n`)
  const boards = new Map(lab.machines.map(host => [host.name, new Mainboard(lab, host, tell)]))
  await listenForWake((mac, from) => {
    const board = [...boards.values()].find(each => each.host.mac === mac)
    if (!board) return tell(`magic packet from ${from} for ${mac}, which is no host`)
    if (existsSync(join(hostPlaces(lab, board.host.name).base, NO_WAKE_FILE))) return tell(`${board.host.name}: magic packet from ${from} ignored`)
    void board.powerOn(`magic packet from ${from}`)
  })
  await rm(boardSocket(lab.directory), { force: true })
  const server = createServer({ allowHalfOpen: true }, socket => receive(socket, request => answer(lab, boards, request, tell)))
  server.listen(boardSocket(lab.directory))
  if (lab.settings.power) await listenForPower(boards, tell)
  tell(`power board ready for ${lab.hosts.map(host => host.name).join(', ')}`)
  return await new Promise<never>(() => undefined)
}

function receive(socket: Socket, handle: (request: BoardRequest) => Promise<BoardReply>): void {
  let text = ''
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    text += chunk.toString()
    if (text.length > LONGEST_REQUEST_BYTES) socket.destroy()
  })
  socket.on('end', () => {
    void Promise.resolve()
      .then(() => handle(JSON.parse(text) as BoardRequest))
      .catch((error: unknown): BoardReply => ({ ok: false, reason: error instanceof Error ? error.message : String(error) }))
      .then(reply => socket.end(JSON.stringify(reply)))
  })
}

async function answer(lab: Lab, boards: Map<string, Mainboard>, request: BoardRequest, tell: (text: string) => void): Promise<BoardReply> {
  if (request.verb === 'state') return { ok: true, hosts: Object.fromEntries([...boards].map(([name, board]) => [name, board.state])) }
  if (request.verb === 'power-off') return await cutAll(request.hosts.map(host => boards.get(host) ?? host))
  if (request.verb === 'add') {
    const grown = await openLab(lab.directory)
    if (!boards.has(request.host)) boards.set(request.host, new Mainboard(grown, hostOf(grown, request.host), tell))
    return { ok: true }
  }
  const board = boards.get(request.host)
  if (!board) return { ok: false, reason: `no host "${request.host}"` }
  switch (request.verb) {
    case 'power-on':
      return await board.powerOn('switch') ? { ok: true } : { ok: false, reason: `${request.host} has power already` }
    case 'check-service': {
      const result = await holdDialogue(board.host.address, dialogueOf(board.host), CHECK_LIMIT_MS)
      return result.ok ? { ok: true } : { ok: false, reason: result.reason }
    }
    case 'freeze': {
      const cgroups = cgroupsOf(lab.id, request.host)
      setFrozen(cgroups, true)
      tell(`${request.host}: frozen for ${request.seconds} s`)
      thawLater(`host ${request.host}`, request.seconds, () => setFrozen(cgroups, false))
      return { ok: true }
    }
    case 'freeze-program':
      return freezeProgram(lab, request.host, request.program, request.seconds)
  }
}

/** One after the other the kills are sent before any is waited for: some milliseconds lie between the first host and the last. */
async function cutAll(boards: readonly (Mainboard | string)[]): Promise<BoardReply> {
  const known = boards.filter(board => typeof board !== 'string')
  const against = [...boards.filter(board => typeof board === 'string').map(name => `no host "${name}"`), ...known.filter(board => board.state.power === 'off').map(board => `${board.host.name} is off already`)]
  if (against.length > 0) return { ok: false, reason: against.join(', ') }
  await Promise.all(known.map(board => board.powerOff('switch')))
  return { ok: true }
}

const thaws = new Map<string, NodeJS.Timeout>()

/** The newest order about something frozen counts: one that was healed early must not thaw what was frozen again since. */
function thawLater(what: string, seconds: number, act: () => void): void {
  clearTimeout(thaws.get(what))
  thaws.set(what, setTimeout(() => {
    try {
      act()
    } catch {
      // It lost its power while frozen: there is nothing to thaw.
    }
  }, seconds * 1_000))
}

function freezeProgram(lab: Lab, host: string, program: Program, seconds: number): BoardReply {
  const pids = programPids(lab, host, program)
  if (pids.length === 0) return { ok: false, reason: `no ${program} runs on ${host}` }
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  thawLater(`${program} ${host}`, seconds, () => pids.forEach(pid => process.kill(pid, 'SIGCONT')))
  return { ok: true }
}
