import { open, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { reasonOf, whenAbsent } from '../../errors.ts'
import { removeAddress, type Runner } from './address-removal.ts'
import { parseCommand } from './hand-words.ts'
import type { HandResult } from './remote-hand.ts'

/** A daemon that has not started by then is broken until the host reboots (St2). */
const RESTART_LIMIT_MS = 10_000
const SYSTEMCTL_LIMIT_MS = 2_000
/** `systemctl reboot` only hands the job over; with a broken service manager it waits for the bus until then. */
const REBOOT_LIMIT_MS = 3_000
/** A unit is named by the signed configuration, and still never taken for an option. */
const UNIT = /^[A-Za-z0-9_][A-Za-z0-9:_.@-]{0,199}$/

/** What a hand needs of its host. */
export interface HandHost {
  /** Units of this host's record, in the order of the published configuration. */
  daemons(): Promise<readonly string[]>
  /** VIP of the function when it is this host's own; undefined for any other. */
  ownVip(function_name: string): Promise<string | undefined>
  /** Ends the function in the guard and bars the epoch; rejects when the guard refuses, hangs or does not run. */
  bar(function_name: string, epoch: number): Promise<void>
  readonly run: Runner
  readonly flag_file: string
}

/**
 * The far end of a remote hand (architecture, trust): carries out the one verb in `original` (SSH_ORIGINAL_COMMAND). Never rejects.
 * Without its flag file a host is unmanaged, and nobody may take, restart or reboot what it gives.
 */
export async function obey(original: string | undefined, host: HandHost): Promise<HandResult> {
  const command = parseCommand(original)
  if (!command) return { ok: false, detail: 'refused: not a command of the remote hand' }
  const [first = '', second = ''] = command.args
  try {
    switch (command.verb) {
      case 'ping': return { ok: true, detail: await describe() }
      case 'restart-daemon': return await managed(host, () => restartDaemon(Number(first), host))
      case 'release': return await managed(host, () => release(first, Number(second), host))
      case 'reboot': return await managed(host, () => reboot(host))
      case 'flag-on': return await raiseFlag(host.flag_file)
      case 'flag-off': {
        await rm(host.flag_file, { force: true })
        return { ok: true, detail: 'the flag file is gone' }
      }
    }
  } catch (error) {
    return { ok: false, detail: `${command.verb} failed: ${reasonOf(error)}` }
  }
}

async function managed(host: HandHost, act: () => Promise<HandResult>): Promise<HandResult> {
  const flag = await stat(host.flag_file).catch(whenAbsent(undefined))
  return flag ? act() : { ok: false, detail: 'refused: this host has no flag file and is not managed' }
}

async function describe(): Promise<string> {
  const [boot_id, uptime] = await Promise.all([readFile('/proc/sys/kernel/random/boot_id', 'utf8'), readFile('/proc/uptime', 'utf8')])
  return `host=${hostname()} boot_id=${boot_id.trim()} uptime_s=${uptime.split(' ')[0] ?? ''}`
}

async function restartDaemon(number: number, host: HandHost): Promise<HandResult> {
  const unit = (await host.daemons())[number]
  if (unit === undefined || !UNIT.test(unit)) return { ok: false, detail: `the configuration of this host has no daemon number ${number}` }
  // A unit that failed too often refuses every start until its counter is cleared.
  await host.run('systemctl', ['reset-failed', '--', unit], SYSTEMCTL_LIMIT_MS)
  const restart = await host.run('systemctl', ['restart', '--', unit], RESTART_LIMIT_MS)
  if (restart.status !== 0) return { ok: false, detail: `${unit} did not start: ${restart.stderr || restart.stdout}` }
  const active = await host.run('systemctl', ['is-active', '--', unit], SYSTEMCTL_LIMIT_MS)
  return { ok: active.status === 0, detail: `${unit} is ${active.stdout.trim() || 'unknown'} after a restart` }
}

/** Takes the VIP off this host (thesis 5.3.1); the service itself runs on. */
async function release(function_name: string, epoch: number, host: HandHost): Promise<HandResult> {
  const vip = await host.ownVip(function_name)
  // Another server's function is given by a virtual server, whose VIP is inside the guest: nothing on this host could confirm its end.
  if (vip === undefined) return { ok: false, detail: `refused: ${function_name} is not this host's own function` }
  await host.bar(function_name, epoch)
  const removed = await removeAddress(vip, host.run)
  return { ok: true, detail: `${vip} is not on this host (epoch ${epoch} is barred, ${removed} removed by hand)` }
}

async function reboot(host: HandHost): Promise<HandResult> {
  const gentle = await attempt(host, ['reboot'])
  if (gentle === undefined) return { ok: true, detail: 'reboots' }
  const forced = await attempt(host, ['reboot', '--force'])
  if (forced === undefined) return { ok: true, detail: `reboots by force (${gentle})` }
  return { ok: false, detail: `does not reboot: ${gentle}; by force: ${forced}` }
}

async function attempt(host: HandHost, args: readonly string[]): Promise<string | undefined> {
  try {
    const { status, stderr } = await host.run('systemctl', args, REBOOT_LIMIT_MS)
    return status === 0 ? undefined : stderr.trim() || `status ${status}`
  } catch (error) {
    return reasonOf(error)
  }
}

/** On the disk before it is told, name included: a flag that a power cut takes back would leave the host out of the ring. */
async function raiseFlag(file: string): Promise<HandResult> {
  for (const [path, mode] of [[file, 'a'], [dirname(file), 'r']] as const) {
    const handle = await open(path, mode, 0o644)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
  return { ok: true, detail: 'the flag file is there' }
}
