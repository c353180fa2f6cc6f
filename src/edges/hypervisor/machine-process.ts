import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { RingwardError } from '../../errors.ts'
import type { MachinePlaces } from './qemu-arguments.ts'

const POLL_MS = 4
/** A process that survives SIGKILL this long waits in the kernel for something that hangs, such as the share. */
const KILL_LIMIT_MS = 5_000
/** In /proc/PID/stat the name in brackets may hold spaces: count the fields behind it; the third is the first there, the start the 22nd. */
const START_INDEX = 19

export interface MachineProcess {
  readonly pid: number
  readonly pid_start: string
}

/**
 * The live process of a machine, whoever started it: its pid file, believed only when that process's command line names
 * the same pid file (a reused pid does not). Absent: no such process.
 */
export function findProcess(places: MachinePlaces): Promise<MachineProcess | undefined> {
  return findProcessBy(places.pid_file, command_line => command_line.includes(places.pid_file))
}

/** The live process a pid file names, if its command line is the one that is looked for. */
export async function findProcessBy(pid_file: string, isIt: (command_line: readonly string[]) => boolean): Promise<MachineProcess | undefined> {
  const pid = Number.parseInt(await textOf(pid_file), 10)
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined
  if (!isIt((await textOf(`/proc/${pid}/cmdline`)).split('\0'))) return undefined
  const fields = (await textOf(`/proc/${pid}/stat`)).split(') ').at(-1)?.split(' ') ?? []
  const pid_start = fields[START_INDEX]
  return pid_start === undefined || fields[0] === 'Z' ? undefined : { pid, pid_start }
}

/** Kills the machine and waits until it is gone. Rejects with HYPERVISOR_FAILED when it does not go. */
export function killProcess(places: MachinePlaces): Promise<void> {
  return killFound(places.directory, () => findProcess(places))
}

/** Like `killProcess`, for a process that is looked for in another way. */
export async function killFound(what: string, find: () => Promise<MachineProcess | undefined>): Promise<void> {
  for (let waited_ms = 0; waited_ms < KILL_LIMIT_MS; waited_ms += POLL_MS) {
    const found = await find()
    if (!found) return
    if (waited_ms === 0) kill(found.pid)
    await sleep(POLL_MS)
  }
  throw new RingwardError('HYPERVISOR_FAILED', `the process of ${what} does not end although it was killed; its host must be restarted before the virtual server may run elsewhere`)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already: what was wanted.
  }
}

/** Empty when the file is not there; only local files and /proc are read here, never the share. */
async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
