/**
 * The wire form on a kept-open stream: length (4 bytes, big endian, counts type and body), type (1 byte), body.
 * libp2p streams merge and split what is written, so boundaries are ours to keep. Pure: no clock, no I/O.
 */

/** `hello` opens the stream both ways, `beat` asks "alive?", `answer` says so, `message` carries JSON. */
export type FrameType = 'hello' | 'beat' | 'answer' | 'message'

export interface Frame {
  readonly type: FrameType
  readonly body: Uint8Array
}

/** Larger than the largest survey or nomination by two orders of magnitude; bounds what a faulty peer makes us keep. */
export const FRAME_LIMIT_BYTES = 256 * 1024

const TYPES: readonly FrameType[] = ['hello', 'beat', 'answer', 'message']
const HEADER_BYTES = 4
const EMPTY = new Uint8Array(0)

/** One frame as bytes, or undefined when it would be larger than the limit. */
export function encodeFrame(type: FrameType, body: Uint8Array = EMPTY): Uint8Array | undefined {
  const length = 1 + body.byteLength
  if (length > FRAME_LIMIT_BYTES) return undefined
  const bytes = new Uint8Array(HEADER_BYTES + length)
  new DataView(bytes.buffer).setUint32(0, length)
  bytes[HEADER_BYTES] = TYPES.indexOf(type)
  bytes.set(body, HEADER_BYTES + 1)
  return bytes
}

export interface Decoded {
  readonly frames: readonly Frame[]
  /** What was wrong; the stream cannot be understood from here on. */
  readonly fault?: string
}

/** Collects chunks of any size into frames. After a fault it takes nothing more. */
export class FrameDecoder {
  private chunks: Uint8Array[] = []
  private held_bytes = 0
  private fault: string | undefined

  push(chunk: Uint8Array): Decoded {
    const frames: Frame[] = []
    if (chunk.byteLength > 0 && this.fault === undefined) {
      this.chunks.push(chunk)
      this.held_bytes += chunk.byteLength
      for (let frame = this.next(); frame; frame = this.next()) frames.push(frame)
    }
    return this.fault === undefined ? { frames } : { frames, fault: this.fault }
  }

  private next(): Frame | undefined {
    if (this.held_bytes < HEADER_BYTES) return undefined
    const header = this.peek(HEADER_BYTES)
    const length = new DataView(header.buffer, header.byteOffset).getUint32(0)
    if (length < 1 || length > FRAME_LIMIT_BYTES) return this.fail(`a frame of ${length} bytes (1 to ${FRAME_LIMIT_BYTES} are allowed)`)
    if (this.held_bytes < HEADER_BYTES + length) return undefined
    const whole = this.peek(HEADER_BYTES + length)
    const number = whole[HEADER_BYTES] ?? TYPES.length
    const type = TYPES[number]
    if (type === undefined) return this.fail(`a frame of unknown type ${number}`)
    if (type !== 'message' && length !== 1) return this.fail(`a ${type} frame with a body`)
    this.drop(HEADER_BYTES + length)
    return { type, body: whole.subarray(HEADER_BYTES + 1) }
  }

  private fail(fault: string): undefined {
    this.fault = fault
    this.chunks = []
    this.held_bytes = 0
    return undefined
  }

  /** The first `count` bytes in one piece. Chunks are joined only here, so a large frame in small chunks is copied a bounded number of times. */
  private peek(count: number): Uint8Array {
    const first = this.chunks[0] ?? EMPTY
    if (first.byteLength >= count) return first.subarray(0, count)
    if (count <= HEADER_BYTES) return Uint8Array.from(this.firstBytes(count))
    const joined = new Uint8Array(this.held_bytes)
    let offset = 0
    for (const chunk of this.chunks) {
      joined.set(chunk, offset)
      offset += chunk.byteLength
    }
    this.chunks = [joined]
    return joined.subarray(0, count)
  }

  private firstBytes(count: number): number[] {
    const bytes: number[] = []
    for (const chunk of this.chunks) {
      for (const byte of chunk.subarray(0, count - bytes.length)) bytes.push(byte)
      if (bytes.length === count) break
    }
    return bytes
  }

  private drop(count: number): void {
    this.held_bytes -= count
    let left = count
    while (left > 0) {
      const first = this.chunks[0] ?? EMPTY
      if (first.byteLength > left) {
        this.chunks[0] = first.subarray(left)
        return
      }
      this.chunks.shift()
      left -= first.byteLength
    }
  }
}
