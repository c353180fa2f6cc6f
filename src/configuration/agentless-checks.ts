import type { Problem } from './problem.ts'
import type { RingServer } from './cross-checks.ts'
import type { ConfigurationFiles } from './read-files.ts'
import type { TomlFile } from './toml-file.ts'
import { valueAt } from './validate.ts'

/** What must hold for servers without an agent. As in cross-checks.ts the values are taken from the text as it stands. */
const hasAgent = ({ parsed: { toml } }: RingServer): boolean => valueAt(toml.data, ['agent']) !== false

export function agentlessMistakes(server: RingServer, files: ConfigurationFiles): Problem[] {
  const { name, parsed: { toml } } = server
  if (hasAgent(server)) {
    return valueAt(toml.data, ['remote']) === undefined ? [] : [toml.problem(['remote'], 'only a server without an agent is reached by plain SSH. Write agent = false above it, or remove the [remote] table.')]
  }
  const found: Problem[] = []
  // Without a pinned key whoever answers at that address could say that the VIP was taken off.
  if (valueAt(toml.data, ['ssh_host_key']) === undefined && files.identities.get(name)?.ssh_host_key === undefined) {
    found.push(toml.problem(['agent'], 'a server without an agent needs its SSH host key: its word is proof. Write ssh_host_key = "ssh-ed25519 …" from its /etc/ssh/ssh_host_ed25519_key.pub.'))
  }
  if (valueAt(toml.data, ['peer_id']) !== undefined) found.push(toml.problem(['peer_id'], 'a server without an agent is no peer. Remove peer_id, or agent = false.'))
  return found
}

/** Somebody must watch. */
export function noAgentAtAll(group: TomlFile, ring: readonly RingServer[]): Problem[] {
  return ring.length > 0 && !ring.some(hasAgent) ? [group.problem(['servers'], 'no server of the ring has an agent, so nobody watches anybody. Remove agent = false from at least one.')] : []
}
