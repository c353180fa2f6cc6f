import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** A killed process that has not ended by then hangs in the kernel. */
const END_LIMIT_MS = 2_000
const LOOK_MS = 20

export interface ProcessMark {
  readonly pid: number
  /** Field 22 of /proc/PID/stat: a reused pid has another. */
  readonly pid_start: string
}

/** The start mark of a process, or undefined when there is none (a zombie has ended). */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The program's name may hold spaces and brackets; fields are counted after the last one (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

export function isAlive({ pid, pid_start }: ProcessMark): boolean {
  return processStart(pid) === pid_start
}

/** Kills exactly that process; one that has ended, or a stranger with its pid, is left alone. */
export function killProcess(mark: ProcessMark): void {
  if (!isAlive(mark)) return
  try {
    process.kill(mark.pid, 'SIGKILL')
  } catch {
    // It ended between the look and the signal.
  }
}

/** Kills the process and waits for its end; false when it does not end. */
export async function endProcess(mark: ProcessMark): Promise<boolean> {
  killProcess(mark)
  for (let waited_ms = 0; isAlive(mark); waited_ms += LOOK_MS) {
    if (waited_ms >= END_LIMIT_MS) return false
    await pause(LOOK_MS)
  }
  return true
}
