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
  readonly version?: string
  readonly reason?: string
  readonly children: readonly SessionChild[]
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
 * Returns the version that was running, to be gone on with at once.
 */
export async function takeOver(file: string, program_folder: string, log: Log): Promise<string | undefined> {
  for (const left of await leftovers(program_folder)) {
    log.warn(`${left.name} of an earlier Executer is still there as process ${left.pid}; it is killed`)
    if (left.name === 'agent') signalGroup(left.pid, 'SIGKILL')
    else signalProcess(left.pid, 'SIGKILL')
    await gone(left)
  }
  const session = await readSession(file)
  return session?.state === 'running' ? session.version : undefined
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
    const { version, ...rest } = session
    return { ...rest, ...(version !== undefined && versionNumber(version) !== undefined ? { version } : {}) }
  } catch {
    return undefined
  }
}
