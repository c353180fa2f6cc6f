import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { RingwardError, reasonOf } from '../src/errors.ts'

/** What guard and agent are told about themselves. */
export interface OwnRole {
  /** The server's name, which is the host's and the function's. */
  readonly name: string
  readonly profile: string
}

/** Used when the group names none (contracts: the profiles of protocol 3). */
const DEFAULT_PROFILE = 'default'
const PROFILE = /^[a-z][a-z-]{0,31}$/

/**
 * Who this host is, in the verified configuration under `data`: `name` of host.toml, or the server whose `host` is the OS host name.
 * @throws RingwardError CONFIGURATION_INVALID when no server or more than one fits.
 */
export async function ownRole(data: string, name: string | undefined, host_name: string): Promise<OwnRole> {
  const group = await readToml(join(data, 'group.toml'))
  const ring = Array.isArray(group['servers']) ? group['servers'] : []
  const servers = new Map([...await serverHosts(join(data, 'servers'))].filter(([server]) => ring.includes(server)))
  const profile = group['profile'] ?? DEFAULT_PROFILE
  if (typeof profile !== 'string' || !PROFILE.test(profile)) throw invalid(`group.toml: profile = ${JSON.stringify(profile)} is not a profile's name; use careful, default or fast`)
  return { name: name === undefined ? byHostName(servers, host_name) : byName(servers, name), profile }
}

function byName(servers: ReadonlyMap<string, string>, name: string): string {
  if (servers.has(name)) return name
  throw invalid(`host.toml names this host ${JSON.stringify(name)}, but the ring has no such server; add servers/${name}.toml and its name in group.toml and publish, or correct name`)
}

function byHostName(servers: ReadonlyMap<string, string>, host_name: string): string {
  const short = host_name.split('.', 1)[0] ?? host_name
  const fitting = [...servers].filter(([, host]) => host === host_name || host === short).map(([server]) => server)
  const [only, another] = fitting
  if (only !== undefined && another === undefined) return only
  if (only === undefined) throw invalid(`no server of the ring has host = "${host_name}"; add it to servers/ and group.toml and publish, or set name in host.toml`)
  throw invalid(`the servers ${fitting.join(', ')} all have host = "${host_name}"; set name in host.toml`)
}

/** Server → its `host`; a server without one has its own name as host. */
async function serverHosts(folder: string): Promise<Map<string, string>> {
  const hosts = new Map<string, string>()
  for (const file of (await readdir(folder)).sort()) {
    if (!file.endsWith('.toml')) continue
    const server = file.slice(0, -'.toml'.length)
    const { host } = await readToml(join(folder, file))
    hosts.set(server, typeof host === 'string' ? host : server)
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
