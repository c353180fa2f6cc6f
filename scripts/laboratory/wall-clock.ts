import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runInsideOrFail } from './exec.ts'
import { hostPlaces, type Lab } from './lab.ts'

/** Present in a host's folder: its wall clock was moved. */
const MOVED_FILE = 'clock'
const LIMIT_MS = 30_000

/**
 * Runs in the host. A container has the machine's wall clock, and no namespace gives it another; so each of ringward's programs gets, through Node's
 * own inspector (SIGUSR1), a `Date` that is wrong by so much. Clocks that only count durations stay, as they do when a real clock is set.
 */
const MOVER = `
const { readdirSync, readFileSync } = require('node:fs'), offset_ms = Number(process.argv[1])
const isOurs = pid => { try { return /\\/(agent|guard|share-helper|executer)\\.mjs\\0/.test(readFileSync('/proc/' + pid + '/cmdline', 'utf8')) } catch { return false } }
const move = offset_ms => {
  const True = globalThis.trueDate ??= globalThis.Date
  globalThis.Date = class Date extends True {
    constructor(...words) { words.length > 0 ? super(...words) : super(True.now() + offset_ms) }
    static now() { return True.now() + offset_ms }
  }
}
const within = async (what, limit_ms, act) => {
  for (const end = performance.now() + limit_ms; ; await new Promise(done => setTimeout(done, 20))) {
    try { return await act() } catch (cause) { if (performance.now() > end) throw new Error(what, { cause }) }
  }
}
const told = (socket, message) => new Promise((resolve, reject) => {
  socket.onmessage = ({ data }) => { const { result } = JSON.parse(data); result?.exceptionDetails ? reject(new Error(data)) : resolve() }
  socket.onerror = socket.onclose = resolve
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: message } }))
})
const one = async pid => {
  process.kill(pid, 'SIGUSR1')
  const [{ webSocketDebuggerUrl }] = await within('no inspector of process ' + pid, 5000, async () => (await fetch('http://127.0.0.1:9229/json/list')).json())
  const socket = new WebSocket(webSocketDebuggerUrl)
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = () => reject(new Error('the inspector of process ' + pid + ' let nobody in')) })
  await told(socket, '(' + move + ')(' + offset_ms + ')')
  // Its port is the next one's.
  await told(socket, "setImmediate(() => process.getBuiltinModule('inspector').close()); 0")
  await within('the inspector stays', 5000, () => fetch('http://127.0.0.1:9229/json/list').then(() => { throw new Error('open') }, () => undefined))
}
;(async () => { for (const pid of readdirSync('/proc').filter(name => /^\\d+$/.test(name) && isOurs(name))) await one(Number(pid)); process.exit(0) })()
  .catch(error => { console.error(error); process.exit(1) })
`

/** Sets the wall clock by which ringward's programs on a host stamp and judge times, so much before or behind; a program that starts later has the true time. */
export async function moveClock(lab: Lab, host: string, offset_ms: number): Promise<void> {
  await writeFile(join(hostPlaces(lab, host).base, MOVED_FILE), `${offset_ms}`)
  await runInsideOrFail(lab, host, ['node', '--experimental-websocket', '--no-warnings', '-e', MOVER, '--', `${offset_ms}`], LIMIT_MS)
}

/** The true time again, if it was moved. */
export async function healClock(lab: Lab, host: string): Promise<void> {
  const file = join(hostPlaces(lab, host).base, MOVED_FILE)
  if (!existsSync(file)) return
  await moveClock(lab, host, 0)
  await rm(file, { force: true })
}
