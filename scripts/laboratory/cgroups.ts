import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Every host has cgroups of its own, so that power-off reaches each of its processes and freezing stops all of it.
 * Version 1 hierarchies are used where the machine has them mounted, else the unified one.
 */
const ROOT = '/sys/fs/cgroup'
const VERSION_1 = ['cpu', 'cpuacct', 'pids', 'freezer', 'systemd', 'unified']
/** Processes sit in leaves, for version 2 allows none in a group that has controllers below: the system in one, visitors from outside in another. */
const SYSTEM_LEAF = 'machine'
const VISITORS_LEAF = 'visitors'

export interface HostCgroups {
  /** The host's group in each hierarchy. */
  readonly groups: readonly string[]
  /** The group whose members are all processes of the host. */
  readonly members: string
  readonly freezer: string
  readonly version: 1 | 2
}

function hierarchies(): { version: 1 | 2; roots: string[] } {
  if (existsSync(join(ROOT, 'cgroup.controllers'))) return { version: 2, roots: [ROOT] }
  const roots = VERSION_1.map(name => join(ROOT, name)).filter(root => existsSync(join(root, 'cgroup.procs')))
  if (!roots.some(root => root.endsWith('/pids')) || !roots.some(root => root.endsWith('/freezer'))) {
    throw new Error(`the cgroup hierarchies pids and freezer are not mounted in ${ROOT}; mount them (or the unified hierarchy) and try again`)
  }
  return { version: 1, roots }
}

export function labGroup(id: string): string {
  return `ringward-lab-${id}`
}

export function cgroupsOf(id: string, host: string): HostCgroups {
  const { version, roots } = hierarchies()
  const groups = roots.map(root => join(root, labGroup(id), host))
  const [first] = groups
  if (first === undefined) throw new Error(`no cgroup hierarchy is mounted in ${ROOT}`)
  const named = (name: string) => groups.find(group => group.startsWith(join(ROOT, name, '/'))) ?? first
  return { groups, version, members: named('pids'), freezer: named('freezer') }
}

export async function makeCgroups(cgroups: HostCgroups): Promise<void> {
  for (const group of cgroups.groups) for (const leaf of [SYSTEM_LEAF, VISITORS_LEAF]) await mkdir(join(group, leaf), { recursive: true })
}

/** Files into which a process writes its number to become part of the host: as its system, or as a visitor to it. */
export function entrances(cgroups: HostCgroups, as: 'system' | 'visitor'): string[] {
  return cgroups.groups.map(group => join(group, as === 'system' ? SYSTEM_LEAF : VISITORS_LEAF, 'cgroup.procs'))
}

function* groupsBelow(group: string): Generator<string> {
  let names: string[] = []
  try {
    names = readdirSync(group, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => entry.name)
  } catch {
    return
  }
  for (const name of names) yield* groupsBelow(join(group, name))
  yield group
}

/** All processes of the host, now; empty when it is off. */
export function membersOf(cgroups: HostCgroups): number[] {
  const pids: number[] = []
  for (const group of groupsBelow(cgroups.members)) {
    try {
      pids.push(...readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number))
    } catch {
      // The group went between listing and reading.
    }
  }
  return pids
}

/** Process 1 of the host as seen from outside: the only member with number 1 in its own namespace. */
export function leaderOf(cgroups: HostCgroups): number | undefined {
  return membersOf(cgroups).find(pid => {
    try {
      return /^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    } catch {
      return false
    }
  })
}

export function setFrozen(cgroups: HostCgroups, frozen: boolean): void {
  if (cgroups.version === 1) writeFileSync(join(cgroups.freezer, 'freezer.state'), frozen ? 'FROZEN' : 'THAWED')
  else writeFileSync(join(cgroups.freezer, 'cgroup.freeze'), frozen ? '1' : '0')
}

/**
 * The power cut: SIGKILL to every process of the host until none is left. Says how many would not go within `limit_ms`:
 * a process waiting for a hung file system cannot die before that wait ends.
 */
export async function killMembers(cgroups: HostCgroups, limit_ms: number): Promise<number> {
  const began = process.hrtime.bigint()
  const passed_ms = () => Number((process.hrtime.bigint() - began) / 1_000_000n)
  for (;;) {
    const pids = membersOf(cgroups)
    if (pids.length === 0) return 0
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone meanwhile.
      }
    }
    // A frozen process dies only after it is thawed; thawed first, the host would live for a moment.
    try {
      setFrozen(cgroups, false)
    } catch {
      // The group is gone with its last member.
    }
    if (passed_ms() > limit_ms) return membersOf(cgroups).length
    await sleep(5)
  }
}

/** Removes the host's groups; processes must be gone. */
export async function removeCgroups(group: string): Promise<void> {
  for (const below of groupsBelow(group)) await rmdir(below).catch(() => undefined)
}

/** The lab's own group in each hierarchy of this machine. */
export function labCgroups(id: string): string[] {
  return hierarchies().roots.map(root => join(root, labGroup(id)))
}
