import { describe, expect, it } from 'vitest'
import { promiseGiven_ms } from '../../../src/core/profile.ts'
import { rightToClaim } from '../../../src/core/right-to-claim.ts'
import { claimOf, Harness, native, virtual } from './harness.ts'

/** ftp gives its function and its renewals are late. */
function late(hosts = 6): Harness {
  const harness = Harness.settled('ftp', { hosts })
  harness.renews = false
  harness.run(600)
  return harness
}

describe('R8: a host whose renewal is late', () => {
  it('asks all others for their promise, from 1.5 renewals on, and not before', () => {
    const harness = Harness.settled('ftp')
    harness.lease()
    harness.renews = false
    harness.run(740)
    expect(harness.sent('promise-request')).toEqual([])
    harness.run(20)
    expect(harness.sent('promise-request').map(({ to }) => to).sort()).toEqual(['login', 'mail', 'proxy', 'web1', 'web2'])
  })

  it('rides only while all others promise, counted from the asking of the oldest', () => {
    const harness = late()
    harness.runUntil(() => harness.sent('promise-request').length > 0)
    const { request, sent_ms: asked_ms } = harness.state.promise.requests.at(-1)!
    harness.run(30)
    for (const from of ['mail', 'login', 'proxy', 'web1']) harness.message(from, { kind: 'promise', request })
    expect(harness.asked('ride')).toEqual([])
    harness.message('web2', { kind: 'promise', request })
    expect(harness.asked('ride')).toEqual([{ command: 'ride', until_ms: asked_ms + harness.profile.promise_ms, promised: ['mail', 'login', 'proxy', 'web1', 'web2'] }])
  })

  it('counts an answer to a request it never made for nothing', () => {
    const harness = late()
    harness.runUntil(() => harness.sent('promise-request').length > 0)
    for (const from of harness.hosts.keys()) harness.message(from, { kind: 'promise', request: 999_999 })
    expect(harness.asked('ride')).toEqual([])
  })

  it('rides alone when nobody else is in the inventory', () => {
    const harness = Harness.settled('mail', { hosts: 1 })
    harness.renews = false
    harness.run(1_500)
    expect(harness.asked('ride').length).toBeGreaterThan(0)
  })

  it('asks nobody while its guard does not answer, and again when it does', () => {
    const harness = late()
    harness.runUntil(() => harness.sent('promise-request').length > 0)
    harness.event({ event: 'guard', answers: false })
    const asked = harness.sent('promise-request').length
    harness.run(5_000)
    expect(harness.sent('promise-request')).toHaveLength(asked)
    expect(harness.said('Guard_does_not_answer')).toBe(true)
    harness.lease()
    harness.event({ event: 'guard', answers: true })
    harness.run(1_000)
    expect(harness.sent('promise-request').length).toBeGreaterThan(asked)
  })

  it('asks nobody any more when the guard has neither lease nor ride and has not said that it stopped', () => {
    const harness = late()
    // Nobody promises, so that no order is given that the guard could leave unanswered.
    for (const name of harness.hosts.keys()) harness.host(name).answers = false
    harness.run(2_500)
    const asked = harness.sent('promise-request').length
    expect(asked).toBeGreaterThan(0)
    harness.run(10_000)
    expect(harness.sent('promise-request')).toHaveLength(asked)
  })

  it('does not ask for a virtual server: its image is on the share', () => {
    const harness = Harness.settled('ftp')
    harness.state.giving.get('ftp')!.stage = 'stopping'
    harness.renews = false
    harness.run(3_000)
    expect(harness.sent('promise-request')).toEqual([])
  })

  it('keeps its native function over the lost lease and claims it again under the next generation', () => {
    const harness = late()
    harness.loseLease([])
    expect(harness.state.giving.get('ftp')).toMatchObject({ stage: 'serving', epoch: 1 })
    harness.renews = true
    harness.run(1_000)
    expect(harness.newest('ftp')).toMatchObject({ epoch: 2, generation: 2, proof: 'own-past', holder: 'ftp' })
    expect(harness.asked('serve').at(-1)).toMatchObject({ function: 'ftp', epoch: 2, generation: 2 })
    expect(harness.asked('stop')).toEqual([])
  })

  it('drops everything else: what the guard has stopped and what was half started', () => {
    const harness = Harness.settled('ftp')
    harness.manual.add('prepare')
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'web1', epoch: 1, as: 'virtual' })
    harness.loseLease(['ftp'])
    expect(harness.state.giving.size).toBe(0)
    expect(harness.asked('stop').map(({ function: name }) => name).sort()).toEqual(['ftp', 'web1'])
    expect(harness.said('Lease_is_lost')).toBe(true)
  })
})

