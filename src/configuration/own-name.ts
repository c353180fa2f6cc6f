import { RingwardError } from '../errors.ts'
import { didYouMean } from './nearest.ts'

/** What the rule asks of a server's file. */
export interface NamedHost {
  readonly name: string
  /** Host name of the operating system. */
  readonly host: string
}

/**
 * Which server of the ring this host is: the one that `name` of host.toml names, else the one whose `host` is the operating system's
 * host name, in full or up to the first dot. The one rule of Executer, agent, remote hand and `check`: were there two, a host could be started as one server and run as another.
 * Throws CONFIGURATION_INVALID when no server or more than one fits.
 */
export function ownName(servers: readonly NamedHost[], name: string | undefined, host_name: string): string {
  const names = servers.map(server => server.name)
  if (name !== undefined) {
    if (names.includes(name)) return name
    throw invalid(`host.toml says name = "${name}", but the ring has no such server.${didYouMean(name, names)} Correct name (known: ${names.join(', ')}), or add servers/${name}.toml and its name in group.toml and publish.`)
  }
  const short = host_name.split('.', 1)[0] ?? host_name
  const fitting = servers.filter(({ host }) => host === host_name || host === short).map(server => server.name)
  const [only, another] = fitting
  if (only === undefined) throw invalid(`no server of the ring has host = "${host_name}", the name of this host. Correct the host in servers/ and publish, or write name = "…" into host.toml (known: ${names.join(', ')}).`)
  if (another !== undefined) throw invalid(`the servers ${fitting.join(', ')} all fit the host name "${host_name}". Write name = "…" into host.toml.`)
  return only
}

function invalid(text: string): RingwardError {
  return new RingwardError('CONFIGURATION_INVALID', text)
}
