import type { Inventory, Server } from '../core/inventory.ts'

/** What guard, timers, listening socket and addresses were started with; everything else a running agent takes up. */
const OF_THE_GROUP = ['profile', 'interval_ms', 'peer_port'] as const
const OF_THE_HOST = ['address', 'vip', 'vip_prefix', 'peer_id', 'hypervisor'] as const

/**
 * What of the difference between two configurations the agent that runs the first one cannot take up, as sentences. A host that is not in the second
 * one at all ends its management anyhow.
 */
export function restartNeeded(running: Inventory, published: Inventory, self: string | undefined): string[] {
  const found: string[] = OF_THE_GROUP.filter(key => running[key] !== published[key]).map(key => change(`group.toml: ${key}`, running[key], published[key]))
  const [former, next] = [serverIn(running, self), serverIn(published, self)]
  if (former && next) found.push(...OF_THE_HOST.filter(key => former[key] !== next[key]).map(key => change(`servers/${former.name}.toml: ${key} of this host`, former[key], next[key])))
  return found
}

function serverIn({ servers }: Inventory, name: string | undefined): Server | undefined {
  return servers.find(server => server.name === name)
}

function change(what: string, from: string | number, to: string | number): string {
  return `${what} changes from ${from} to ${to}`
}
