import { readFile, writeFile } from 'node:fs/promises'

/** Offsets in the setup header of a bzImage (Linux, Documentation/x86/boot.rst). */
const SETUP_SECTORS = 0x1f1
const PAYLOAD_OFFSET = 0x248
const PAYLOAD_LENGTH = 0x24c
const SECTOR_BYTES = 512
const LZ4_LEGACY_MAGIC = 0x184c2102
const ELF_MAGIC = 0x464c457f
/** The kernel builds its lz4 payload in blocks of 8 MiB (legacy frame format). */
const LZ4_BLOCK_BYTES = 8 * 1024 * 1024

/**
 * Writes the kernel unpacked, as the ELF file QEMU starts directly (PVH): without hardware virtualization the guest would
 * spend a large part of its boot in the unpacker. A kernel packed otherwise than Debian 12's is copied as it is.
 */
export async function writeKernel(bzImage: string, to: string): Promise<void> {
  const image = await readFile(bzImage)
  const start = ((image.readUInt8(SETUP_SECTORS) || 4) + 1) * SECTOR_BYTES + image.readUInt32LE(PAYLOAD_OFFSET)
  const payload = image.subarray(start, start + image.readUInt32LE(PAYLOAD_LENGTH))
  const unpacked = payload.readUInt32LE(0) === LZ4_LEGACY_MAGIC ? unpackLz4(payload) : undefined
  await writeFile(to, unpacked?.readUInt32LE(0) === ELF_MAGIC ? unpacked : image)
}

/** Unpacks an lz4 legacy frame whose last four bytes are the kernel's own size field. */
function unpackLz4(payload: Buffer): Buffer {
  const size = payload.readUInt32LE(payload.length - 4)
  const output = Buffer.alloc(size)
  let written = 0
  for (let at = 4; at + 4 < payload.length - 4 && written < size;) {
    const length = payload.readUInt32LE(at)
    written = unpackBlock(payload.subarray(at + 4, at + 4 + length), output, written, Math.min(size, written + LZ4_BLOCK_BYTES))
    at += 4 + length
  }
  if (written !== size) throw new Error(`kernel payload unpacks to ${written} bytes instead of ${size}`)
  return output
}

function unpackBlock(block: Buffer, output: Buffer, start: number, limit: number): number {
  let at = 0
  let written = start
  const longLength = (base: number): number => {
    let length = base
    if (base !== 15) return length
    for (let byte = 255; byte === 255; length += byte) byte = block.readUInt8(at++)
    return length
  }
  while (at < block.length) {
    const token = block.readUInt8(at++)
    const literals = longLength(token >> 4)
    block.copy(output, written, at, at + literals)
    at += literals
    written += literals
    if (at >= block.length) break
    const distance = block.readUInt16LE(at)
    at += 2
    const matched = longLength(token & 15) + 4
    // Byte by byte: a match may overlap what it produces.
    for (let index = 0; index < matched; index++) output[written + index] = output[written + index - distance] ?? 0
    written += matched
  }
  if (written > limit) throw new Error('kernel payload: a block is larger than it may be')
  return written
}
