import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FORGOTTEN_FOLDER } from '../../src/configuration/forget-server.ts'
import { createIdentity } from '../../src/configuration/identity.ts'
import { init } from '../../src/configuration/init.ts'
import { pathOf } from '../../src/configuration/layout.ts'
import { renderGroupToml, renderHostToml, renderServerToml } from '../../src/configuration/ring-writer.ts'
import type { ProfileName } from '../../src/core/inventory.ts'
import { POWER_PROGRAM, writeInto } from './host-root.ts'
import { NET_PREFIX, SWITCH_ADDRESS, type HostPlan } from './hosts.ts'
import { hostPlaces, LabError, shareBacking, type Lab } from './lab.ts'
import { GUEST_MEMORY_MB, hypervisorOf, imageOf, virtualServerOf } from './names.ts'

/** T_rc: half as long again as a reboot of the lab's hosts takes until management runs (4 s on two busy cores); a self test comes on top. */
const REBOOT_LIMIT_MS = 6_000

/** The profile whose constraints fit a monitoring interval. */
function profileFor(interval: string): ProfileName {
  const found = /^(\d+)(ms|s)$/.exec(interval)
  if (!found) throw new LabError(`"${interval}" is not an interval; write for example 1s or 200ms`, 2)
  const interval_ms = Number(found[1]) * (found[2] === 's' ? 1_000 : 1)
  if (interval_ms >= 10_000) return 'careful'
  return interval_ms >= 1_000 ? 'default' : 'fast'
}

/**
 * Sets up the ring the way the README tells an admin to: `ringward init` for the shared area and the keys, management
 * data for each server, an identity, keys and local settings for each host, and the forced command of the remote hand.
 */
export async function writeRing(lab: Lab): Promise<void> {
  const share = shareBacking(lab)
  const keys = join(lab.directory, 'keys')
  await init(share, { keys_directory: keys })
  await rm(join(share, pathOf('servers', 'example')), { force: true })
  await rm(join(share, pathOf('probes', 'example')), { force: true })
  await writeGroup(lab, share)
  for (const host of lab.hosts) await writeServer(lab, host, share)
  for (const host of lab.hosts) await writeHost(lab, host, keys, share)
}

/** A host that joins later: its record, its keys and its name in the ring's list, as an admin writes them; of one that was forgotten, they are moved back. */
export async function writeJoining(lab: Lab, host: HostPlan): Promise<void> {
  const share = shareBacking(lab)
  const former = (path: string): string => join(share, FORGOTTEN_FOLDER, path)
  if (existsSync(former(pathOf('identities', host.name)))) {
    for (const path of [pathOf('servers', host.name), pathOf('identities', host.name)]) await rename(former(path), join(share, path))
  } else {
    await writeServer(lab, host, share)
    await writeHost(lab, host, join(lab.directory, 'keys'), share)
  }
  await writeGroup(lab, share)
}

async function writeGroup(lab: Lab, share: string): Promise<void> {
  await writeFile(join(share, 'group.toml'), renderGroupToml({
    profile: profileFor(lab.settings.interval), interval: lab.settings.interval, prefix_length: NET_PREFIX, gateway: SWITCH_ADDRESS, servers: lab.hosts.map(host => host.name),
  }))
}

export function isAgentless(lab: Lab, host: string): boolean {
  return lab.settings.agentless?.includes(host) ?? false
}

async function writeServer(lab: Lab, host: HostPlan, share: string): Promise<void> {
  const { standby } = lab.settings
  if (standby === 'warm') throw new LabError('standby "warm" comes with a later version; use saved or cold', 2)
  await writeFile(join(share, pathOf('servers', host.name)), renderServerToml({
    ...(isAgentless(lab, host.name) ? { agent: false, ssh_host_key: await sshHostKey(lab, host) } : {}),
    host: host.name, address: host.address, mac: host.mac, vip: `${host.vip}/32`, type: host.type, priority: host.priority,
    daemons: [{ name: host.daemon, probe: host.dialogue }],
    virtual_server: { name: virtualServerOf(host.name), address: host.virtual_address, memory_mb: GUEST_MEMORY_MB, cpus: 1, image: imageOf(host.name), standby },
    ...(lab.settings.power ? { power: { command: [POWER_PROGRAM, host.name] } } : {}),
    hypervisor: hypervisorOf(host.name), reboot_limit: `${REBOOT_LIMIT_MS + lab.settings.post_delay_ms}ms`,
  }))
}

async function sshHostKey(lab: Lab, host: HostPlan): Promise<string> {
  const [kind = '', key = ''] = (await readFile(join(hostPlaces(lab, host.name).root, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8')).split(' ')
  return `${kind} ${key.trim()}`
}

/** On each host: what its alert command was told, a JSON object a line. */
export const ALERTS_FILE = '/tmp/ringward-alerts.jsonl'

/** What ringward finds on a host: its keys and settings, or, without an agent, nothing but the ring's key among those sshd lets in. */
async function writeHost(lab: Lab, host: HostPlan, keys: string, share: string): Promise<void> {
  const { root } = hostPlaces(lab, host.name)
  const hand = (await readFile(join(keys, 'hand_key.pub'), 'utf8')).trim()
  const forced = isAgentless(lab, host.name) ? 'restrict,command="/bin/sh -s"' : 'restrict,command="/usr/local/lib/ringward/hand"'
  await mkdir(join(root, 'root/.ssh'), { recursive: true, mode: 0o700 })
  await writeInto(root, 'root/.ssh/authorized_keys', `${forced} ${hand}\n`, 0o600)
  if (isAgentless(lab, host.name)) return
  const folder = join(root, 'etc/ringward/keys')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of ['ring.psk', 'hand_key']) await cp(join(keys, name), join(folder, name), { preserveTimestamps: true })
  const peer_id = await createIdentity(join(folder, 'identity.key'))
  await writeFile(join(share, pathOf('identities', host.name)), `${JSON.stringify({ schema: 'ringward.identity/1', peer_id, ssh_host_key: await sshHostKey(lab, host) })}\n`)
  await writeInto(root, 'etc/ringward/host.toml', renderHostToml({ share: '/srv/ringward', device: 'br0', network_service: 'systemd-networkd', bridge: 'br0', alert_command: ['/usr/bin/tee', '--append', ALERTS_FILE] }))
}
