import type { VirtualServer } from '../../core/inventory.ts'

export type VirtualServerState =
  /** Memory and devices are loaded, no processor runs, nothing is on the network. */
  | 'paused'
  | 'running'
  | 'stopped'

export interface RunningVirtualServer {
  readonly name: string
  readonly state: VirtualServerState
  /** The process to kill when the lease is lost; the guard holds it. */
  readonly pid: number
  /** Field 22 of /proc/PID/stat: guards against a reused pid. */
  readonly pid_start: string
}

export interface HypervisorOptions {
  readonly signal: AbortSignal
}

/**
 * What ringward needs of a hypervisor; implemented by plain QEMU (the default), libvirt, and in memory.
 * One contract suite runs on all. "Cannot reach the hypervisor" rejects (`HYPERVISOR_UNREACHABLE`) and never reads as stopped.
 */
export interface Hypervisor {
  /**
   * Brings the virtual server to `paused` with a fresh overlay: from its saved state (`saved`), or ready to boot (`cold`,
   * and when a saved state does not load: the result says so). Idempotent while it is paused.
   */
  prepare(server: VirtualServer, options: HypervisorOptions): Promise<RunningVirtualServer & { readonly from: 'saved' | 'cold'; readonly warning?: string }>
  /**
   * Before a hand-over: lets a prepared virtual server run with the address, cut off from the network, so that `run` and `announce` are all that is
   * left when its turn comes. Meanwhile this host alone reaches it at its own address: `touch` may speak with its services, which have run
   * nothing since they were saved.
   */
  warm(server: VirtualServer, address: string, prefix: number, touch: (signal: AbortSignal) => Promise<void>, options: HypervisorOptions): Promise<void>
  /** Lets the processors run; after a resume also sets the guest's clock. */
  run(name: string, options: HypervisorOptions): Promise<void>
  /** Kills the virtual server and drops its overlay; resolves when the process is gone. Idempotent. */
  stop(name: string, options: HypervisorOptions): Promise<void>
  /** Every virtual server that runs or is paused on this host. */
  list(options: HypervisorOptions): Promise<RunningVirtualServer[]>
  /** Inside the guest: adds the VIP and announces it (gratuitous ARP). Waits for the guest to answer. */
  addAddress(name: string, address: string, prefix: number, options: HypervisorOptions): Promise<void>
  /** Inside the guest: removes the VIP. Resolves when it is gone; an absent address is fine. */
  dropAddress(name: string, address: string, prefix: number, options: HypervisorOptions): Promise<void>
  /** Inside the guest: announces an address again. */
  announce(name: string, address: string, options: HypervisorOptions): Promise<void>
  /**
   * Moves a virtual server with its memory to the hypervisor at `destination` (libvirt's URI), where it arrives `paused` and on no network:
   * who may run it there is decided by the claim. Afterwards nothing of it is left here. Rejects with HYPERVISOR_FAILED and what to do
   * instead where that is impossible; it then goes on here.
   */
  migrate(name: string, destination: string, options: HypervisorOptions): Promise<void>
  /** The file this host would load it from, below the image's folder of the shared area. Whether it is there is not asked. */
  savedState(server: VirtualServer): Promise<string>
  close(): Promise<void>
}
