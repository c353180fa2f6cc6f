import { describe, expect, it } from 'vitest'
import { proofStands, rightToClaim } from '../../../src/core/right-to-claim.ts'
import { claimOf, Harness } from './harness.ts'

/** proxy looks at ftp, whose host has been silent for long. */
function silentFtp(): Harness {
  const harness = Harness.settled('proxy')
  harness.manual.add('prepare')
  harness.host('ftp').renews = false
  harness.run(4_000)
  return harness
}

const right = (harness: Harness, name = 'ftp') => rightToClaim(harness.context(), name)

describe('R4: a function may be claimed', () => {
  it('after silence for D_exp, with a tombstone for that generation', () => {
    expect(right(silentFtp())).toEqual({ proof: 'silence', epoch: 2, tombstone: { host: 'ftp', generation: 1 } })
  })

  it.each(['goodbye', 'remote-hand', 'power', 'operator', 'not-started'] as const)('when the newest epoch was released: %s', how => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    harness.addRelease('ftp', 1, how)
    harness.observe()
    expect(right(harness)).toEqual({ proof: 'released', epoch: 2 })
    expect(proofStands(harness.state, 'ftp', harness.now_ms)).toBe(true)
  })

  it('when it is the own one and was never claimed', () => {
    const harness = new Harness('proxy')
    harness.claims.set('proxy', [])
    harness.manual.add('claim')
    harness.run(1_000)
    expect(right(harness, 'proxy')).toEqual({ proof: 'first', epoch: 1 })
  })

  it('when the holder is an older generation of the own host', () => {
    const harness = new Harness('proxy')
    harness.manual.add('claim')
    harness.claims.set('proxy', [claimOf('proxy', 1, 'proxy', { generation: 0 })])
    harness.run(1_000)
    expect(right(harness, 'proxy')).toEqual({ proof: 'own-past', epoch: 2 })
  })
})

describe('R4: a function may not be claimed', () => {
  it('while its holder renews', () => {
    expect(right(Harness.settled('proxy'))).toEqual({ refused: expect.stringContaining('has been silent for'), at_ms: expect.any(Number) })
  })

  it('one moment before D_exp of silence, and told when to look again', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    harness.host('ftp').renews = false
    const facts = harness.state.hosts.get('ftp')!
    harness.run(600)
    harness.runUntil(() => harness.now_ms - facts.lease_since_ms >= harness.profile.expire_ms - 10)
    harness.observe()
    expect(right(harness)).toEqual({ refused: `the lease of ftp has been silent for 3090 ms of 3100 ms`, at_ms: facts.lease_since_ms + 3_100 })
    harness.now_ms += 10
    harness.observe()
    expect(right(harness)).toMatchObject({ proof: 'silence' })
  })

  it('when D_exp is over by the clock and not by the last read', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    harness.host('ftp').renews = false
    const facts = harness.state.hosts.get('ftp')!
    harness.run(600)
    harness.runUntil(() => harness.now_ms - facts.lease_since_ms >= harness.profile.expire_ms - 10)
    harness.observe()
    harness.now_ms += harness.profile.renew_ms
    expect(right(harness)).toEqual({ refused: 'the lease of ftp has been silent for 3090 ms of 3100 ms', at_ms: facts.lease_since_ms + 3_100 })
  })

  it('while a promise to the holder stands', () => {
    const harness = silentFtp()
    harness.state.hosts.get('ftp')!.promised_until_ms = harness.now_ms + 100
    expect(right(harness)).toEqual({ refused: 'a promise to ftp stands', at_ms: harness.now_ms + 100 })
    expect(proofStands(harness.state, 'ftp', harness.now_ms)).toBe(false)
    expect(proofStands(harness.state, 'ftp', harness.now_ms + 100)).toBe(true)
  })

  it('before the shared area was read after the end of an own promise', () => {
    const harness = silentFtp()
    const promised_until_ms = harness.now_ms + 100
    harness.state.hosts.get('ftp')!.promised_until_ms = promised_until_ms
    harness.now_ms = promised_until_ms
    expect(right(harness)).toEqual({ refused: 'the shared area was not read since a promise to ftp ended', at_ms: promised_until_ms })
    harness.observe()
    expect(right(harness)).toMatchObject({ proof: 'silence' })
  })

  it('when the holder keeps it unmanaged, however long it is silent', () => {
    const harness = Harness.settled('proxy')
    harness.host('ftp').standing = 'unmanaged'
    harness.run(1_000)
    harness.host('ftp').renews = false
    harness.run(20_000)
    expect(right(harness)).toEqual({ refused: 'ftp keeps it unmanaged' })
    expect(proofStands(harness.state, 'ftp', harness.now_ms)).toBe(false)
    expect(harness.asked('claim')).toEqual([])
  })

  it('when the own lease is not good for as long as claim and start take', () => {
    const harness = silentFtp()
    harness.state.own.deadline_ms = harness.now_ms + harness.profile.stop_ms / 4
    expect(right(harness)).toEqual({ refused: 'own lease is not good for long enough' })
    harness.state.own.deadline_ms += 1
    expect(right(harness)).toMatchObject({ proof: 'silence' })
  })

  it('before there is a lease at all', () => {
    const harness = silentFtp()
    harness.state.own.generation = 0
    expect(right(harness)).toEqual({ refused: 'own lease is not good for long enough' })
  })

  it('when the shared area was not read lately: an old read proves no silence', () => {
    const harness = silentFtp()
    harness.state.share.last_returned_ms = harness.now_ms - 2 * harness.profile.renew_ms - 2
    expect(right(harness)).toEqual({ refused: 'the shared area was not read lately' })
  })

  it('when it was never claimed and belongs to another', () => {
    const harness = new Harness('proxy')
    harness.claims.set('ftp', [])
    harness.run(1_000)
    expect(right(harness)).toEqual({ refused: expect.stringContaining('never claimed') })
    expect(proofStands(harness.state, 'ftp', harness.now_ms)).toBe(false)
  })

  it('when this host claimed it already', () => {
    expect(right(Harness.settled('proxy'), 'proxy')).toEqual({ refused: 'it is claimed by this host already' })
  })
})
