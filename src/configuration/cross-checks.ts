import { didYouMean } from './nearest.ts'
import type { Problem } from './problem.ts'
import { pathOf } from './layout.ts'
import type { ConfigurationFiles, Parsed } from './read-files.ts'
import type { ServerFile } from './schema.ts'
import type { TomlFile } from './toml-file.ts'
import type { TomlPath } from './toml-positions.ts'
import { valueAt } from './validate.ts'
import { NAME_PATTERN, readAddress } from './values.ts'

/**
 * What must hold between files. The values are taken from the text as it stands, so that a mistake elsewhere
 * in a file does not hide a second one.
 */
export interface RingServer {
  readonly name: string
  readonly parsed: Parsed<ServerFile>
}

interface Use {
  readonly toml: TomlFile
  readonly path: TomlPath
  readonly value: string
  readonly role: string
}

/** Two that must differ: addresses, MAC addresses, host names, names of virtual servers, identities. */
export function duplicates(group: TomlFile | undefined, ring: readonly RingServer[], files: ConfigurationFiles): Problem[] {
  const addresses: Use[] = group ? usesOf(group, [[['gateway'], 'the gateway']]) : []
  for (const { name, parsed } of ring) {
    addresses.push(...usesOf(parsed.toml, [
      [['address'], `the address (IPR) of ${name}`], [['vip'], `the VIP of ${name}`], [['virtual_server', 'address'], `the address (IPV) of ${name}'s virtual server`],
    ]).map(use => ({ ...use, value: use.value.split('/')[0] ?? '' })).filter(use => 'value' in readAddress(use.value)))
  }
  const each = (path: TomlPath, role: string) => ring.flatMap(({ name, parsed }) => usesOf(parsed.toml, [[path, `${role} of ${name}`]]))
  return [
    ...repeated(addresses, 'Every host, VIP and virtual server needs an address of its own.'),
    ...repeated(each(['mac'], 'the MAC address').map(use => ({ ...use, value: use.value.toLowerCase() })), 'Two network cards never share one; look with "ip link".'),
    ...repeated(each(['host'], 'the host name'), 'A host finds its own record by it; give each record its own.'),
    ...repeated(each(['virtual_server', 'name'], 'the name of the virtual server'), 'Give each virtual server a name of its own.'),
    ...repeated(identitiesOf(ring, files), 'A copied host must not keep its key: remove /etc/ringward/keys/identity.key there and run "ringward join".'),
  ]
}

function usesOf(toml: TomlFile, wanted: readonly (readonly [TomlPath, string])[]): Use[] {
  return wanted.flatMap(([path, role]) => {
    const value = valueAt(toml.data, path)
    return typeof value === 'string' ? [{ toml, path, value, role }] : []
  })
}

function identitiesOf(ring: readonly RingServer[], files: ConfigurationFiles): Use[] {
  return ring.flatMap(({ name, parsed }) => {
    const value = parsed.value?.peer_id ?? files.identities.get(name)?.peer_id
    return value === undefined ? [] : [{ toml: parsed.toml, path: ['peer_id'], value, role: `the peer identity of ${name}` }]
  })
}

function repeated(uses: readonly Use[], advice: string): Problem[] {
  const first = new Map<string, Use>()
  return uses.flatMap(use => {
    const other = first.get(use.value)
    if (!other) {
      first.set(use.value, use)
      return []
    }
    const { file, line } = other.toml.problem(other.path, '')
    return [use.toml.problem(use.path, `${use.value} is ${use.role}, but already ${other.role} at ${file}:${line}. ${advice}`)]
  })
}

/** A virtual server must fit at least one host other than the one it replaces (S4). Hosts that do not say how large they are cannot help. */
export function tooLarge(ring: readonly RingServer[]): { readonly problems: Problem[]; readonly warnings: Problem[] } {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  for (const { name, parsed: { toml } } of ring) {
    const others = ring.filter(other => other.name !== name)
    check(['virtual_server', 'memory_mb'], 'memory_mb', 'MB', problems)
    check(['virtual_server', 'cpus'], 'cores', 'cores', warnings)

    function check(path: TomlPath, capacity: string, unit: string, into: Problem[]): void {
      const wanted = valueAt(toml.data, path)
      const sizes = others.flatMap(other => {
        const size = valueAt(other.parsed.toml.data, [capacity])
        return typeof size === 'number' ? [{ name: other.name, size }] : []
      }).sort((a, b) => b.size - a.size)
      const largest = sizes[0]
      if (typeof wanted !== 'number' || !largest || wanted <= largest.size) return
      into.push(toml.problem(path, `the virtual server wants ${wanted} ${unit}, more than any host that could run it has: the largest is ${largest.name} with ${largest.size} ${unit}. `
        + `Make the virtual server smaller, or correct ${capacity} of a host.`))
    }
  }
  return { problems, warnings }
}

/** Each daemon's probe exists. */
export function unknownProbes(server: RingServer, files: ConfigurationFiles): Problem[] {
  const { toml } = server.parsed
  const daemons = valueAt(toml.data, ['daemons'])
  if (!Array.isArray(daemons)) return []
  return daemons.flatMap((_, index) => {
    const path = ['daemons', index, 'probe']
    const probe = valueAt(toml.data, path)
    if (typeof probe !== 'string' || files.probe_names.has(probe)) return []
    const known = [...files.probe_names].sort()
    return [toml.problem(path, `probe "${probe.slice(0, 63)}" is not known.${didYouMean(probe, known)} Known are ${known.join(', ')}; write ${pathOf('probes', 'NAME')} for one of your own.`)]
  })
}

/** The names of the group, in order, each with its place; and what is wrong with them. */
export function ringNames(group: TomlFile, files: ConfigurationFiles): { readonly names: string[]; readonly problems: Problem[] } {
  const listed = valueAt(group.data, ['servers'])
  const places = new Map<string, number>()
  const problems: Problem[] = []
  for (const [index, name] of (Array.isArray(listed) ? listed as unknown[] : []).entries()) {
    // What is not a name at all is the schema's to refuse.
    if (typeof name !== 'string' || !NAME_PATTERN.test(name)) continue
    if (places.has(name)) {
      const { line } = group.problem(['servers', places.get(name) ?? 0], '')
      problems.push(group.problem(['servers', index], `"${name}" stands in the ring twice, first at line ${line}. Remove one.`))
      continue
    }
    places.set(name, index)
    if (files.server_names.has(name)) continue
    const hint = didYouMean(name, [...files.server_names])
    problems.push(group.problem(['servers', index], `the group names "${name}", but there is no ${pathOf('servers', name)}.${hint} Write that file, or remove the name.`))
  }
  return { names: [...places.keys()], problems }
}
