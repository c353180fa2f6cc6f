import type { Clock } from '../edges/clock.ts'
import { start } from '../edges/command.ts'
import { LineReader, parseJson } from '../edges/lines.ts'
import type { AddressControl, HostAddress } from './address-control.ts'
import { killProcess, processStart, type ProcessMark } from './processes.ts'

/** What must be gone at `until_ms` (boot clock) unless the guard says otherwise before. */
export type Watched = ({ readonly address: HostAddress } | { readonly process: ProcessMark }) & { readonly until_ms: number }

/** 64 charges of 200 characters. */
const LINE_LIMIT_CHARACTERS = 65_536
/** What a watchdog may leave unread. */
const QUEUE_LIMIT_BYTES = 65_536
/** A removal that failed is tried again after this. */
const AGAIN_MS = 100
/** A watchdog that died is replaced after this. */
const RESTART_MS = 200

/**
 * A tiny process that outlives a killed or stopped guard: it removes each address and kills each process at its time.
 * Every line on stdin replaces the whole list. When stdin ends it goes on until the last time has passed. After it stood still itself its times are
 * long over, and newer ones lie in the pipe: it acts only when everything has been read that was there.
 */
export function runWatchdog(control: AddressControl, clock: Clock): void {
  let list: Watched[] = []
  let timer: NodeJS.Timeout | undefined
  let orders = 0
  let orphan = false
  let reading = false
  const look = (): void => {
    clearTimeout(timer)
    const now_ms = clock.boot_ms()
    const due = list.filter(({ until_ms }) => until_ms <= now_ms)
    list = list.filter(({ until_ms }) => until_ms > now_ms)
    const order = orders
    const again = (item: Watched): void => {
      // A newer list says by itself what is to go.
      if (order !== orders) return
      list.push({ ...item, until_ms: clock.boot_ms() + AGAIN_MS })
      look()
    }
    for (const item of due) {
      if ('process' in item) killProcess(item.process)
      else void control.remove(item.address).catch(() => { again(item) })
    }
    if (list.length > 0) timer = setTimeout(lookWhenRead, Math.max(1, Math.min(...list.map(({ until_ms }) => until_ms)) - now_ms))
  }
  // A poll phase lies between: what waits in the pipe is read in it (protocol 5).
  const lookWhenRead = (): void => {
    if (reading) return
    reading = true
    setImmediate(() => {
      reading = false
      look()
    })
  }
  const end = (): void => { orphan = true; look() }
  const reader = new LineReader(LINE_LIMIT_CHARACTERS, line => {
    list = (parseJson(line) as Watched[] | undefined) ?? list
    orders++
    lookWhenRead()
  }, end)
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => { if (orphan) look() })
  process.stdin.setEncoding('utf8').on('data', (text: string) => { reader.feed(text) }).on('end', end).on('error', end)
}

/** The guard's end of the watchdog process. */
export class Watchdog {
  private readonly command: readonly string[]
  private child: ReturnType<typeof start> | undefined
  private timer: NodeJS.Timeout | undefined
  private line = '[]'
  private ending = false

  constructor(command: readonly string[]) {
    this.command = command
    this.spawn()
  }

  /** The process as the next guard will find it, to be ended when a new watchdog stands in its place. */
  get mark(): ProcessMark | undefined {
    const pid = this.child?.pid
    const pid_start = pid === undefined ? undefined : processStart(pid)
    return pid === undefined || pid_start === undefined ? undefined : { pid, pid_start }
  }

  pet(list: readonly Watched[]): void {
    this.line = JSON.stringify(list)
    const stdin = this.child?.stdin
    // One that does not read (stopped) protects nothing: its successor gets the list.
    if (stdin && stdin.writableLength > QUEUE_LIMIT_BYTES) this.child?.kill('SIGKILL')
    else stdin?.write(this.line + '\n')
  }

  /** Leaves the process to itself: it does what it was told last. */
  abandon(): void {
    this.ending = true
    clearTimeout(this.timer)
    this.child?.stdin?.destroy()
    this.child?.stdout?.destroy()
    this.child?.unref()
  }

  /** Ends it; resolves when it can do nothing any more. */
  async kill(): Promise<void> {
    this.ending = true
    clearTimeout(this.timer)
    const child = this.child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  private spawn(): void {
    const [program, ...args] = this.command
    const child = start(program ?? process.execPath, args, { stdin: 'pipe', stderr: 'ignore' })
    this.child = child
    child.stdin?.on('error', () => undefined)
    child.stdin?.write(this.line + '\n')
    const gone = (): void => {
      if (this.child !== child || this.ending) return
      this.child = undefined
      this.timer = setTimeout(() => { this.spawn() }, RESTART_MS)
    }
    child.once('exit', gone).once('error', gone)
  }
}

