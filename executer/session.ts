import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { versionNumber } from '../src/configuration/manifest.ts'
import type { Log } from './log.ts'
import { leftovers, processStart, signalGroup, signalProcess, type Leftover } from './process-group.ts'

/** `/run/ringward/executer.json`: for the next Executer, if this one is killed, and for people. Gone at reboot. */
export interface Session {
  readonly schema: 'ringward.executer/1'
  /** `off`: no flag. `waiting`: the flag is there, but nothing may be started (`reason`). */
  readonly state: 'off' | 'waiting' | 'running'
  /** Of the program. */
  readonly version?: string
  /** Of the data, when another publication was taken up meanwhile. */
  readonly data?: string
  readonly reason?: string
  readonly children: readonly SessionChild[]
}

/** What a killed Executer was running: a program, and data that may be newer. */
export interface Resumed {
  readonly version: string
  readonly data: string
}

export interface SessionChild {
  readonly name: string
  readonly pid: number
  /** Why it ended the last times, newest last. */
  readonly last_ends: readonly string[]
}

/** SIGKILL takes effect within milliseconds, unless the process hangs in the kernel. */
const GONE_LIMIT_MS = 1_000
const GONE_POLL_MS = 10

export async function writeSession(file: string, session: Session): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, `${JSON.stringify(session)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

export async function removeSession(file: string): Promise<void> {
  await rm(file, { force: true })
}

/**
 * What a killed Executer left behind: its guard and agent are killed, for two guards must never run, and their output goes nowhere.
 * Returns the versions that were running, to be gone on with at once.
 */
export async function takeOver(file: string, program_folder: string, log: Log): Promise<Resumed | undefined> {
  for (const left of await leftovers(program_folder)) {
    log.warn(`${left.name} of an earlier Executer is still there as process ${left.pid}; it is killed`)
    if (left.name === 'agent') signalGroup(left.pid, 'SIGKILL')
    else signalProcess(left.pid, 'SIGKILL')
    await gone(left)
  }
  const session = await readSession(file)
  return session?.state === 'running' && session.version !== undefined ? { version: session.version, data: session.data ?? session.version } : undefined
}

async function gone(left: Leftover): Promise<void> {
  for (let waited_ms = 0; waited_ms < GONE_LIMIT_MS; waited_ms += GONE_POLL_MS) {
    if (await processStart(left.pid) !== left.pid_start) return
    await sleep(GONE_POLL_MS)
  }
}

async function readSession(file: string): Promise<Session | undefined> {
  try {
    const session = JSON.parse(await readFile(file, 'utf8')) as Session
    if (session.schema !== 'ringward.executer/1') return undefined
    const { version, data, ...rest } = session
    const good = (name: string | undefined): name is string => name !== undefined && versionNumber(name) !== undefined
    return { ...rest, ...good(version) ? { version } : {}, ...good(data) ? { data } : {} }
  } catch {
    return undefined
  }
}
