import { createServer, type Server, type Socket } from 'node:net'
import { LineReader } from '../../src/edges/lines.ts'
import { POWER_PORT, SWITCH_ADDRESS } from './hosts.ts'
import type { Mainboard } from './mainboard.ts'

const LONGEST_LINE_CHARACTERS = 128
const IDLE_LIMIT_MS = 5_000

/** What ipmitool says to `chassis power status`; a host in its self test has power. */
async function answer(boards: ReadonlyMap<string, Mainboard>, line: string): Promise<string> {
  const [host = '', verb = ''] = line.split(' ')
  const board = boards.get(host)
  if (!board) return `no there is no host ${host}`
  switch (verb) {
    case 'status': return `ok Chassis Power is ${board.state.power === 'off' ? 'off' : 'on'}`
    case 'on':
      await board.powerOn('power controller')
      return 'ok Chassis Power Control: Up/On'
    case 'off':
      if (board.state.power !== 'off') await board.powerOff('power controller')
      return 'ok Chassis Power Control: Down/Off'
    default: return `no unknown verb ${verb}`
  }
}

function serve(boards: ReadonlyMap<string, Mainboard>, socket: Socket): void {
  socket.on('error', () => socket.destroy())
  socket.setTimeout(IDLE_LIMIT_MS, () => socket.destroy())
  const reader = new LineReader(LONGEST_LINE_CHARACTERS, line => {
    void answer(boards, line).catch((error: unknown) => `no ${error instanceof Error ? error.message : String(error)}`).then(reply => socket.end(`${reply}\n`))
  }, () => socket.destroy())
  socket.setEncoding('utf8').on('data', (text: string) => reader.feed(text))
}

/** The hosts' way to the power board: a line "HOST status|on|off" over TCP on the switch's address, nothing else. Lives as long as the board. */
export function listenForPower(boards: ReadonlyMap<string, Mainboard>, tell: (text: string) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => serve(boards, socket))
    server.once('error', reject)
    server.listen(POWER_PORT, SWITCH_ADDRESS, () => {
      server.off('error', reject)
      tell(`power controllers answer at ${SWITCH_ADDRESS}:${POWER_PORT}`)
      resolve(server)
    })
  })
}
