import { readFile, readdir } from 'node:fs/promises'
import { basename } from 'node:path'

/** Signals a whole family (the child leads a process group of its own). False when nothing of it is left. */
export function signalGroup(leader_pid: number, signal: NodeJS.Signals): boolean {
  return signalProcess(-leader_pid, signal)
}

/** False when it is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

/** Start time of a process in clock ticks since boot: with the pid it names a process for good. Undefined when it is gone or only a zombie. */
export async function processStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // Fields are counted after the command name, which may contain spaces and brackets: state is the first, start time the 20th (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

export interface Leftover {
  readonly name: 'guard' | 'agent'
  readonly pid: number
  readonly pid_start: string
}

/**
 * Guards and agents that run from the local copies under `program_folder`, by their command lines. A guard's watchdog is none of them:
 * it stops what the lease no longer covers, and the next guard ends it.
 */
export async function leftovers(program_folder: string): Promise<Leftover[]> {
  const found: Leftover[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const command = (await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')).split('\0')
    const script = command[1] ?? ''
    if (!script.startsWith(`${program_folder}/`) || command.includes('--watchdog')) continue
    const name = ({ 'guard.mjs': 'guard', 'agent.mjs': 'agent' } as const)[basename(script)]
    const pid_start = await processStart(Number(entry))
    if (name !== undefined && pid_start !== undefined) found.push({ name, pid: Number(entry), pid_start })
  }
  return found
}
