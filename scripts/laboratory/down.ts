import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { readdir, rm, rmdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../../src/edges/command.ts'
import { cgroupsOf, killMembers, labCgroups, removeCgroups } from './cgroups.ts'
import { labExists, labId, LabError, namespacesOf } from './lab.ts'
import { removeNamespace } from './network.ts'
import { allPids, end, forgetProcess, recordedProcesses, signal, startOf } from './processes.ts'
import { abortShare } from './share.ts'

const UNDISTURBED_DEATH_MS = 250
const DEATH_LIMIT_MS = 10_000
const UNMOUNT_TRIES = 5
const NSPAWN_RUN = '/run/systemd/nspawn'

/**
 * Ends a lab, whole or half: processes by their recorded numbers, hosts by their groups, then namespaces, mounts, groups
 * and files. Works without settings, after a failed start, and twice. False when there was nothing.
 */
export async function takeDown(given: string): Promise<boolean> {
  const directory = resolve(given)
  const id = labId(directory)
  const groups = labCgroups(id).filter(group => existsSync(group))
  const { switch_namespace, client_namespace } = namespacesOf(id)
  const namespaces = [switch_namespace, client_namespace].filter(name => existsSync(`/run/netns/${name}`))
  const ours = labExists(directory) || existsSync(join(directory, 'hosts'))
  if (!ours && groups.length === 0 && namespaces.length === 0) return false
  await endProcesses(directory, id)
  for (const pid of strangersIn(namespaces)) {
    const start = startOf(pid)
    if (start !== undefined) await end({ role: 'stranger', pid, start })
  }
  for (const name of namespaces) await removeNamespace(name)
  const hosts = await readdir(join(directory, 'hosts')).catch(() => [] as string[])
  for (const host of hosts) await removeNspawnTraces(directory, host)
  await unmountAll(directory)
  for (const group of groups) await removeCgroups(group)
  if (ours) {
    if (mountsBelow(directory).length > 0) throw new LabError(`mounts are left below ${directory}: ${mountsBelow(directory).join(', ')}; nothing was removed there`)
    await rm(directory, { recursive: true, force: true })
  }
  return true
}

async function endProcesses(directory: string, id: string): Promise<void> {
  const records = await recordedProcesses(directory)
  // The power board first: it must not start a host again. Stopped servers of the shared area die of SIGKILL as well.
  for (const record of records.filter(each => each.role === 'power-board')) await end(record)
  const hosts = new Set(await readdir(join(directory, 'hosts')).catch(() => [] as string[]))
  for (const group of labCgroups(id)) {
    for (const entry of await readdir(group, { withFileTypes: true }).catch(() => [])) if (entry.isDirectory()) hosts.add(entry.name)
  }
  const left = await Promise.all([...hosts].map(async host => {
    const cgroups = cgroupsOf(id, host)
    if (await killMembers(cgroups, UNDISTURBED_DEATH_MS) === 0) return 0
    abortShare({ directory }, host)
    return await killMembers(cgroups, DEATH_LIMIT_MS)
  }))
  if (left.some(count => count > 0)) throw new LabError('some processes of the hosts cannot be killed; run "scripts/lab down" again')
  for (const record of records) {
    signal(record, 'SIGCONT')
    if (!await end(record)) throw new LabError(`${record.role} (process ${record.pid}) cannot be killed; run "scripts/lab down" again`)
    await forgetProcess(directory, record.role)
  }
}

/** Processes in the lab's namespaces that nobody recorded, such as a virtual server that was being saved when `up` was called off. */
function strangersIn(namespaces: readonly string[]): number[] {
  const inodes = new Set(namespaces.map(name => statSync(`/run/netns/${name}`).ino))
  return allPids().filter(pid => {
    try {
      return inodes.has(statSync(`/proc/${pid}/ns/net`).ino)
    } catch {
      return false
    }
  })
}

/** systemd-nspawn leaves a lock, named after the root's inode, and a folder named after the machine when it is killed. */
async function removeNspawnTraces(directory: string, host: string): Promise<void> {
  const status = statSync(join(directory, 'hosts', host, 'root'), { throwIfNoEntry: false })
  if (status) await rm(join(NSPAWN_RUN, 'locks', `inode-${status.dev}:${status.ino}`), { force: true })
  await rmdir(join(NSPAWN_RUN, 'propagate', host)).catch(() => undefined)
}

/** Mount points below a folder, the newest first: the order in which they can be taken away. */
function mountsBelow(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
    .map(line => line.split(' ')[4] ?? '').map(path => path.replace(/\\040/g, ' '))
    .filter(path => path.startsWith(`${directory}/`)).reverse()
}

async function unmountAll(directory: string): Promise<void> {
  for (let tries = 0; mountsBelow(directory).length > 0 && tries < UNMOUNT_TRIES; tries += 1) {
    if (tries > 0) await sleep(100)
    for (const path of mountsBelow(directory)) await run('umount', ['-l', path], { limit_ms: 10_000 })
  }
}

/** Frees a machine from a lab's frozen groups so that a debugger or an admin can look; used by `heal`. */
export function thawAll(id: string, hosts: readonly string[]): void {
  for (const host of hosts) {
    const { freezer, version } = cgroupsOf(id, host)
    const file = join(freezer, version === 1 ? 'freezer.state' : 'cgroup.freeze')
    if (existsSync(file)) writeFileSync(file, version === 1 ? 'THAWED' : '0')
  }
}
