import { describe, expect, it } from 'vitest'
import { rightToClaim } from '../../../src/core/right-to-claim.ts'
import { promiseGiven_ms } from '../../../src/core/profile.ts'
import { Harness } from './harness.ts'

const VOTERS = ['mail', 'login', 'proxy', 'web1', 'web2'] as const

/** ftp rode by the promises of a majority, and has died; `self` is told to give its function. */
function silent(self = 'login', voters: readonly string[] = VOTERS, may_miss = 2): Harness {
  const harness = Harness.settled(self)
  harness.host('ftp').rides_by = { electorate: voters, may_miss }
  harness.run(1_000)
  harness.die('ftp')
  harness.forget()
  return harness
}

/** Until it asks whether promises stand. */
function asking(harness = silent()): { harness: Harness; request: number } {
  expect(harness.runUntil(() => harness.sent('consent-request').length > 0, 10_000)).toBe(true)
  return { harness, request: harness.sent('consent-request').at(-1)!.message.request }
}

describe('R8 by majority: a claim by silence', () => {
  it('is not made before so many have said that no promise of theirs stands, itself included', () => {
    const { harness, request } = asking()
    expect([...new Set(harness.sent('consent-request').map(({ to }) => to))].sort()).toEqual(['mail', 'proxy', 'web1', 'web2'])
    harness.message('mail', { kind: 'consent', request, free_ms: 60_000 })
    harness.observe()
    expect(harness.asked('claim')).toEqual([])
    harness.message('web1', { kind: 'consent', request, free_ms: 60_000 })
    harness.observe()
    expect(harness.asked('claim').map(({ order }) => order)).toMatchObject([{ function: 'ftp', proof: 'silence', epoch: 2 }])
  })

  it('waits for a read that was issued after the question', () => {
    const harness = silent()
    harness.manual.add('observe')
    while (harness.sent('consent-request').length === 0) {
      harness.run(10)
      harness.observe(5)
    }
    const { request } = harness.sent('consent-request').at(-1)!.message
    harness.run(10)
    for (const from of ['mail', 'web1']) harness.message(from, { kind: 'consent', request, free_ms: 60_000 })
    harness.observe(100)
    expect(harness.asked('claim')).toEqual([])
    harness.observe()
    expect(harness.asked('claim').length).toBe(1)
  })

  it('counts nobody who was free for less than the answer took', () => {
    const { harness, request } = asking()
    harness.run(50)
    for (const from of ['mail', 'web1']) harness.message(from, { kind: 'consent', request, free_ms: 20 })
    harness.observe()
    expect(harness.asked('claim')).toEqual([])
  })

  it('counts nobody whom the lease does not list, nor an answer to a question that was not asked', () => {
    const { harness, request } = asking(silent('login', ['mail', 'login', 'proxy', 'web1'], 2))
    expect(harness.sent('consent-request', 'web2')).toEqual([])
    harness.message('web2', { kind: 'consent', request, free_ms: 60_000 })
    harness.message('mail', { kind: 'consent', request, free_ms: 60_000 })
    harness.message('web1', { kind: 'consent', request: 999_999, free_ms: 60_000 })
    harness.observe()
    expect(harness.asked('claim')).toEqual([])
  })

  it('forgets what was said before the holder renewed once more', () => {
    const { harness, request } = asking()
    harness.message('mail', { kind: 'consent', request, free_ms: 60_000 })
    Object.assign(harness.host('ftp'), { generation: 2, sequence: 0 })
    harness.observe()
    expect(harness.runUntil(() => harness.sent('consent-request').some(({ message }) => message.request > request + 5), 20_000)).toBe(true)
    harness.message('web1', { kind: 'consent', request: harness.sent('consent-request').at(-1)!.message.request, free_ms: 60_000 })
    harness.observe()
    expect(rightToClaim(harness.context(), 'ftp')).toHaveProperty('refused')
  })

  it('is told to wait, with the next step, when too few are there, and asks nobody in vain', () => {
    const harness = silent()
    for (const name of ['mail', 'web1', 'web2']) harness.die(name)
    harness.run(12_000)
    expect(harness.said('Consents_are_missing_for_ftp')).toBe(true)
    expect(harness.said('"ringward confirm-dead ftp"')).toBe(true)
    expect(harness.asked('claim').map(({ order }) => order.function)).not.toContain('ftp')
    expect(harness.sent('consent-request')).toEqual([])
  })

  it('needs nobody when the lease says that no promise may be missing', () => {
    const harness = silent('login', VOTERS, 0)
    expect(harness.runUntil(() => harness.asked('claim').length > 0, 10_000)).toBe(true)
    expect(harness.sent('consent-request')).toEqual([])
  })
})

