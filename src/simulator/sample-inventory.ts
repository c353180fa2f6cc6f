import type { Inventory, Server, ServerType } from '../core/inventory.ts'

const NAMES = ['mail', 'login', 'ftp', 'proxy', 'web1', 'web2', 'dns', 'pop', 'imap', 'news', 'file', 'print']
const TYPES: readonly ServerType[] = ['CPU_NET', 'CPU', 'NETWORK', 'NETWORK', 'CPU_NET', 'CPU_NET']

/** The thesis's six servers (5.4), and more when asked for. */
export function sampleInventory(count = 6): Inventory {
  const servers = NAMES.slice(0, count).map((name, index): Server => ({
    name, host: name, address: `10.77.0.${11 + index}`, mac: `52:54:00:77:00:${(11 + index).toString(16).padStart(2, '0')}`,
    vip: `10.77.0.${111 + index}`, vip_prefix: 24, type: TYPES[index % TYPES.length]!,
    daemons: [{ name: 'service', probe: { name: 'service', port: 80, limit_ms: 1_000, steps: [] } }],
    virtual_server: { name: `${name}-vs`, address: `10.77.0.${211 + index}`, memory_mb: 256, cpus: 1, image: 'base', standby: 'saved', stateless: true },
    hypervisor: 'qemu', priority: index, return: 'automatic', reboot_limit_ms: 6_000, peer_id: '', ssh_host_key: '',
  }))
  return { version: 'sample', profile: 'default', interval_ms: 1_000, prefix_length: 24, peer_port: 7946, servers }
}
