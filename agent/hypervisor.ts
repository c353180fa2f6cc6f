import type { HypervisorKind } from '../src/core/inventory.ts'
import type { Hypervisor } from '../src/edges/hypervisor/hypervisor.ts'
import { LibvirtHypervisor, type LibvirtOptions } from '../src/edges/hypervisor/libvirt.ts'
import { QemuHypervisor } from '../src/edges/hypervisor/qemu.ts'

/** What runs virtual servers on this host, as its server's record says. */
export function createHypervisor(kind: HypervisorKind, options: LibvirtOptions): Hypervisor {
  return kind === 'libvirt' ? new LibvirtHypervisor(options) : new QemuHypervisor(options)
}
