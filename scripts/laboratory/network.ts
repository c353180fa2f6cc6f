import { run, runOrFail } from '../../src/edges/command.ts'
import { CLIENT_ADDRESS, NET_PREFIX, SWITCH_ADDRESS } from './hosts.ts'
import { hostOf, type Lab } from './lab.ts'

const LIMIT_MS = 10_000

/** Fixed: a bridge without one takes a port's, and the gateway would change its address when that host loses its power. */
const SWITCH_MAC = '52:77:00:00:00:01'
export const CLIENT_DEVICE = 'client0'
export const SWITCH_BRIDGE = 'br0'

/** The switch: a namespace with a bridge; and the client: another, one cable between. Nothing touches the machine's own net. */
export async function makeNetwork(lab: Lab): Promise<void> {
  const { switch_namespace: switchboard, client_namespace: client } = lab
  const ip = (...args: string[]) => runOrFail('ip', args, { limit_ms: LIMIT_MS })
  await ip('netns', 'add', switchboard)
  await ip('netns', 'add', client)
  await ip('-n', switchboard, 'link', 'set', 'lo', 'up')
  await ip('-n', client, 'link', 'set', 'lo', 'up')
  // No spanning tree and no learning delay: a port carries frames as soon as its cable is in.
  await ip('-n', switchboard, 'link', 'add', SWITCH_BRIDGE, 'address', SWITCH_MAC, 'type', 'bridge', 'forward_delay', '0', 'stp_state', '0', 'mcast_snooping', '0')
  await ip('-n', switchboard, 'link', 'add', 'client', 'type', 'veth', 'peer', 'name', CLIENT_DEVICE, 'netns', client)
  await ip('-n', switchboard, 'link', 'set', 'client', 'master', SWITCH_BRIDGE, 'up')
  await ip('-n', switchboard, 'addr', 'add', `${SWITCH_ADDRESS}/${NET_PREFIX}`, 'broadcast', '+', 'dev', SWITCH_BRIDGE)
  await ip('-n', switchboard, 'link', 'set', SWITCH_BRIDGE, 'up')
  await ip('-n', client, 'addr', 'add', `${CLIENT_ADDRESS}/${NET_PREFIX}`, 'broadcast', '+', 'dev', CLIENT_DEVICE)
  await ip('-n', client, 'link', 'set', CLIENT_DEVICE, 'up')
}

export async function removeNamespace(name: string): Promise<void> {
  await run('ip', ['netns', 'del', name], { limit_ms: LIMIT_MS })
}

/** Name of the switch's port of a host, given by nspawn. */
export function portOf(host: string): string {
  return `vb-${host}`
}

const TABLE = 'lab'

/** Takes every cut out of the switch. */
export async function healNetwork(lab: Lab): Promise<void> {
  await run('ip', ['netns', 'exec', lab.switch_namespace, 'nft', 'delete', 'table', 'bridge', TABLE], { limit_ms: LIMIT_MS })
}

/** Takes the cuts out that name one host, or its VIP. */
export async function healPort(lab: Lab, host: string): Promise<void> {
  const nft = (...args: string[]) => run('ip', ['netns', 'exec', lab.switch_namespace, 'nft', ...args], { limit_ms: LIMIT_MS })
  let chain = ''
  for (const line of (await nft('--handle', 'list', 'table', 'bridge', TABLE)).stdout.split('\n')) {
    chain = /^\s*chain (\w+) /.exec(line)?.[1] ?? chain
    const handle = /# handle (\d+)$/.exec(line)?.[1]
    if (handle !== undefined && (line.includes(`"${portOf(host)}"`) || line.includes(` ${hostOf(lab, host).vip} `))) await nft('delete', 'rule', 'bridge', TABLE, chain, 'handle', handle)
  }
}

async function addRules(lab: Lab, rules: readonly string[]): Promise<void> {
  // Adding a table or chain that is there changes nothing.
  const script = [
    `add table bridge ${TABLE}`,
    `add chain bridge ${TABLE} between { type filter hook forward priority 0; }`,
    `add chain bridge ${TABLE} in { type filter hook prerouting priority 0; }`,
    `add chain bridge ${TABLE} out { type filter hook postrouting priority 0; }`,
    ...rules,
  ].join('\n')
  await runOrFail('ip', ['netns', 'exec', lab.switch_namespace, 'nft', script], { limit_ms: LIMIT_MS })
}

/** No frame from `from` reaches `to` any more; virtual servers behind the ports are cut with them. */
export async function cutBetween(lab: Lab, pairs: readonly (readonly [from: string, to: string])[]): Promise<void> {
  await addRules(lab, pairs.map(([from, to]) => `add rule bridge ${TABLE} between iifname "${portOf(from)}" oifname "${portOf(to)}" drop`))
}

/** A host alone: its port carries nothing in either direction, though the cable is in. */
export async function isolate(lab: Lab, host: string): Promise<void> {
  await addRules(lab, [
    `add rule bridge ${TABLE} in iifname "${portOf(host)}" drop`,
    `add rule bridge ${TABLE} out oifname "${portOf(host)}" drop`,
  ])
}

/** Nothing that the giver of a host's VIP tells everybody passes the switch: neither its announcements nor its questions, from which one learns as well where they come from. */
export async function loseAnnouncements(lab: Lab, host: string): Promise<void> {
  await addRules(lab, [`add rule bridge ${TABLE} in ether daddr ff:ff:ff:ff:ff:ff arp saddr ip ${hostOf(lab, host).vip} drop`])
}