/** proxy has ordered the claim of ftp's function, and the share has not answered yet. The release that let it is taken back, so that the order alone speaks. */
function claiming(): Harness {
  const harness = Harness.settled('proxy')
  harness.manual.add('claim')
  harness.addRelease('ftp', 1)
  harness.observe()
  harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
  expect(harness.asked('claim')).toHaveLength(1)
  harness.releases.clear()
  harness.state.functions.get('ftp')!.release = undefined
  return harness
}

describe('R8: a host that is asked', () => {
  it('keeps its promise whatever the claim of an own server calls itself: an older program wrote `virtual`', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    harness.claims.set('ftp', [claimOf('ftp', 1, 'ftp'), claimOf('ftp', 2, 'ftp', { kind: 'virtual', proof: 'hand-over', by: 'web1' })])
    harness.observe()
    harness.host('ftp').renews = false
    harness.run(3_500)
    expect(rightToClaim(harness.context(), 'ftp')).toMatchObject({ proof: 'silence' })
    harness.message('ftp', { kind: 'promise-request', request: 7, epoch: 2 })
    expect(rightToClaim(harness.context(), 'ftp')).toMatchObject({ refused: 'a promise to ftp stands' })
  })

  it('promises, and claims nothing of the asker for so long', () => {
    const harness = Harness.settled('proxy')
    harness.message('ftp', { kind: 'promise-request', request: 7, epoch: 1 })
    expect(harness.sent('promise', 'ftp').map(({ message }) => message)).toEqual([{ kind: 'promise', request: 7 }])
    expect(harness.state.hosts.get('ftp')!.promised_until_ms).toBe(harness.now_ms + promiseGiven_ms(harness.profile))
  })

  it('refuses while a claim on something of the asker is under way', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('claim')
    harness.addRelease('ftp', 1)
    harness.observe()
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
    expect(harness.state.giving.get('ftp')!.stage).toBe('claiming')
    harness.message('ftp', { kind: 'promise-request', request: 7, epoch: 1 })
    expect(harness.sent('promise')).toEqual([])
    harness.message('web2', { kind: 'promise-request', request: 8, epoch: 1 })
    expect(harness.sent('promise', 'web2')).toHaveLength(1)
  })

  it('refuses from the order of a claim until its outcome is known, whatever has become of the start it was for', () => {
    const harness = claiming()
    harness.run(12_000)
    expect(harness.state.giving.has('ftp')).toBe(false)
    harness.message('ftp', { kind: 'promise-request', request: 7, epoch: 1 })
    expect(harness.sent('promise')).toEqual([])
    expect(harness.said('No_promise_for_ftp')).toBe(true)
    harness.event({ event: 'claimed', function: 'ftp', epoch: 2, outcome: 'lost', standing: claimOf('ftp', 2, 'ftp'), detail: '' })
    harness.message('ftp', { kind: 'promise-request', request: 8, epoch: 2 })
    expect(harness.sent('promise', 'ftp').map(({ message }) => message.request)).toEqual([8])
  })

  it('refuses when it has won the claim, though its own next read of the share has still to show it', () => {
    const harness = claiming()
    harness.share_answers = false
    harness.event({ event: 'claimed', function: 'ftp', epoch: 2, outcome: 'won', standing: claimOf('ftp', 2, 'proxy'), detail: '' })
    harness.message('ftp', { kind: 'promise-request', request: 7, epoch: 1 })
    expect(harness.sent('promise')).toEqual([])
  })

  it('promises again when a claim it had ordered is dead with its generation', () => {
    const harness = claiming()
    harness.loseLease([])
    harness.message('ftp', { kind: 'promise-request', request: 7, epoch: 1 })
    expect(harness.sent('promise', 'ftp')).toHaveLength(1)
  })

  it('refuses under an epoch that is over: released, or claimed by a third', () => {
    const harness = Harness.settled('proxy')
    harness.addRelease('ftp', 1)
    harness.addClaim(claimOf('mail', 2, 'web2'))
    harness.observe()
    harness.message('ftp', { kind: 'promise-request', request: 7, epoch: 1 })
    harness.message('mail', { kind: 'promise-request', request: 7, epoch: 1 })
    expect(harness.sent('promise')).toEqual([])
  })

  it('refuses when it has ordered the release itself, before anybody can read it', () => {
    const harness = Harness.settled('proxy')
    harness.die('ftp')
    harness.run(2_500)
    harness.manual.add('release')
    harness.event({ event: 'confirmed-dead', target: 'ftp' })
    expect(harness.asked('release')).toHaveLength(1)
    harness.message('ftp', { kind: 'promise-request', request: 7, epoch: 1 })
    expect(harness.sent('promise')).toEqual([])
  })

  it('promises a host that has claimed its function again meanwhile, though it has not read that yet', () => {
    const harness = Harness.settled('proxy')
    harness.addClaim(claimOf('ftp', 2, 'web2'))
    harness.observe()
    harness.share_answers = false
    harness.message('ftp', { kind: 'promise-request', request: 7, epoch: 3 })
    expect(harness.sent('promise', 'ftp')).toHaveLength(1)
  })

  it('takes nothing over while the promise stands, and does when it has run out', () => {
    const harness = Harness.settled('proxy')
    harness.host('ftp').renews = false
    for (let count = 0; count < 16; count += 1) {
      harness.message('ftp', { kind: 'promise-request', request: count, epoch: 1 })
      harness.run(500)
      harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
    }
    expect(harness.asked('claim')).toEqual([])
    expect(harness.said('goes_on_by_promise: no takeover')).toBe(true)
    harness.runUntil(() => harness.asked('claim').length > 0, 5_000)
    expect(harness.newest('ftp')).toMatchObject({ epoch: 2, holder: 'proxy', proof: 'silence' })
  })
})

