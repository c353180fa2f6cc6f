import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { RingwardError } from '../errors.ts'

/** The one place that spawns: argument arrays, no shell, a deadline, an output limit, `LANG=C`. */
const ENVIRONMENT: NodeJS.ProcessEnv = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C', LC_ALL: 'C' }
/** Larger than any answer ringward reads (`ip -j addr` of 300 addresses is 150 KB). */
const OUTPUT_LIMIT_BYTES = 1024 * 1024

export interface CommandResult {
  /** Exit status; signals are reported as failures. */
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly limit_ms: number
  readonly signal?: AbortSignal
  /** Added to the fixed environment. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Runs a program to its end. Rejects with COMMAND_MISSING, COMMAND_TIMEOUT or ABORTED; a non-zero status is a result. */
export function run(program: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], {
      env: { ...ENVIRONMENT, ...options.environment }, timeout: options.limit_ms, killSignal: 'SIGKILL', maxBuffer: OUTPUT_LIMIT_BYTES, windowsHide: true,
      ...(options.signal ? { signal: options.signal } : {}),
    }, (error, stdout, stderr) => {
      if (!error) return resolve({ status: 0, stdout, stderr })
      if (error.name === 'AbortError') return reject(new RingwardError('ABORTED', `${program} was called off`))
      if (error.code === 'ENOENT') return reject(new RingwardError('COMMAND_MISSING', `${program} is not installed or not in PATH; install it and try again`))
      if (typeof error.code === 'number') return resolve({ status: error.code, stdout, stderr })
      if (error.killed) return reject(new RingwardError('COMMAND_TIMEOUT', `${program} ${args.join(' ')} did not end within ${options.limit_ms} ms`))
      reject(new RingwardError('COMMAND_FAILED', `${program} ${args.join(' ')}: ${error.message}`))
    })
  })
}

/** Like `run`, but a non-zero status rejects with COMMAND_FAILED and the program's own words. */
export async function runOrFail(program: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const result = await run(program, args, options)
  if (result.status !== 0) {
    const words = (result.stderr || result.stdout).trim().slice(0, 400)
    throw new RingwardError('COMMAND_FAILED', `${program} ${args.join(' ')} ended with ${result.status}: ${words}`)
  }
  return result.stdout
}

/** Starts a long-lived child; the caller owns it and must end it. With `group` it leads a process group of its own, which can be signalled as one; a number for `stdout` is an open file it writes to; `account` is user and group it runs as, with no other groups. */
export function start(program: string, args: readonly string[], options: { stdin?: 'pipe' | 'ignore'; stdout?: 'pipe' | number; stderr?: 'pipe' | 'inherit' | 'ignore'; environment?: NodeJS.ProcessEnv; directory?: string; group?: boolean; account?: number } = {}): ChildProcess {
  return spawn(program, [...args], {
    env: { ...ENVIRONMENT, ...options.environment }, cwd: options.directory ?? '/',
    stdio: [options.stdin ?? 'ignore', options.stdout ?? 'pipe', options.stderr ?? 'pipe'],
    detached: options.group ?? false,
    ...options.account === undefined ? {} : { uid: options.account, gid: options.account },
  })
}
