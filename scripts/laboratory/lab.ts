import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { planHosts, type HostName, type HostPlan } from './hosts.ts'

/** Where a lab lives unless told otherwise. */
export const DEFAULT_DIRECTORY = '/var/lib/ringward-lab'
/** Root images outlive labs: building one takes half a minute and a download. */
export const CACHE_DIRECTORY = '/var/cache/ringward-lab'

export interface LabSettings {
  readonly schema: 'ringward.lab-settings/1'
  /** Every host the lab has, in the order it was made; the first ones in the order of the ring. */
  readonly hosts: readonly HostName[]
  /** Those that were taken out of the ring. */
  readonly outside?: readonly HostName[]
  readonly interval: string
  readonly standby: 'warm' | 'saved' | 'cold'
  /** Time between power coming on and the system starting, as a real machine's self test. */
  readonly post_delay_ms: number
  readonly ringward: boolean
  /** Every host's record has a power command; without it the lease is what proves a power cut. */
  readonly power?: boolean
  /** Hosts on which nothing of ringward is installed: sshd and their service, watched by the others. */
  readonly agentless?: readonly HostName[]
  /** The root image the hosts stand on. */
  readonly image: string
  /** Folder of the project whose programs are installed. */
  readonly project: string
}

/** A lab that is up, half up, or about to be. Everything it owns is named after `id` or lies under `directory`. */
export interface Lab {
  readonly directory: string
  /** Short hash of the directory: two labs on one machine do not meet. */
  readonly id: string
  readonly switch_namespace: string
  readonly client_namespace: string
  readonly settings: LabSettings
  /** Those of the ring. */
  readonly hosts: readonly HostPlan[]
  /** Also those outside of it. */
  readonly machines: readonly HostPlan[]
}

export class LabError extends Error {
  override readonly name = 'LabError'
  /** Exit status of the lab program: 2 usage, 3 no lab, 1 anything else. */
  readonly status: number
  constructor(message: string, status = 1) {
    super(message)
    this.status = status
  }
}

const SETTINGS_FILE = 'lab.json'

export function labId(directory: string): string {
  return createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 6)
}

export function namespacesOf(id: string): { switch_namespace: string; client_namespace: string } {
  return { switch_namespace: `ringward-${id}-switch`, client_namespace: `ringward-${id}-client` }
}

export function makeLab(directory: string, settings: LabSettings): Lab {
  const id = labId(directory)
  const machines = planHosts(settings.hosts)
  return { directory: resolve(directory), id, ...namespacesOf(id), settings, machines, hosts: machines.filter(host => settings.outside?.includes(host.name) !== true) }
}

export function labExists(directory: string): boolean {
  return existsSync(join(directory, SETTINGS_FILE))
}

/** The lab of a directory. Throws LabError 3 when none is up there. */
export async function openLab(directory: string): Promise<Lab> {
  let text: string
  try {
    text = await readFile(join(directory, SETTINGS_FILE), 'utf8')
  } catch {
    throw new LabError(`no lab is up in ${directory}; start one with "scripts/lab up"`, 3)
  }
  return makeLab(directory, JSON.parse(text) as LabSettings)
}

export async function saveSettings(lab: Lab): Promise<void> {
  await mkdir(lab.directory, { recursive: true, mode: 0o700 })
  await writeWhole(join(lab.directory, SETTINGS_FILE), `${JSON.stringify(lab.settings, undefined, 2)}\n`)
}

export function hostOf(lab: Lab, name: string): HostPlan {
  const host = lab.machines.find(candidate => candidate.name === name)
  if (!host) throw new LabError(`the lab has no host "${name}"; its hosts are ${lab.hosts.map(each => each.name).join(', ')}`, 2)
  return host
}

/** The folders of one host, all under the lab's directory. */
export function hostPlaces(lab: Lab, host: HostName) {
  const base = join(lab.directory, 'hosts', host)
  return {
    base,
    root: join(base, 'root'), upper: join(base, 'upper'), work: join(base, 'work'),
    /** Shared with the host as /srv; the file system of the shared area is mounted in it, so that a new mount reaches a running host. */
    outlet: join(base, 'srv'), share: join(base, 'srv', 'ringward'),
    state: join(base, 'power.json'), console: join(base, 'console.log'), share_log: join(base, 'share.log'),
  }
}

/** What stands behind every host's shared area. */
export function shareBacking(lab: Pick<Lab, 'directory'>): string {
  return join(lab.directory, 'share')
}

/** Writes a file so that a reader sees the old or the new one, never half. */
export async function writeWhole(path: string, text: string, mode = 0o600): Promise<void> {
  const fresh = `${path}.${process.pid}.new`
  await writeFile(fresh, text, { mode })
  await rename(fresh, path)
}
