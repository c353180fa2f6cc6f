import { stringify } from 'smol-toml'
import type { HypervisorKind, ProfileName, ServerType, StandbyKind } from '../core/inventory.ts'

/** Writes configuration files for rings that are made by a program, such as the lab's. */
export interface GroupText {
  readonly profile?: ProfileName
  /** With its unit, e.g. `1s`. */
  readonly interval?: string
  readonly peer_port?: number
  readonly prefix_length?: number
  readonly gateway?: string
  /** In the order of the ring. */
  readonly servers: readonly string[]
}

export interface ServerText {
  readonly agent?: boolean
  readonly remote?: { readonly user?: string; readonly port?: number }
  readonly host: string
  readonly address: string
  readonly mac: string
  /** With prefix length. */
  readonly vip: string
  readonly type: ServerType
  readonly daemons: readonly { readonly name: string; readonly probe: string }[]
  readonly virtual_server: {
    readonly name: string
    readonly address: string
    readonly memory_mb: number
    readonly cpus?: number
    readonly image: string
    readonly standby?: Exclude<StandbyKind, 'warm'>
  }
  readonly hypervisor?: HypervisorKind
  readonly priority?: number
  readonly return?: 'automatic' | 'manual'
  /** With its unit. */
  readonly reboot_limit?: string
  readonly power?: { readonly wake_on_lan?: boolean; readonly command?: readonly string[] }
  readonly memory_mb?: number
  readonly cores?: number
  readonly peer_id?: string
  readonly ssh_host_key?: string
}

export interface HostText {
  readonly share: string
  readonly device: string
  readonly name?: string
  readonly network_service?: string
  readonly bridge?: string
  readonly alert_command?: readonly string[]
}

/** `group.toml` */
export function renderGroupToml(group: GroupText): string {
  return render(group)
}

/** `servers/<name>.toml` */
export function renderServerToml(server: ServerText): string {
  return render(server)
}

/** `host.toml` of one host. */
export function renderHostToml(host: HostText): string {
  return render(host)
}

function render(content: object): string {
  return `${stringify(content).trimEnd()}\n`
}
