/** Name of the virtual server that gives a host's function. */
export function virtualServerOf(host: string): string {
  return `${host}-v`
}

/** Folder below `vm/` of a host's virtual server: its saved memory holds its own address, so each has one. */
export function imageOf(host: string): string {
  return host
}

/** Enough for the lab's guest (measured with 128 and 256 MB; less memory is saved and restored faster). */
export const GUEST_MEMORY_MB = 128
