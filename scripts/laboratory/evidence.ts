import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClaimRecord, ReleaseRecord } from '../../src/core/records.ts'
import { cgroupsOf, leaderOf, membersOf } from './cgroups.ts'
import { shareBacking, type Lab } from './lab.ts'
import { programOf } from './programs.ts'
import { argumentsOf } from './processes.ts'
import { addressesOf } from './status.ts'
import { PROBE_NAME } from '../../src/edges/hypervisor/accelerator.ts'
import { nameOf } from '../../src/edges/hypervisor/libvirt-domain.ts'

/** The cable's end in a host, as nspawn names it. */
const CARD = 'host0'

/** A QEMU process of a host. */
export interface MachineSeen { readonly host: string; readonly name: string; readonly pid: number; readonly mac: string }

export interface HostSeen {
  readonly name: string
  readonly on: boolean
  readonly leader: number | null
  /** MAC address of its card below the bridge: while a host dies it answers for a moment itself. Null when the host is off. */
  readonly card: string | null
  readonly addresses: readonly string[]
  readonly machines: readonly MachineSeen[]
  /** Processes by ringward program. */
  readonly programs: Readonly<Record<string, number>>
}

export interface ClaimSeen { readonly claim: ClaimRecord; readonly release: ReleaseRecord | null; readonly count: number; readonly gap: boolean }

/** What one host shows to somebody outside: addresses, virtual servers, ringward's processes. */
export function lookAtHost(lab: Lab, name: string): HostSeen {
  const cgroups = cgroupsOf(lab.id, name)
  const leader = leaderOf(cgroups)
  const programs: Record<string, number> = {}
  const running = new Map<number, string>()
  const machines: MachineSeen[] = []
  for (const pid of membersOf(cgroups)) {
    const args = argumentsOf(pid)
    if (isMachine(args)) {
      const machine = machineName(args)
      if (machine !== undefined) machines.push({ host: name, name: machine, pid, mac: machineMac(args) ?? '' })
    }
    const program = programOf(args)
    if (program) running.set(pid, program)
  }
  for (const [pid, program] of running) {
    // A child between fork and exec still shows its parent's command line.
    if (running.get(parentOf(pid)) !== program) programs[program] = (programs[program] ?? 0) + 1
  }
  return { name, on: leader !== undefined, leader: leader ?? null, card: leader === undefined ? null : textOf(`/proc/${leader}/root/sys/class/net/${CARD}/address`)?.trim() ?? null, addresses: leader === undefined ? [] : addressesOf(leader), machines, programs }
}

/** Whether a command line is QEMU's, of a virtual server or of a look at what QEMU can do. */
export function isMachine(args: readonly string[]): boolean {
  return /(^|\/)qemu-system-/.test(args[0] ?? '')
}

/** Parent's process number; 0 when the process is gone. */
function parentOf(pid: number): number {
  const stat = textOf(`/proc/${pid}/stat`) ?? ''
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0)
}

/** A virtual server's name by QEMU's command line, ringward's own or libvirt's; none for what only asks QEMU what it can do. */
export function machineName(args: readonly string[]): string | undefined {
  const name = args.includes('-name') ? args[args.indexOf('-name') + 1]?.split(',')[0]?.replace(/^guest=/, '') : undefined
  return name === undefined || name === PROBE_NAME ? undefined : nameOf(name) ?? name
}

/** MAC address of a QEMU machine by its command line. */
export function machineMac(args: readonly string[]): string | undefined {
  return args.map(argument => /(?:^|,)(?:mac=|"mac":")([0-9a-f:]{17})/.exec(argument)?.[1]).find(mac => mac !== undefined)
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).filter(name => /^[1-9]\d*$/.test(name)).map(Number).sort((a, b) => a - b)
  } catch {
    return []
  }
}

/** The newest claim of a function, read behind the shared area's back: no fault of the lab hides it. */
export function newestClaim(lab: Lab, name: string): ClaimSeen | undefined {
  const folder = join(shareBacking(lab), 'claims', name)
  const epochs = numbersIn(folder)
  const newest = epochs.at(-1)
  if (newest === undefined) return undefined
  const text = textOf(join(folder, String(newest)))
  if (text === undefined) return undefined
  const release = textOf(join(shareBacking(lab), 'releases', name, String(newest)))
  return {
    claim: JSON.parse(text) as ClaimRecord, release: release === undefined ? null : JSON.parse(release) as ReleaseRecord,
    count: epochs.length, gap: epochs.some((epoch, index) => epoch !== index + 1),
  }
}

/** The claims of a function under later epochs, in order. */
export function claimsSince(lab: Lab, name: string, epoch: number): ClaimRecord[] {
  const folder = join(shareBacking(lab), 'claims', name)
  return numbersIn(folder).filter(each => each > epoch).flatMap(each => {
    const text = textOf(join(folder, String(each)))
    return text === undefined ? [] : [JSON.parse(text) as ClaimRecord]
  })
}

/** Temporary files in claims and leases that nobody will ever link or rename any more. */
export function leftOvers(lab: Lab): string[] {
  const found: string[] = []
  for (const folder of ['claims', 'releases']) {
    for (const name of lab.hosts.map(host => host.name)) {
      try {
        found.push(...readdirSync(join(shareBacking(lab), folder, name)).filter(file => !/^[1-9]\d*$/.test(file)).map(file => `${folder}/${name}/${file}`))
      } catch {
        // Never claimed.
      }
    }
  }
  return found
}

/** A host's name, `ftp-v on mail` for a virtual server, or the bare MAC of a stranger. */
export function nameOfMac(lab: Lab, hosts: readonly HostSeen[], mac: string): string {
  const host = lab.hosts.find(each => each.mac === mac) ?? hosts.find(each => each.card === mac)
  if (host) return host.name
  const machine = hosts.flatMap(each => each.machines).find(each => each.mac === mac)
  return machine ? `${machine.name} on ${machine.host}` : mac
}
