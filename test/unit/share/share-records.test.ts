import { describe, expect, test } from 'vitest'
import type { LeaseRecord } from '../../../src/core/records.ts'
import { LineReader } from '../../../src/edges/lines.ts'
import { decodeClaim, decodeLease, encodeLease, encodeRecord, LEASE_BYTES, LEASE_LIMIT_BYTES } from '../../../src/edges/share/share-records.ts'
import { ShareHealth } from '../../../src/edges/share/share-health.ts'

const lease: LeaseRecord = { schema: 'ringward.lease/1', host: 'ftp', generation: 12, sequence: 345, standing: 'member', boot_id: 'f5f3e1d0-6a43-4f5b-9c1e-000000000000' }

describe('lease record', () => {
  test('has a fixed size, ends its line, and comes back whole', () => {
    const bytes = encodeLease(lease)
    expect(bytes.length).toBe(LEASE_BYTES)
    expect(bytes.at(-1)).toBe(10)
    expect(decodeLease(bytes)).toEqual(lease)
  })

  test('a mixture of two records is recognised wherever it was torn', () => {
    const older = encodeLease(lease)
    const newer = encodeLease({ ...lease, generation: 13, sequence: 1 })
    for (let cut = 0; cut <= LEASE_BYTES; cut++) {
      const seen = decodeLease(Buffer.concat([newer.subarray(0, cut), older.subarray(cut)]))
      if (seen) expect([12, 13]).toContain(seen.generation)
      if (seen) expect([encodeLease(seen).compare(older), encodeLease(seen).compare(newer)]).toContain(0)
    }
  })

  test('short, long and foreign bytes are none', () => {
    expect(decodeLease(encodeLease(lease).subarray(1))).toBeUndefined()
    expect(decodeLease(Buffer.alloc(LEASE_BYTES))).toBeUndefined()
    expect(decodeLease(Buffer.from('null'.padEnd(LEASE_BYTES)))).toBeUndefined()
    expect(() => encodeLease({ ...lease, boot_id: 'x'.repeat(LEASE_LIMIT_BYTES) })).toThrow(/does not fit/)
  })

  test('lists the electorate, in as many sectors as it needs and never fewer than before', () => {
    const electorate = Array.from({ length: 255 }, (_, index) => `server-${index}`)
    const bytes = encodeLease({ ...lease, electorate })
    expect(bytes.length % LEASE_BYTES).toBe(0)
    expect(decodeLease(bytes)).toEqual({ ...lease, electorate })
    expect(encodeLease({ ...lease, electorate: ['mail', 'login', 'proxy', 'web1', 'web2'] }).length).toBe(LEASE_BYTES)
    const by_majority = { ...lease, electorate: ['mail', 'login'], may_miss: 1 }
    expect(decodeLease(encodeLease(by_majority))).toEqual(by_majority)
    const shorter = encodeLease(lease, bytes.length)
    expect(shorter.length).toBe(bytes.length)
    expect(decodeLease(shorter)).toEqual(lease)
    for (let cut = 0; cut <= bytes.length; cut += 7) {
      const seen = decodeLease(Buffer.concat([shorter.subarray(0, cut), bytes.subarray(cut)]))
      if (seen) expect([255, undefined]).toContain(seen.electorate?.length)
    }
  })
})

test('a claim with a wrong field is none', () => {
  const claim = { schema: 'ringward.claim/1', function: 'ftp', epoch: 1, holder: 'web1', generation: 2, kind: 'virtual', proof: 'silence', tombstone: { host: 'ftp', generation: 9 }, by: 'web1', nonce: 'n' } as const
  expect(decodeClaim(encodeRecord(claim))).toEqual(claim)
  for (const wrong of [{ epoch: 0 }, { epoch: 1.5 }, { holder: '../x' }, { kind: 'paper' }, { proof: 'hope' }, { tombstone: { host: 'ftp' } }, { nonce: 7 }]) {
    expect(decodeClaim(Buffer.from(JSON.stringify({ ...claim, ...wrong })))).toBeUndefined()
  }
})

test('lines arrive whole, and an endless one is cut off', () => {
  const lines: string[] = []
  let tooLong = 0
  const reader = new LineReader(10, line => lines.push(line), () => { tooLong++ })
  for (const text of ['ab', 'c\nd', '\n\nef\n', 'x'.repeat(8), 'yyy']) reader.feed(text)
  expect(lines).toEqual(['abc', 'd', 'ef'])
  expect(tooLong).toBe(1)
})

test('the state of the share tells changes only', () => {
  const states: string[] = []
  const health = new ShareHealth(({ state }) => states.push(state))
  health.answered(5, false)
  health.unanswered(700)
  health.unanswered(900)
  health.unanswered(2_100)
  health.answered(2_500, false)
  health.answered(5, false)
  for (let errors = 0; errors < 4; errors++) health.answered(3, true)
  health.answered(3, false)
  expect(states).toEqual(['slow', 'unreachable', 'slow', 'good', 'unreachable', 'good'])
})
