import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { versionNumber } from '../src/configuration/manifest.ts'
import type { Log } from './log.ts'
import { processStart, signalGroup } from './process-group.ts'

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
  readonly pid_start: string
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
 * What a killed Executer left behind. Its children are killed, with their families: their output goes nowhere, and two guards must never run
 * (systemd does the same before it starts a new Executer; this holds without it).
 * Returns the version that was running, to be gone on with at once.
 */
export async function takeOver(file: string, log: Log): Promise<string | undefined> {
  const session = await readSession(file)
  if (!session) return undefined
  for (const child of session.children) {
    if (await processStart(child.pid) !== child.pid_start) continue
    log.warn(`${child.name} of an earlier Executer is still there as process ${child.pid}; it is killed`)
    signalGroup(child.pid, 'SIGKILL')
    await gone(child)
  }
  return session.state === 'running' ? session.version : undefined
}

async function gone(child: SessionChild): Promise<void> {
  for (let waited_ms = 0; waited_ms < GONE_LIMIT_MS; waited_ms += GONE_POLL_MS) {
    if (await processStart(child.pid) !== child.pid_start) return
    await sleep(GONE_POLL_MS)
  }
}

async function readSession(file: string): Promise<Session | undefined> {
  try {
    const session = JSON.parse(await readFile(file, 'utf8')) as Session
    if (session.schema !== 'ringward.executer/1') return undefined
    const children = session.children.filter(child => Number.isSafeInteger(child.pid) && child.pid > 1 && typeof child.pid_start === 'string')
    const { version, ...rest } = session
    return { ...rest, children, ...(version !== undefined && versionNumber(version) !== undefined ? { version } : {}) }
  } catch {
    return undefined
  }
}
