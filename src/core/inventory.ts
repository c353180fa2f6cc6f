/**
 * The inventory: what every host must agree on, in the order of the Group file.
 * It is the validated, frozen form of `group.toml`, `servers/*.toml` and `probes/*.toml`.
 * A server's name is the key for its host, its function and its management data alike.
 */

/** The kind of resource a server's function leans on; it weighs the non-select value (thesis 5.2.5). */
export type ServerType = 'CPU' | 'NETWORK' | 'CPU_NET'

/** How a virtual server waits while its function is native. `warm` is accepted later. */
export type StandbyKind = 'warm' | 'saved' | 'cold'

/** What runs virtual servers on a host. */
export type HypervisorKind = 'qemu' | 'libvirt'

export interface ProbeStep {
  /** Regular expression the answer must match within the limit (whole received text so far). */
  readonly expect?: string
  /** Text to send, line ends included. */
  readonly send?: string
}

/** A service dialogue (thesis fig. 2.4): connect to the port, expect and send in turn, within a limit. */
export interface ProbeDialogue {
  readonly name: string
  readonly port: number
  /** TCP unless it says otherwise; over UDP each datagram is a turn. */
  readonly transport?: 'tcp' | 'udp'
  readonly limit_ms: number
  readonly steps: readonly ProbeStep[]
}

export interface Daemon {
  /** The service manager's unit, e.g. `postfix`. */
  readonly name: string
  readonly probe: ProbeDialogue
}

export interface VirtualServer {
  readonly name: string
  /** IPV, without prefix length. */
  readonly address: string
  readonly memory_mb: number
  readonly cpus: number
  /** Folder under `vm/` of the shared area that holds the image and the saved state. */
  readonly image: string
  readonly standby: StandbyKind
  readonly stateless: boolean
}

/** How a target without an agent is reached: plain SSH with the ring's hand key, its host key pinned by the record. */
export interface RemoteAccess {
  readonly user: string
  readonly port: number
}

/** How a host that is off is noticed and switched on. */
export interface PowerControl {
  readonly wake_on_lan: boolean
  /** A program by its absolute path, with arguments; `status`, `on` or `off` is appended. Absent: nobody can ask. */
  readonly command?: readonly string[]
}

/** Management data: one record per server (thesis 5.2.4). */
export interface Server {
  readonly name: string
  /** False: an appliance or a host of another system, watched from the ring, that runs nothing of ringward and is never a manager. */
  readonly agent: boolean
  /** Present exactly when there is no agent. */
  readonly remote?: RemoteAccess
  /** Operating-system host name; the host finds its own record by it. */
  readonly host: string
  /** IPR: the real server's own address, without prefix length. */
  readonly address: string
  readonly mac: string
  /** Virtual IP, without prefix length. */
  readonly vip: string
  readonly vip_prefix: number
  readonly type: ServerType
  readonly daemons: readonly Daemon[]
  readonly virtual_server: VirtualServer
  /** Runs the virtual servers of others on this server's host. */
  readonly hypervisor: HypervisorKind
  /** Lower is restored first when several fail at once. */
  readonly priority: number
  readonly return: 'automatic' | 'manual'
  /** Longest reboot that is still "just rebooting": T_rc of the thesis. */
  readonly reboot_limit_ms: number
  readonly power: PowerControl
  /** libp2p peer identity; a stranger is refused. */
  readonly peer_id: string
  /** Pinned SSH host key of the remote hand, `ssh-ed25519 AAAA…`. */
  readonly ssh_host_key: string
}

export const RIDE_POLICIES = ['all', 'majority'] as const
export type RidePolicy = (typeof RIDE_POLICIES)[number]

/** Undefined for any other word. */
export const parseRide = (word: string | undefined): RidePolicy | undefined => RIDE_POLICIES.find(policy => policy === word)

export type ProfileName = 'careful' | 'default' | 'fast'

export interface Inventory {
  /** Grows with each publication; hosts log a difference. */
  readonly version: string
  readonly profile: ProfileName
  /** R8: whose promises carry a native function through an outage of the shared area. Absent: those of all. */
  readonly ride?: RidePolicy
  /** Monitoring interval T_im. */
  readonly interval_ms: number
  /** Prefix length of the hosts' segment: the virtual servers' own addresses (IPV) have it. */
  readonly prefix_length: number
  /** Default gateway of the virtual servers; absent when their clients are all on the segment. */
  readonly gateway?: string
  /** TCP port of the connections between the hosts. */
  readonly peer_port: number
  readonly servers: readonly Server[]
}
