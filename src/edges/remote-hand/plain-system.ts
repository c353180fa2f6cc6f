/** What kind of system a target without an agent is: found out on first contact by one fixed script, and what its answers mean. */
export type ServiceManager = 'systemd' | 'OpenRC' | 'sysvinit' | 'FreeBSD rc'

export interface PlainSystem {
  readonly kernel: string
  /** Absent: none of those known here. */
  readonly services?: ServiceManager
  /** Absent: neither `ip` nor a BSD's `ifconfig`. */
  readonly addresses?: 'ip' | 'ifconfig'
}

/** The same for every system; nothing of the target or the configuration is in it. */
export const IDENTIFY = [
  'echo "kernel $(uname -s)"',
  'for tool in systemctl rc-service service ip ifconfig; do command -v "$tool" >/dev/null 2>&1 && echo "tool $tool"; done',
  'echo "systemd $(systemctl is-system-running 2>/dev/null)"',
  '[ -d /etc/init.d ] && echo "folder /etc/init.d"',
  'echo "end 0"',
]

/** From what the script wrote; undefined when it did not come to its end. */
export function parseSystem(text: string): PlainSystem | undefined {
  const lines = text.split('\n').map(line => line.trim())
  const kernel = /^kernel ([A-Za-z0-9_.-]{1,40})$/.exec(lines[0] ?? '')?.[1]
  if (kernel === undefined || !lines.includes('end 0')) return undefined
  const has = (tool: string): boolean => lines.includes(`tool ${tool}`)
  const services = serviceManager(kernel, has, lines)
  const addresses = kernel === 'Linux' ? has('ip') ? 'ip' : undefined : has('ifconfig') ? 'ifconfig' : undefined
  return { kernel, ...(services ? { services } : {}), ...(addresses ? { addresses } : {}) }
}

function serviceManager(kernel: string, has: (tool: string) => boolean, lines: readonly string[]): ServiceManager | undefined {
  if (kernel === 'FreeBSD' || kernel === 'DragonFly') return has('service') ? 'FreeBSD rc' : undefined
  if (kernel !== 'Linux') return undefined
  // Installed is not running: in a system started by another init it says "offline", or nothing.
  const state = lines.find(line => line.startsWith('systemd'))?.slice('systemd '.length) ?? ''
  if (has('systemctl') && state !== '' && state !== 'offline' && state !== 'unknown') return 'systemd'
  if (has('rc-service')) return 'OpenRC'
  return has('service') || lines.includes('folder /etc/init.d') ? 'sysvinit' : undefined
}

export interface HeldAddress {
  readonly device: string
  readonly address: string
  /** Of `ip`; `ifconfig` removes an address by itself. */
  readonly prefix: number
}

/** As systems name devices; nothing in it means anything to a shell or an option parser. */
const DEVICE = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}$/

/** The addresses in what `ip -o -4 addr show` or `ifconfig -a` wrote; undefined when a device has no name that can be used. */
export function parseAddresses(text: string, written_by: NonNullable<PlainSystem['addresses']>): HeldAddress[] | undefined {
  const held = written_by === 'ip' ? parseIp(text) : parseIfconfig(text)
  return held.every(({ device }) => DEVICE.test(device)) ? held : undefined
}

/** `2: eth0    inet 192.0.2.11/24 brd 192.0.2.255 scope global eth0` */
function parseIp(text: string): HeldAddress[] {
  return text.split('\n').flatMap(line => {
    const found = /^\s*\d+: ([^\s@]+)(?:@\S+)?:?\s+inet (\d+\.\d+\.\d+\.\d+)(?: peer [\d.]+)?(?:\/(\d+))?/.exec(line)
    return found ? [{ device: found[1]!, address: found[2]!, prefix: Number(found[3] ?? 32) }] : []
  })
}

/** `em0: flags=…` and below it `	inet 192.0.2.11 netmask 0xffffff00 broadcast 192.0.2.255` */
function parseIfconfig(text: string): HeldAddress[] {
  let device = ''
  return text.split('\n').flatMap(line => {
    device = /^(\S+?):\s/.exec(line)?.[1] ?? device
    const found = /^\s+inet (\d+\.\d+\.\d+\.\d+)(?:\/\d+)?\s/.exec(`${line} `)
    const bits = /netmask 0x([0-9a-f]{8})/.exec(line)?.[1]
    return found ? [{ device, address: found[1]!, prefix: bits === undefined ? 32 : prefixOf(Number.parseInt(bits, 16)) }] : []
  })
}

function prefixOf(mask: number): number {
  return mask.toString(2).replace(/0+$/, '').length
}
