import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { ownName, type NamedHost } from '../src/configuration/own-name.ts'
import { RingwardError, reasonOf } from '../src/errors.ts'

/** What guard and agent are told about themselves. */
export interface OwnRole {
  /** The server's name, which is the host's and the function's. */
  readonly name: string
  readonly profile: string
  /** Service units of its function. */
  readonly daemons: readonly string[]
  /** Present where the virtual servers of others are machines of libvirt. */
  readonly hypervisor?: 'libvirt'
}

/** Used when the group names none (protocol 3, timings: the `default` profile). */
const DEFAULT_PROFILE = 'default'
const PROFILE = /^[a-z][a-z-]{0,31}$/

/**
 * Who this host is, in the verified configuration under `data`, by the rule all parts share.
 * @throws RingwardError CONFIGURATION_INVALID when no server or more than one fits.
 */
export async function ownRole(data: string, name: string | undefined, host_name: string): Promise<OwnRole> {
  const group = await readToml(join(data, 'group.toml'))
  const ring = new Set<unknown>(Array.isArray(group['servers']) ? group['servers'] : [])
  const found = await serverHosts(join(data, 'servers'))
  const servers = [...ring].flatMap(name => found.filter(server => server.name === name))
  const profile = group['profile'] ?? DEFAULT_PROFILE
  if (typeof profile !== 'string' || !PROFILE.test(profile)) throw invalid(`group.toml: profile = ${JSON.stringify(profile)} is not a profile's name; use careful, default or fast`)
  const own = ownName(servers, name, host_name)
  const record = await readToml(join(data, 'servers', `${own}.toml`))
  return { name: own, profile, daemons: daemonsOf(record), ...record['hypervisor'] === 'libvirt' ? { hypervisor: 'libvirt' } : {} }
}

/** The record passed the check before; what is not a name is not one of its daemons. */
function daemonsOf({ daemons }: Record<string, unknown>): string[] {
  const names = Array.isArray(daemons) ? daemons.map((daemon: unknown) => (typeof daemon === 'object' && daemon !== null && 'name' in daemon ? daemon.name : undefined)) : []
  return names.filter(name => typeof name === 'string')
}

/** Whether any server of the ring under `data` is this host; which one, and whether it is the only one, `ownRole` says. */
export async function isInRing(data: string, name: string | undefined, host_name: string): Promise<boolean> {
  const group = await readToml(join(data, 'group.toml'))
  const ring = new Set<unknown>(Array.isArray(group['servers']) ? group['servers'] : [])
  const servers = (await serverHosts(join(data, 'servers'))).filter(server => ring.has(server.name))
  const short = host_name.split('.', 1)[0] ?? host_name
  return servers.some(server => name === undefined ? server.host === host_name || server.host === short : server.name === name)
}

/** A server without a `host` has its own name as host. One without an agent is nobody's own: no guard may renew a lease for it. */
async function serverHosts(folder: string): Promise<NamedHost[]> {
  const hosts: NamedHost[] = []
  for (const file of (await readdir(folder)).sort()) {
    if (!file.endsWith('.toml')) continue
    const name = file.slice(0, -'.toml'.length)
    const { host, agent } = await readToml(join(folder, file))
    if (agent === false) continue
    hosts.push({ name, host: typeof host === 'string' ? host : name })
  }
  return hosts
}

async function readToml(file: string): Promise<Record<string, unknown>> {
  try {
    return parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw invalid(`${file} cannot be read: ${reasonOf(error)}`)
  }
}

function invalid(text: string): RingwardError {
  return new RingwardError('CONFIGURATION_INVALID', text)
}