describe('R8 by majority: a host that is asked whether a promise of its own stands', () => {
  it('says for how long none has, and is silent while one does', () => {
    const harness = Harness.settled('mail')
    harness.message('ftp', { kind: 'promise-request', request: 7, epoch: 1 })
    harness.message('login', { kind: 'consent-request', request: 1, holder: 'ftp' })
    harness.now_ms += promiseGiven_ms(harness.profile) - 1
    harness.message('login', { kind: 'consent-request', request: 2, holder: 'ftp' })
    expect(harness.sent('consent')).toEqual([])
    harness.now_ms += 11
    harness.message('login', { kind: 'consent-request', request: 3, holder: 'ftp' })
    expect(harness.sent('consent', 'login').map(({ message }) => message)).toEqual([{ kind: 'consent', request: 3, free_ms: 10 }])
  })

  it('is silent for as long as a promise of its former life may stand, and about itself', () => {
    const harness = new Harness('mail')
    harness.message('login', { kind: 'consent-request', request: 1, holder: 'ftp' })
    harness.now_ms += promiseGiven_ms(harness.profile) - 1
    harness.message('login', { kind: 'consent-request', request: 2, holder: 'ftp' })
    harness.now_ms += 1
    harness.message('login', { kind: 'consent-request', request: 3, holder: 'mail' })
    harness.message('login', { kind: 'consent-request', request: 4, holder: 'nobody' })
    expect(harness.sent('consent')).toEqual([])
    harness.message('login', { kind: 'consent-request', request: 5, holder: 'ftp' })
    expect(harness.sent('consent').length).toBe(1)
  })
})

describe('R8 by majority: a host whose renewal is late', () => {
  it('rides when as many have promised as its lease and its ring ask for, by the newest promises', () => {
    const harness = Harness.settled('ftp', { inventory: { ride: 'majority' } })
    expect(harness.asked('electorate').every(({ may_miss }) => may_miss === 2)).toBe(true)
    harness.event({ event: 'lease', generation: 1, sequence: 900, deadline_ms: harness.now_ms + harness.profile.stop_ms, electorate: VOTERS, may_miss: 2 })
    harness.renews = false
    harness.runUntil(() => harness.sent('promise-request').length > 0)
    const { request, sent_ms } = harness.state.promise.requests.at(-1)!
    for (const from of ['mail', 'web2']) harness.message(from, { kind: 'promise', request })
    expect(harness.asked('ride')).toEqual([])
    harness.message('login', { kind: 'promise', request })
    const [ride] = harness.asked('ride')
    expect(ride).toMatchObject({ until_ms: sent_ms + harness.profile.promise_ms })
    expect([...ride!.promised].sort()).toEqual(['login', 'mail', 'web2'])
  })

  it('needs the promises of all while a record that asks for all may stand', () => {
    const harness = Harness.settled('ftp', { inventory: { ride: 'majority' } })
    harness.renews = false
    harness.runUntil(() => harness.sent('promise-request').length > 0)
    const { request } = harness.state.promise.requests.at(-1)!
    for (const from of VOTERS.slice(1)) harness.message(from, { kind: 'promise', request })
    expect(harness.asked('ride')).toEqual([])
  })
})
