import { spawn, type StdioOptions } from 'node:child_process'
import { cgroupsOf, entrances, leaderOf } from './cgroups.ts'
import { hostOf, LabError, type Lab } from './lab.ts'

const INSIDE = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8']
/** Most output kept of a command in a host. */
const OUTPUT_LIMIT_BYTES = 8 * 1024 * 1024

/**
 * The command line that runs a program in a host: in its groups (a power cut kills it too) and in all its namespaces.
 * Throws when the host is off or its system has not started yet.
 */
export function insideCommand(lab: Lab, name: string, command: readonly string[]): [program: string, args: string[]] {
  const host = hostOf(lab, name)
  const cgroups = cgroupsOf(lab.id, host.name)
  const leader = leaderOf(cgroups)
  if (leader === undefined) throw new LabError(`${name} is off; "scripts/lab fault power-on ${name}" starts it`, 3)
  const script = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 126; shift; done; shift; exec "$@"'
  return ['/bin/sh', ['-c', script, 'lab', ...entrances(cgroups, 'visitor'), '--',
    'nsenter', '--target', String(leader), '--mount', '--uts', '--ipc', '--pid', '--net', '--cgroup', '--', 'env', '-i', ...INSIDE, ...command]]
}

/** Runs a command in a host with this program's own input and output; gives its exit status (128 + n for signal n's death). */
export function execInside(lab: Lab, host: string, command: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawnInside(lab, host, command, 'inherit')
    child.once('error', reject)
    child.once('exit', (status, signal) => resolve(status ?? (signal === 'SIGKILL' ? 137 : 143)))
  })
}

function spawnInside(lab: Lab, host: string, command: readonly string[], stdio: StdioOptions) {
  const [program, args] = insideCommand(lab, host, command)
  return spawn(program, args, { stdio })
}

export interface InsideResult { readonly status: number; readonly stdout: string; readonly stderr: string }

/** Runs a command in a host and collects its words; killed after `limit_ms`. */
export function runInside(lab: Lab, host: string, command: readonly string[], limit_ms = 30_000): Promise<InsideResult> {
  return new Promise((resolve, reject) => {
    const child = spawnInside(lab, host, command, ['ignore', 'pipe', 'pipe'])
    let stdout = ''
    let stderr = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), limit_ms)
    child.stdout?.on('data', (chunk: Buffer) => { if (stdout.length < OUTPUT_LIMIT_BYTES) stdout += chunk.toString() })
    child.stderr?.on('data', (chunk: Buffer) => { if (stderr.length < OUTPUT_LIMIT_BYTES) stderr += chunk.toString() })
    child.once('error', reject)
    child.once('close', (status, signal) => {
      clearTimeout(timer)
      resolve({ status: status ?? (signal === 'SIGKILL' ? 137 : 143), stdout, stderr })
    })
  })
}

/** Like `runInside`; a failure is a LabError with the command's own words. */
export async function runInsideOrFail(lab: Lab, host: string, command: readonly string[], limit_ms?: number): Promise<string> {
  const result = await runInside(lab, host, command, limit_ms)
  if (result.status !== 0) throw failed(host, command, result)
  return result.stdout
}

/** In the command's own words. */
export function failed(host: string, command: readonly string[], { status, stdout, stderr }: InsideResult): LabError {
  return new LabError(`${host}: ${command.join(' ')} ended with ${status}: ${(stderr || stdout).trim().slice(0, 600)}`)
}
