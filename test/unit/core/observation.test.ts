import { describe, expect, it } from 'vitest'
import { claimOf, Harness } from './harness.ts'

/** mail with ftp silent; nothing is prepared, so that only the counting is looked at. */
function looking(): Harness {
  const harness = Harness.settled('mail')
  harness.manual.add('prepare')
  return harness
}

const silent = (harness: Harness): number => harness.state.hosts.get('ftp')!.lease_silent_ms

describe('R3: silence is counted', () => {
  it('from the return of the read that first showed the pair to the issue of the newest', () => {
    const harness = looking()
    harness.host('ftp').renews = false
    harness.run(2_000)
    const since_ms = harness.state.hosts.get('ftp')!.lease_since_ms
    harness.observe(300)
    expect(silent(harness)).toBe(harness.now_ms - 300 - since_ms)
  })

  it('never as negative', () => {
    const harness = looking()
    harness.host('ftp').sequence += 1
    harness.observe(900)
    expect(silent(harness)).toBe(0)
  })

  it('anew after a gap between reads of more than two renewals', () => {
    const harness = looking()
    harness.host('ftp').renews = false
    harness.run(1_500)
    expect(silent(harness)).toBeGreaterThan(1_000)
    harness.share_answers = false
    harness.now_ms += 2 * harness.profile.renew_ms + 10
    harness.event({ event: 'observe-failed', reason: 'no answer in time' })
    harness.observe()
    expect(silent(harness)).toBe(0)
    expect(harness.state.hosts.get('ftp')!.lease_since_ms).toBe(harness.now_ms)
  })

  it('anew when the same read shows a claim under a newer generation: the leases were read before it', () => {
    const harness = looking()
    const ftp = harness.host('ftp')
    ftp.renews = false
    harness.run(2 * harness.profile.expire_ms)
    expect(silent(harness)).toBeGreaterThan(harness.profile.expire_ms)
    harness.addClaim(claimOf('ftp', 2, 'ftp', { generation: ftp.generation + 1, proof: 'own-past' }))
    harness.observe()
    expect(silent(harness)).toBe(0)
  })

  describe('of a host whose disk was put back, after a late word of its former life', () => {
    function putBack(): { readonly harness: Harness; readonly generation: number } {
      const harness = looking()
      const ftp = harness.host('ftp')
      const { generation } = ftp
      ftp.generation = generation + 2
      harness.observe()
      ftp.generation = generation + 1
      return { harness, generation }
    }

    it('never while it renews', () => {
      const { harness } = putBack()
      harness.run(10_000)
      expect(silent(harness)).toBe(0)
      expect(harness.said('Network_is_abnormal')).toBe(false)
    })

    it('from its last record on, when it dies', () => {
      const { harness } = putBack()
      harness.run(1_000)
      harness.host('ftp').renews = false
      harness.run(1_000)
      const since_ms = harness.state.hosts.get('ftp')!.lease_since_ms
      harness.run(harness.profile.expire_ms)
      expect(harness.state.hosts.get('ftp')!.lease_since_ms).toBe(since_ms)
      expect(silent(harness)).toBeGreaterThan(harness.profile.expire_ms - 600)
    })

    it('and is known by the generation it has once the newer one has not been seen for an expiry', () => {
      const { harness, generation } = putBack()
      harness.run(harness.profile.expire_ms - 600)
      expect(harness.state.hosts.get('ftp')!.lease!.generation).toBe(generation + 2)
      harness.run(2_000)
      expect(harness.state.hosts.get('ftp')!.lease!.generation).toBe(generation + 1)
    })
  })

  it('not anew while reads show an older pair in turn with the newest', () => {
    const harness = looking()
    const ftp = harness.host('ftp')
    ftp.renews = false
    const { sequence } = ftp
    for (let read = 0; read < 10; read += 1) {
      ftp.sequence = sequence - read % 2
      harness.run(500)
    }
    expect(silent(harness)).toBeGreaterThan(harness.profile.expire_ms)
  })

  it('anew after a gap that ends with an older pair: what it was before belongs to the outage', () => {
    const harness = looking()
    const ftp = harness.host('ftp')
    ftp.renews = false
    harness.run(2 * harness.profile.expire_ms)
    expect(silent(harness)).toBeGreaterThan(harness.profile.expire_ms)
    harness.share_answers = false
    harness.now_ms += 2 * harness.profile.renew_ms + 10
    harness.event({ event: 'observe-failed', reason: 'no answer in time' })
    ftp.sequence -= 1
    harness.observe()
    expect(silent(harness)).toBe(0)
    expect(harness.state.hosts.get('ftp')!.lease_since_ms).toBe(harness.now_ms)
  })

  it('on over a gap of two renewals and no more', () => {
    const harness = looking()
    harness.host('ftp').renews = false
    harness.run(1_500)
    const since_ms = harness.state.hosts.get('ftp')!.lease_since_ms
    harness.now_ms = harness.state.share.last_returned_ms + 2 * harness.profile.renew_ms
    harness.observe()
    expect(silent(harness)).toBe(harness.now_ms - since_ms)
  })

  it('so that an outage of the share is not taken for silence of all', () => {
    const harness = looking()
    harness.share_answers = false
    for (const host of harness.hosts.values()) host.renews = false
    harness.renews = false
    harness.run(60_000)
    harness.event({ event: 'observe-failed', reason: 'no answer in time' })
    expect(harness.said('Shared_area_does_not_answer')).toBe(true)
    harness.share_answers = true
    harness.renews = true
    for (const host of harness.hosts.values()) host.renews = true
    harness.run(10_000)
    expect(harness.asked('claim')).toEqual([])
    expect(harness.said('Network_is_abnormal')).toBe(false)
  })
})

