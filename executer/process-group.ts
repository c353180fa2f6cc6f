import { readFile } from 'node:fs/promises'

/** Signals a whole family (the child leads a process group of its own). False when nothing of it is left. */
export function signalGroup(leader_pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-leader_pid, signal)
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
