import type { Server } from '../../core/inventory.ts'

export type PowerState = 'on' | 'off'
export type PoweredServer = Pick<Server, 'name' | 'power'>

export interface PowerOptions {
  readonly signal: AbortSignal
}

/**
 * The power of a host, as something outside the host knows it: a BMC, a switched outlet, a hypervisor.
 * An answer that cannot be read is an error and never "off": on "off" a function is given by another host (R4).
 * All reject with COMMAND_FAILED (what it said cannot be read, or it failed), COMMAND_MISSING, COMMAND_TIMEOUT, ABORTED, or
 * CONFIGURATION_INVALID for a server without a power controller.
 */
export interface PowerSwitch {
  status(server: PoweredServer, options: PowerOptions): Promise<PowerState>
  /** Orders power on; the state is what a status asked afterwards says. A machine that has power stays as it is. */
  on(server: PoweredServer, options: PowerOptions): Promise<PowerState>
  /** Orders power off and resolves only when a later status says off; COMMAND_TIMEOUT while that does not come true. */
  off(server: PoweredServer, options: PowerOptions): Promise<PowerState>
}
