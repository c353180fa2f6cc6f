import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeWhole } from './lab.ts'

/** A process the lab started: the start time tells it from a later one with the same number. */
export interface ProcessRecord {
  readonly role: string
  readonly pid: number
  readonly start: string
}

/** Start time of a process in clock ticks since boot (proc(5), field 22), or undefined when it is gone or a zombie. */
export function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything; fields are counted after it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

export function isAlive(record: ProcessRecord): boolean {
  return startOf(record.pid) === record.start
}

/** Signals a recorded process; false when it is gone already. Never a stranger: the start time is compared first. */
export function signal(record: ProcessRecord, name: NodeJS.Signals): boolean {
  if (!isAlive(record)) return false
  try {
    process.kill(record.pid, name)
    return true
  } catch {
    return false
  }
}

/** Ends a recorded process and waits until it is gone, at most `limit_ms`; says whether it went. */
export async function end(record: ProcessRecord, limit_ms = 5_000): Promise<boolean> {
  signal(record, 'SIGKILL')
  for (let waited_ms = 0; isAlive(record) && waited_ms < limit_ms; waited_ms += 20) await sleep(20)
  return !isAlive(record)
}

function recordFolder(directory: string): string {
  return join(directory, 'processes')
}

export async function recordProcess(directory: string, role: string, pid: number): Promise<ProcessRecord> {
  const start = startOf(pid)
  if (start === undefined) throw new Error(`${role} ended at once`)
  const record = { role, pid, start }
  await mkdir(recordFolder(directory), { recursive: true, mode: 0o700 })
  await writeWhole(join(recordFolder(directory), `${role}.json`), JSON.stringify(record))
  return record
}

export async function forgetProcess(directory: string, role: string): Promise<void> {
  await rm(join(recordFolder(directory), `${role}.json`), { force: true })
}

export async function recordedProcess(directory: string, role: string): Promise<ProcessRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(recordFolder(directory), `${role}.json`), 'utf8')) as ProcessRecord
  } catch {
    return undefined
  }
}

export async function recordedProcesses(directory: string): Promise<ProcessRecord[]> {
  const names = await readdir(recordFolder(directory)).catch(() => [] as string[])
  const records = await Promise.all(names.filter(name => name.endsWith('.json')).map(name => recordedProcess(directory, name.slice(0, -5))))
  return records.filter(record => record !== undefined)
}

/** Starts a program that outlives this one, its words going to a file, and records it under its role. */
export async function startRecorded(directory: string, role: string, program: string, args: readonly string[], log: string): Promise<ProcessRecord> {
  const words = openSync(log, 'a', 0o600)
  try {
    const child = spawn(program, [...args], { detached: true, stdio: ['ignore', words, words], cwd: '/' })
    const failed = new Promise<never>((_, reject) => child.once('error', reject))
    failed.catch(() => undefined)
    if (child.pid === undefined) await failed
    child.unref()
    return await recordProcess(directory, role, child.pid as number)
  } finally {
    closeSync(words)
  }
}

/** All process numbers of the machine, now. */
export function allPids(): number[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number)
}

/** The arguments of a process, empty when it is gone or a kernel thread. */
export function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch {
    return []
  }
}
