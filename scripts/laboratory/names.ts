import type { HypervisorKind } from '../../src/core/inventory.ts'

const LIBVIRT_HOSTS: ReadonlySet<string> = new Set(['ftp', 'web1'])

/** Name of the virtual server that gives a host's function. */
export function virtualServerOf(host: string): string {
  return `${host}-v`
}

/** Folder below `vm/` of a host's virtual server: its saved memory holds its own address, so each has one. */
export function imageOf(host: string): string {
  return host
}

/** What runs virtual servers on a host: two of the customary six use libvirt. */
export function hypervisorOf(host: string): HypervisorKind {
  return LIBVIRT_HOSTS.has(host) ? 'libvirt' : 'qemu'
}

/** Enough for the lab's guest (measured with 128 and 256 MB; less memory is saved and restored faster). */
export const GUEST_MEMORY_MB = 128
