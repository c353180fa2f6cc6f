/** The lab's hosts as they are meant: one server each, addresses of a private net that exists only in the lab's namespaces. */

export type HostName = string

/** One row of the lab: its function's service, where it listens, and the numbers everything else is made of. */
export interface HostPlan {
  readonly name: HostName
  /** systemd unit that gives the function. */
  readonly daemon: string
  /** Every unit that belongs to it: postfix is an umbrella over its instance. */
  readonly units: readonly string[]
  readonly port: number
  readonly dialogue: DialogueName
  /** Last byte of the addresses: IPR .11 to .22, VIP .111 to .122, IPV .211 to .222. */
  readonly number: number
  readonly address: string
  readonly vip: string
  readonly virtual_address: string
  readonly mac: string
  readonly type: 'CPU' | 'NETWORK' | 'CPU_NET'
  /** Lower is restored first: people wait for a page or a file, mail waits at its sender. Not the order of the ring, so that it can be told apart. */
  readonly priority: number
}

export type DialogueName = 'smtp' | 'ssh' | 'ftp' | 'http-proxy' | 'http'

interface Service { readonly daemon: string; readonly units: readonly string[]; readonly port: number; readonly dialogue: DialogueName; readonly type: HostPlan['type']; readonly priority: number }

const WEB: Service = { daemon: 'nginx', units: ['nginx'], port: 80, dialogue: 'http', type: 'CPU_NET', priority: 10 }
const SERVICES: Readonly<Record<string, Service>> = {
  mail: { daemon: 'postfix', units: ['postfix', 'postfix@-'], port: 25, dialogue: 'smtp', type: 'CPU', priority: 50 },
  login: { daemon: 'ssh', units: ['ssh'], port: 22, dialogue: 'ssh', type: 'CPU', priority: 40 },
  ftp: { daemon: 'vsftpd', units: ['vsftpd'], port: 21, dialogue: 'ftp', type: 'NETWORK', priority: 30 },
  proxy: { daemon: 'squid', units: ['squid'], port: 3128, dialogue: 'http-proxy', type: 'NETWORK', priority: 20 },
  web: WEB,
}
/** `web2`, `mail3`: the number tells hosts of one kind apart. */
const NAME = /^([a-z]+)([1-9]\d?)?$/

export const DEFAULT_HOSTS: readonly HostName[] = ['mail', 'login', 'ftp', 'proxy', 'web1', 'web2']
/** Two of each kind and four web servers, for `--hosts 12`. */
const ALL_HOSTS: readonly HostName[] = [...DEFAULT_HOSTS, 'mail2', 'login2', 'ftp2', 'proxy2', 'web3', 'web4']
/** The address plan has room for twelve (.11 to .22). */
export const MOST_HOSTS = ALL_HOSTS.length

export const NET_PREFIX = 24
const NET = '10.77.0'
export const SWITCH_ADDRESS = `${NET}.1`
export const CLIENT_ADDRESS = `${NET}.2`
/** Who asks for the VIPs' owners, on the client's cable. */
export const ASKER_ADDRESS = `${NET}.3`
export const ASKER_MAC = '52:77:00:00:00:03'
export const BROADCAST_ADDRESS = `${NET}.255`
/** Where the power board listens for the hosts, as a BMC on their network would. */
export const POWER_PORT = 6230
/** Wake-on-LAN's customary port (discard). */
export const WAKE_PORT = 9

/** `mail,ftp`: these; `12`: so many of the lab's own names. What is wrong with them is told by `planHosts`. */
export function readHosts(text: string): HostName[] {
  const count = Number(text)
  if (!/^\d+$/.test(text)) return text.split(',').filter(Boolean)
  if (count < 1 || count > MOST_HOSTS) throw new Error(tooMany(count))
  return ALL_HOSTS.slice(0, count)
}

const tooMany = (count: number): string => `a ring of the lab has 1 to ${MOST_HOSTS} hosts, not ${count}`

/** The plan of the named hosts, in the order given, which is the order of the ring. Throws on a name the lab has no service for. */
export function planHosts(names: readonly HostName[]): HostPlan[] {
  if (names.length < 1 || names.length > MOST_HOSTS) throw new Error(tooMany(names.length))
  if (new Set(names).size !== names.length) throw new Error(`a host is named twice in ${names.join(',')}`)
  return names.map((name, index) => {
    const kind = NAME.exec(name)?.[1] ?? ''
    const service = Object.hasOwn(SERVICES, kind) ? SERVICES[kind] : undefined
    if (!service) throw new Error(`the lab has no host "${name}"; it knows ${Object.keys(SERVICES).join(', ')}, each with a number behind if there are several (web2)`)
    const number = 11 + index
    return {
      name, ...service, number,
      address: `${NET}.${number}`, vip: `${NET}.${number + 100}`, virtual_address: `${NET}.${number + 200}`,
      mac: `52:77:00:00:00:${number.toString(16).padStart(2, '0')}`,
    }
  })
}
