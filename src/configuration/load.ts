import type { Inventory, Server } from '../core/inventory.ts'
import { brokenConstraints, PROFILES } from '../core/profile.ts'
import { agentlessMistakes, noAgentAtAll } from './agentless-checks.ts'
import { duplicates, ringNames, tooLarge, unknownProbes, type RingServer } from './cross-checks.ts'
import { GROUP_FILE, pathOf } from './layout.ts'
import { powerOf } from './power.ts'
import { sortProblems, type Problem } from './problem.ts'
import { readFiles, type ConfigurationFiles, type Parsed } from './read-files.ts'
import type { GroupFile, ServerFile } from './schema.ts'

export interface LoadOptions {
  /** The published version; a directory that was never published has none. */
  readonly version?: string
  /** 99.99th percentile of a share write, when it has been measured. */
  readonly share_write_ms?: number
}

export interface LoadedConfiguration {
  /** Frozen; present only when there are no problems. */
  readonly inventory?: Inventory
  readonly problems: readonly Problem[]
  /** What works but will not do what was probably meant. */
  readonly warnings: readonly Problem[]
}

/** A share that fsyncs more slowly than this once in 10,000 writes is measured, not assumed (`ringward calibrate`). */
const SHARE_WRITE_ASSUMED_MS = 50

/**
 * The whole configuration from its files (path → text): `group.toml`, `servers/`, `probes/`, `identities/`.
 * `check`, the start of the agent and the Executer's verified copy all come through here, so that what is
 * checked is what runs.
 */
export function loadConfiguration(source: ReadonlyMap<string, string>, options: LoadOptions = {}): LoadedConfiguration {
  const files = readFiles(source)
  const problems = [...files.problems]
  const warnings: Problem[] = []
  const group = files.group
  if (!source.has(GROUP_FILE)) problems.push({ file: GROUP_FILE, line: 1, message: 'the file is missing. Run "ringward init" for a skeleton, or write it with servers = [names in the order of the ring].' })
  const names = group ? ringNames(group.toml, files) : { names: [...files.server_names], problems: [] }
  problems.push(...names.problems)
  const ring = names.names.flatMap((name): RingServer[] => {
    const parsed = files.servers.get(name)
    return parsed ? [{ name, parsed }] : []
  })
  problems.push(...duplicates(group?.toml, ring, files))
  const large = tooLarge(ring)
  problems.push(...large.problems)
  warnings.push(...large.warnings)
  for (const server of ring) {
    problems.push(...unknownProbes(server, files), ...agentlessMistakes(server, files))
    warnings.push(...doubtful(server, files))
  }
  if (group) {
    problems.push(...timings(group, options), ...noAgentAtAll(group.toml, ring))
    warnings.push(...leftOut(names.names, files))
    if (group.value?.servers.length === 1) warnings.push(group.toml.problem(['servers'], 'a ring of one has nobody to watch it. Add a second server.'))
  }
  return settle(files, names.names, ring, problems, warnings, options)
}

/** What concerns only files outside the ring cannot stop it: it becomes a warning. */
function settle(files: ConfigurationFiles, named: readonly string[], ring: readonly RingServer[], found: readonly Problem[], warnings: readonly Problem[], options: LoadOptions): LoadedConfiguration {
  const outside = new Set([...files.server_names].filter(name => !named.includes(name)).map(name => pathOf('servers', name)))
  const problems = sortProblems(found.filter(problem => !outside.has(problem.file)))
  const all_warnings = sortProblems([...warnings, ...found.filter(problem => outside.has(problem.file))])
  const group = files.group?.value
  if (problems.length > 0 || !group) return { problems, warnings: all_warnings }
  const servers = ring.flatMap(({ name, parsed }) => parsed.value ? [serverOf(name, parsed.value, files)] : [])
  const inventory: Inventory = {
    version: options.version ?? 'unpublished', profile: group.profile, interval_ms: group.interval ?? PROFILES[group.profile].interval_ms, ...group.ride === 'all' ? {} : { ride: group.ride },
    prefix_length: group.prefix_length, ...group.gateway === undefined ? {} : { gateway: group.gateway }, peer_port: group.peer_port, servers,
  }
  return { inventory: frozen(inventory), problems, warnings: all_warnings }
}

function serverOf(name: string, file: ServerFile, files: ConfigurationFiles): Server {
  const identity = files.identities.get(name)
  return {
    name, agent: file.agent, ...file.agent ? {} : { remote: file.remote ?? { user: 'root', port: 22 } }, host: file.host, address: file.address, mac: file.mac, vip: file.vip.address, vip_prefix: file.vip.prefix, type: file.type,
    daemons: file.daemons.flatMap(daemon => {
      const probe = files.probes.get(daemon.probe)
      return probe ? [{ name: daemon.name, probe }] : []
    }),
    virtual_server: file.virtual_server, hypervisor: file.hypervisor, priority: file.priority, return: file.return, reboot_limit_ms: file.reboot_limit, power: powerOf(file.power),
    // Empty: no key and no host matches it, so the host cannot join until it has an identity.
    peer_id: file.peer_id ?? identity?.peer_id ?? '', ssh_host_key: file.ssh_host_key ?? identity?.ssh_host_key ?? '',
  }
}

function timings(group: Parsed<GroupFile>, options: LoadOptions): Problem[] {
  if (!group.value) return []
  const profile = { ...PROFILES[group.value.profile], ...group.value.interval === undefined ? {} : { interval_ms: group.value.interval } }
  return brokenConstraints(profile, options.share_write_ms ?? SHARE_WRITE_ASSUMED_MS)
    .map(reason => group.toml.problem(['profile'], `profile "${profile.name}" is not safe here: ${reason}. Choose a slower profile, or a faster shared area.`))
}

/** Files that nothing names. */
function leftOut(names: readonly string[], files: ConfigurationFiles): Problem[] {
  const named = new Set(names)
  const unused = (kind: 'servers' | 'identities', of: Iterable<string>): Problem[] => [...of].filter(name => !named.has(name))
    .map(name => ({ file: pathOf(kind, name), line: 1, message: `"${name}" is not in the ring. Add it to servers in ${GROUP_FILE}, or remove the file.` }))
  return [...unused('servers', files.server_names), ...unused('identities', files.identities.keys())]
}

function doubtful({ name, parsed }: RingServer, files: ConfigurationFiles): Problem[] {
  const { toml, value } = parsed
  if (!value) return []
  const warnings: Problem[] = []
  const identity = files.identities.get(name)
  for (const key of ['peer_id', 'ssh_host_key'] as const) {
    if (value.agent && value[key] === undefined && identity?.[key] === undefined) warnings.push(toml.problem([key], `${key} is missing, so this host cannot join. Run "ringward join" on ${value.host}, then "ringward publish".`))
  }
  if (value.power?.wake_on_lan === false && !value.power.command && !value.power.ipmi) {
    warnings.push(toml.problem(['power', 'wake_on_lan'], 'nothing can switch this host on again: a power cut waits for a person. Write power.ipmi or power.command, or wake_on_lan = true.'))
  }
  if (value.address.startsWith('127.')) warnings.push(toml.problem(['address'], 'this is a loopback address, which other hosts cannot reach. Write the address of the network card.'))
  return warnings
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(frozen)
  }
  return value
}