describe('R8: what a promise covers', () => {
  /** ftp rides, and ran the virtual server of web1, whose host is off. */
  function riding(self: string): Harness {
    const harness = Harness.settled(self)
    harness.die('web1')
    harness.addClaim(claimOf('web1', 2, 'ftp'))
    harness.host('ftp').giving = [native('ftp'), virtual('web1', 2)]
    harness.run(5_000)
    harness.forget()
    harness.host('ftp').renews = false
    return harness
  }

  function keepRiding(harness: Harness, duration_ms: number): void {
    for (let asked = 0; asked < duration_ms / 500; asked += 1) {
      harness.message('ftp', { kind: 'promise-request', request: asked, epoch: 1 })
      harness.run(500)
    }
  }

  it('its virtual servers have ended with its lease (R2): others claim them by its silence, and not the function it rides', () => {
    const harness = riding('proxy')
    harness.manual.add('claim')
    for (let asked = 0; asked < 12; asked += 1) {
      harness.message('login', { kind: 'nominate', incident: 'i', function: 'web1', epoch: 2, as: 'virtual' })
      harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
      keepRiding(harness, 500)
    }
    expect(harness.asked('claim').map(({ order }) => [order.function, order.epoch, order.proof])).toContainEqual(['web1', 3, 'silence'])
    expect(harness.asked('claim').filter(({ order }) => order.function === 'ftp')).toEqual([])
  })

  it('but not before that lease has been silent for D_exp', () => {
    const harness = riding('proxy')
    harness.manual.add('claim')
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'web1', epoch: 2, as: 'virtual' })
    keepRiding(harness, 2_500)
    expect(harness.asked('claim')).toEqual([])
  })

  it('the manager of the function sees to it, without any incident of the host that rides', () => {
    const harness = riding('proxy')
    keepRiding(harness, 4_000)
    expect(harness.sent('nominate').map(({ message }) => [message.function, message.epoch])).toContainEqual(['web1', 2])
    expect([...harness.state.incidents.values()].map(({ target }) => target)).toEqual(['web1'])
  })
})

describe('R9: a host that rode', () => {
  it('stops when it reads that its epoch belongs to another', () => {
    const harness = late()
    harness.addClaim(claimOf('ftp', 2, 'web1'))
    harness.observe()
    expect(harness.asked('stop')).toEqual([{ command: 'stop', function: 'ftp', kind: 'native' }])
    expect(harness.said('epoch 2 belongs to web1')).toBe(true)
  })
})
