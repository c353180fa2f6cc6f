import type { Inventory, Server, ServerType } from '../core/inventory.ts'

const NAMES = ['mail', 'login', 'ftp', 'proxy', 'web1', 'web2', 'dns', 'pop', 'imap', 'news', 'file', 'print']
const TYPES: readonly ServerType[] = ['CPU_NET', 'CPU', 'NETWORK', 'NETWORK', 'CPU_NET', 'CPU_NET']

/** Of the sample ring, in its order. */
export const serverNames = (count: number): readonly string[] => NAMES.slice(0, count)

/** What a host with a power controller has in its record; the simulated edges never run it. */
const POWER_PROGRAM = '/usr/local/bin/simulated-power'

/** The inventory with a power command for the named servers. */
export function withPower(inventory: Inventory, names: readonly string[]): Inventory {
  return { ...inventory, servers: inventory.servers.map(server => names.includes(server.name) ? { ...server, power: { ...server.power, command: [POWER_PROGRAM, server.name] } } : server) }
}

export interface SampleWishes {
  /** Other names than those, for stories told with the thesis's S1, S2, … */
  readonly names?: readonly string[]
  /** Servers without an agent. */
  readonly agentless?: readonly string[]
  /** Whether their outlets can be switched by a command. */
  readonly power_command?: boolean
  readonly gateway?: boolean
}

/** The thesis's six servers (5.4), and more when asked for. */
export function sampleInventory(count = 6, { agentless = [], power_command = false, gateway = false, names = NAMES }: SampleWishes = {}): Inventory {
  const servers = names.slice(0, count).map((name, index): Server => ({
    name, agent: !agentless.includes(name), ...(agentless.includes(name) ? { remote: { user: 'root', port: 22 } } : {}), host: name, address: `10.77.0.${11 + index}`, mac: `52:54:00:77:00:${(11 + index).toString(16).padStart(2, '0')}`,
    vip: `10.77.0.${111 + index}`, vip_prefix: 24, type: TYPES[index % TYPES.length]!,
    daemons: [{ name: 'service', probe: { name: 'service', port: 80, limit_ms: 1_000, steps: [] } }],
    virtual_server: { name: `${name}-vs`, address: `10.77.0.${211 + index}`, memory_mb: 256, cpus: 1, image: 'base', standby: 'saved', stateless: true },
    hypervisor: 'qemu', priority: index, return: 'automatic', reboot_limit_ms: 6_000, power: { wake_on_lan: true, ...(power_command && agentless.includes(name) ? { command: [POWER_PROGRAM, name] } : {}) }, peer_id: '', ssh_host_key: '',
  }))
  return { version: 'sample', profile: 'default', interval_ms: 1_000, prefix_length: 24, ...gateway ? { gateway: '10.77.0.1' } : {}, peer_port: 7946, servers }
}