describe('R3: the pair of generation and sequence', () => {
  it('only grows: a stale one is ignored', () => {
    const harness = looking()
    const facts = harness.state.hosts.get('ftp')!
    const seen = facts.lease!
    harness.run(20)
    const { sequence } = harness.host('ftp')
    harness.host('ftp').sequence = seen.sequence - 3
    harness.observe()
    expect(facts.lease).toEqual(seen)
    harness.host('ftp').sequence = sequence
    harness.host('ftp').generation = 0
    harness.observe()
    expect(facts.lease).toEqual(seen)
  })

  it('of a later generation counts though its sequence begins anew', () => {
    const harness = looking()
    Object.assign(harness.host('ftp'), { generation: 2, sequence: 1 })
    harness.observe()
    expect(harness.state.hosts.get('ftp')!.lease).toMatchObject({ generation: 2, sequence: 1 })
    expect(harness.said('ftp_has_generation_2')).toBe(true)
  })

  it('says when a host becomes unmanaged or has said goodbye', () => {
    const harness = looking()
    harness.host('ftp').standing = 'unmanaged'
    harness.run(1_000)
    expect(harness.said('ftp_is_unmanaged')).toBe(true)
  })
})

describe('claims as they are read', () => {
  it('only grow in epoch', () => {
    const harness = looking()
    harness.addClaim(claimOf('ftp', 2, 'web1'))
    harness.observe()
    harness.claims.set('ftp', [claimOf('ftp', 1, 'ftp')])
    harness.observe()
    expect(harness.state.functions.get('ftp')!.claim).toMatchObject({ epoch: 2, holder: 'web1' })
  })

  it('leave a release of an older epoch behind', () => {
    const harness = looking()
    harness.manual.add('claim')
    harness.addRelease('ftp', 1)
    harness.observe()
    expect(harness.state.functions.get('ftp')!.release?.epoch).toBe(1)
    harness.addClaim(claimOf('ftp', 2, 'web1'))
    harness.observe()
    expect(harness.state.functions.get('ftp')!.release).toBeUndefined()
  })

  it('of a function that is not in the inventory are passed over', () => {
    const harness = looking()
    harness.claims.set('ghost', [claimOf('ghost', 1, 'ghost')])
    expect(() => harness.observe()).not.toThrow()
    expect(harness.state.functions.has('ghost')).toBe(false)
  })
})

describe('reads', () => {
  it('follow one another at the renewal interval, one outstanding at most', () => {
    const harness = looking()
    harness.manual.add('observe')
    harness.forget()
    harness.run(4_900)
    expect(harness.asked('observe')).toHaveLength(1)
    harness.run(600)
    expect(harness.asked('observe').length).toBe(2)
  })

  it('come at once when another asks to look', () => {
    const harness = looking()
    harness.run(30)
    harness.forget()
    harness.message('web1', { kind: 'look' })
    expect(harness.asked('observe')).toHaveLength(1)
  })
})
