import { readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { PROFILES, type Profile } from '../core/profile.ts'
import { SystemClock } from '../edges/clock.ts'
import { ShareClient } from '../edges/share/share-client.ts'
import { reasonOf, RingwardError } from '../errors.ts'
import { IpAddressControl } from './address-control.ts'
import { Guard } from './guard.ts'
import { GuardFiles } from './guard-files.ts'
import { stdoutLog } from './guard-log.ts'
import { GuardServer } from './guard-server.ts'
import { runWatchdog, Watchdog } from './watchdog.ts'

/** Before everything but the kernel's own work; the guard needs little and needs it in time. */
const PRIORITY = -15
/** Never chosen by the out-of-memory killer. */
const OOM_SCORE = '-1000'
/** Silence after which the share helper is given up. */
const STALL_MS = 5_000
/** The reply to `leave` gets this long to be read. */
const FAREWELL_LIMIT_MS = 300

interface GuardSettings {
  readonly host: string
  readonly share: string
  readonly profile: Profile
  readonly share_helper: string
  readonly run_folder: string
  readonly var_folder: string
}

/** `--host NAME --share DIR --profile NAME --share-helper FILE [--run DIR] [--var DIR]`; rejects with USAGE. */
export function parseGuardArguments(args: readonly string[]): GuardSettings {
  const option = { type: 'string' } as const
  const { values } = parseArgs({ args: [...args], options: { host: option, share: option, profile: option, 'share-helper': option, run: option, var: option } })
  const { host, share, 'share-helper': share_helper } = values
  const profile = Object.values(PROFILES).find(({ name }) => name === values.profile)
  if (host === undefined || share === undefined || share_helper === undefined || !profile) {
    throw new RingwardError('USAGE', `the guard needs --host NAME --share DIR --share-helper FILE --profile ${Object.keys(PROFILES).join('|')}`)
  }
  return {
    host, share, profile, share_helper,
    run_folder: values.run ?? process.env.RINGWARD_RUN ?? '/run/ringward', var_folder: values.var ?? process.env.RINGWARD_VAR ?? '/var/lib/ringward',
  }
}

/** The guard's process, or with `--watchdog` that of its watchdog. */
export async function runGuard(args: readonly string[], program: string): Promise<void> {
  raisePriority()
  const clock = new SystemClock()
  if (args.includes('--watchdog')) return runWatchdog(new IpAddressControl(), clock)
  const log = stdoutLog(clock)
  try {
    await serve(parseGuardArguments(args), program, clock, log)
  } catch (error) {
    log('error', `the guard cannot start: ${reasonOf(error)}`)
    process.exitCode = error instanceof RingwardError && error.code === 'USAGE' ? 2 : 1
  }
}

async function serve(settings: GuardSettings, program: string, clock: SystemClock, log: ReturnType<typeof stdoutLog>): Promise<void> {
  const files = new GuardFiles(settings.run_folder, settings.var_folder, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  const server: GuardServer = new GuardServer({
    path: join(settings.run_folder, 'guard.sock'),
    handle: request => guard.handle(request), greeting: () => guard.greeting(), onAgents: present => { guard.agentsPresent(present) },
  })
  await server.listen()
  const share = new ShareClient({
    directory: settings.share, host: settings.host, helper: [process.execPath, settings.share_helper], clock,
    // A slow answer within D_gone may still be worth something.
    stall_ms: Math.max(STALL_MS, settings.profile.gone_ms),
    onState: ({ state, latency_ms }) => { log(state === 'good' ? 'info' : 'warn', `the shared area is ${state}`, { latency_ms }) },
    onProblem: text => { log('warn', text) },
  })
  const end = async (): Promise<void> => {
    setTimeout(() => { process.kill(process.pid, 'SIGKILL') }, 2 * FAREWELL_LIMIT_MS + 500).unref()
    const farewell = new Promise(resolve => setTimeout(resolve, FAREWELL_LIMIT_MS).unref())
    await Promise.race([server.close(), farewell])
    await share.close()
    process.exit(0)
  }
  const guard = new Guard({
    host: settings.host, boot_id: files.boot_id, profile: settings.profile, share, clock, addresses: new IpAddressControl(),
    watchdog: new Watchdog([process.execPath, program, '--watchdog']), files, log,
    broadcast: notice => { server.broadcast(notice) }, onLeft: () => void end(),
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      log('info', `the guard ends by ${signal} without leaving; its state is kept`)
      guard.end()
      void end()
    })
  }
  guard.start()
}

/** Without the right to do so the guard works all the same, with less protection. */
function raisePriority(): void {
  try {
    setPriority(PRIORITY)
    writeFileSync('/proc/self/oom_score_adj', OOM_SCORE)
  } catch {
    // Seen in the process table; a container may forbid it.
  }
}
