import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFrame, FRAME_LIMIT_BYTES, FrameDecoder, type Frame, type FrameType } from '../../src/edges/peers/frame.ts'

const encode = (type: FrameType, body?: Uint8Array): Uint8Array => {
  const bytes = encodeFrame(type, body)
  if (!bytes) throw new Error('too large')
  return bytes
}

const anyFrame = fc.oneof(
  fc.constantFrom<FrameType>('hello', 'beat', 'answer').map(type => ({ type, body: new Uint8Array(0) })),
  fc.uint8Array({ maxLength: 300 }).map(body => ({ type: 'message' as const, body })),
)

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let offset = 0
  for (let turn = 0; offset < bytes.byteLength; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    chunks.push(bytes.subarray(offset, offset + size))
    offset += size
  }
  return chunks
}

describe('frames', () => {
  test('any frames survive any cutting and joining', () => {
    fc.assert(fc.property(fc.array(anyFrame, { maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }), (frames, sizes) => {
      const wire = Buffer.concat(frames.map(frame => encode(frame.type, frame.body)))
      const decoder = new FrameDecoder()
      const decoded: Frame[] = []
      for (const chunk of cut(wire, sizes)) {
        const { frames: some, fault } = decoder.push(chunk)
        expect(fault).toBeUndefined()
        decoded.push(...some)
      }
      expect(decoded.map(({ type, body }) => ({ type, body: [...body] }))).toEqual(frames.map(({ type, body }) => ({ type, body: [...body] })))
    }))
  })

  test('any bytes at all never throw, and nothing follows a fault', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 10 }), chunks => {
      const decoder = new FrameDecoder()
      let faulty = false
      for (const chunk of chunks) {
        const { frames, fault } = decoder.push(chunk)
        if (faulty) expect(frames).toEqual([])
        faulty ||= fault !== undefined
        expect(fault !== undefined).toBe(faulty)
      }
    }))
  })

  test('the largest frame passes in small chunks; one byte more is not made', () => {
    const body = new Uint8Array(FRAME_LIMIT_BYTES - 1).fill(7)
    const decoder = new FrameDecoder()
    const frames = cut(encode('message', body), [1021]).flatMap(chunk => decoder.push(chunk).frames)
    expect(frames).toHaveLength(1)
    expect(Buffer.compare(frames[0]?.body ?? new Uint8Array(), body)).toBe(0)
    expect(encodeFrame('message', new Uint8Array(FRAME_LIMIT_BYTES))).toBeUndefined()
  })

  test.each([
    ['a length of zero', [0, 0, 0, 0, 3], 'a frame of 0 bytes'],
    ['a length beyond the limit', [0x7f, 0xff, 0xff, 0xff], 'are allowed'],
    ['HTTP', [...Buffer.from('GET / HTTP/1.1\r\n')], 'are allowed'],
    ['an unknown type', [0, 0, 0, 1, 9], 'unknown type 9'],
    ['a beat with a body', [0, 0, 0, 2, 1, 1], 'a beat frame with a body'],
  ])('%s is a fault', (_what, bytes, words) => {
    expect(new FrameDecoder().push(Uint8Array.from(bytes)).fault).toContain(words)
  })

  test('frames before a fault are still given', () => {
    const { frames, fault } = new FrameDecoder().push(Buffer.concat([encode('beat'), Uint8Array.from([0, 0, 0, 0])]))
    expect(frames.map(frame => frame.type)).toEqual(['beat'])
    expect(fault).toBeDefined()
  })
})
