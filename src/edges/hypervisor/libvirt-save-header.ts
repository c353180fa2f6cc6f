const MAGIC = 'LibvirtQemudSave'
const VERSION = 2
/** Native byte order; amd64 is little-endian. */
const NUMBER_BYTES = 4
/** Version, length of the XML, was running (paused when loaded), compression (none), offset of the cookie (none), 14 spare. */
const NUMBERS = 19

/**
 * What libvirt (0.8 and later, `virQEMUSaveHeader`) puts before QEMU's stream in a file of `virsh save`. With it libvirt loads the very state that was saved
 * for plain QEMU: one saved state for all hosts, whatever runs their virtual servers.
 */
export function saveHeader(xml: string): Buffer {
  const text = Buffer.from(`${xml}\0`)
  const numbers = Buffer.alloc(NUMBERS * NUMBER_BYTES)
  numbers.writeUInt32LE(VERSION, 0)
  numbers.writeUInt32LE(text.length, NUMBER_BYTES)
  return Buffer.concat([Buffer.from(MAGIC, 'latin1'), numbers, text])
}
