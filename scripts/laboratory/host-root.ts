import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { runOrFail } from '../../src/edges/command.ts'
import { NET_PREFIX, POWER_PORT, SWITCH_ADDRESS, type HostPlan } from './hosts.ts'
import { hostPlaces, type Lab } from './lab.ts'
import { hypervisorOf } from './names.ts'

const LIMIT_MS = 10_000
/** Asks the lab's power board with ipmitool's words: `lab-power HOST status|on|off`. */
export const POWER_PROGRAM = '/usr/local/bin/lab-power'
/** The board's answer is `ok WORDS` or `no REASON`; a board that does not answer is no answer. */
const POWER_SCRIPT = `#!/bin/bash
exec 3<>/dev/tcp/${SWITCH_ADDRESS}/${POWER_PORT} || exit 1
echo "$1 $2" >&3
read -r -t 2 outcome words <&3 || exit 1
echo "$words"
[ "$outcome" = ok ]
`

/**
 * The host's own disk: an overlay on the root image with what is its own (name, machine id, address, SSH host key,
 * enabled service). It keeps what is written through reboots and power cuts.
 */
export async function makeHostRoot(lab: Lab, host: HostPlan): Promise<void> {
  const { root, upper, work } = hostPlaces(lab, host.name)
  for (const folder of [root, upper, work]) await mkdir(folder, { recursive: true, mode: 0o755 })
  // `volatile`: syncs end at once; a power cut here kills processes, not the machine below.
  await runOrFail('mount', ['-t', 'overlay', 'ringward-lab', '-o', `lowerdir=${lab.settings.image},upperdir=${upper},workdir=${work},volatile`, root], { limit_ms: LIMIT_MS })
  for (const [path, text] of Object.entries(ownFiles(lab, host))) await writeInto(root, path, text)
  if (lab.settings.power) await writeInto(root, POWER_PROGRAM.slice(1), POWER_SCRIPT, 0o755)
  await enable(root, 'ssh')
  for (const daemon of new Set([host.daemon, ...(host.daemon === 'squid' ? ['nginx'] : [])])) {
    if (daemon !== 'ssh') await enable(root, daemon)
  }
  if (hypervisorOf(host.name) === 'libvirt') await enable(root, 'libvirtd')
  await runOrFail('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', host.name, '-f', join(root, 'etc/ssh/ssh_host_ed25519_key')], { limit_ms: LIMIT_MS })
}

function ownFiles(lab: Lab, host: HostPlan): Record<string, string> {
  return {
    'etc/hostname': `${host.name}\n`,
    'etc/machine-id': `${randomBytes(16).toString('hex')}\n`,
    'etc/hosts': ['127.0.0.1 localhost', ...lab.hosts.map(each => `${each.address} ${each.name}`), ''].join('\n'),
    'etc/mailname': `${host.name}.lab.invalid\n`,
    // A fixed MAC address: the magic packet names it.
    'etc/systemd/network/10-br0.netdev': ['[NetDev]', 'Name=br0', 'Kind=bridge', `MACAddress=${host.mac}`, '', '[Bridge]', 'ForwardDelaySec=0', 'STP=no', 'MulticastSnooping=no', ''].join('\n'),
    'etc/systemd/network/20-br0.network': [
      '[Match]', 'Name=br0', '', '[Network]', `Address=${host.address}/${NET_PREFIX}`, `Gateway=${SWITCH_ADDRESS}`,
      // The VIP is not networkd's: it must neither remove nor remember it.
      'KeepConfiguration=static', 'LinkLocalAddressing=no', 'IPv6AcceptRA=no', 'ConfigureWithoutCarrier=yes', '',
    ].join('\n'),
  }
}

/** Writes a file of the host; the folder is made. */
export async function writeInto(root: string, path: string, text: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text, { mode })
}

/** Enables a unit of the host that is not running, as `systemctl enable` would for a unit of the multi-user target. */
export async function enable(root: string, unit: string): Promise<void> {
  const wants = join(root, 'etc/systemd/system/multi-user.target.wants')
  await mkdir(wants, { recursive: true })
  const link = join(wants, `${unit}.service`)
  const source = existsSync(join(root, `etc/systemd/system/${unit}.service`)) ? `/etc/systemd/system/${unit}.service` : `/lib/systemd/system/${unit}.service`
  if (!existsSync(link)) await symlink(source, link)
}
