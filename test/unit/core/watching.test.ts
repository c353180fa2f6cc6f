import { describe, expect, it } from 'vitest'
import { Harness } from './harness.ts'

const mode = (harness: Harness, target = 'ftp') => harness.state.watches.get(target)?.mode

describe('network examination', () => {
  it('begins at the first lost ping, and asks others at the same moment', () => {
    const harness = Harness.settled('login')
    harness.manual.add('examine')
    harness.event({ event: 'ping', target: 'ftp', answered: false })
    expect(mode(harness)).toBe('network examination')
    expect(harness.asked('examine').map(({ target }) => target)).toEqual(['ftp'])
    expect(harness.sent('probe-request').map(({ to }) => to).sort()).toEqual(['mail', 'proxy', 'web1', 'web2'])
  })

  it('ends with R to P2 when a second ping is answered', () => {
    const harness = Harness.settled('login')
    harness.event({ event: 'ping', target: 'ftp', answered: false })
    expect(mode(harness)).toBe('regular')
    expect(harness.said('Network_is_normal_(ftp)')).toBe(true)
    expect(harness.sent('R', 'proxy')).toHaveLength(1)
  })

  it('S6: nobody is taken over who renews, though no ping is answered anywhere', () => {
    const harness = Harness.settled('login')
    Object.assign(harness.host('ftp'), { answers: false, reachable: false })
    harness.run(60_000)
    expect(harness.said('its_lease_is_renewed_still')).toBe(true)
    expect(harness.stages()).toEqual([])
    expect(harness.asked('claim')).toEqual([])
  })

  it('reports a broken path when others reach the target', () => {
    const harness = Harness.settled('login')
    harness.manual.add('examine')
    harness.host('ftp').answers = false
    harness.event({ event: 'ping', target: 'ftp', answered: false })
    const { request } = harness.sent('probe-request')[0]!.message
    harness.message('web1', { kind: 'probe-answer', request, target: 'ftp', answered: true })
    harness.event({ event: 'examined', target: 'ftp', answered: false })
    harness.run(500)
    expect(harness.said('Path_to_ftp_is_broken_here_and_others_reach_it: no takeover')).toBe(true)
  })

  it('accuses nobody while the own lease is not good', () => {
    const harness = Harness.settled('login')
    harness.renews = false
    harness.run(2_100)
    Object.assign(harness.host('ftp'), { answers: false })
    harness.run(1_500)
    expect(harness.said('the_own_lease_is_not_good: no accusation from here')).toBe(true)
    expect(harness.stages()).toEqual([])
  })

  it('answers for others what it finds itself', () => {
    const harness = Harness.settled('mail')
    harness.message('proxy', { kind: 'probe-request', request: 41, target: 'web1' })
    expect(harness.sent('probe-answer', 'proxy').map(({ message }) => message)).toEqual([{ kind: 'probe-answer', request: 41, target: 'web1', answered: true }])
    harness.die('web1')
    harness.message('proxy', { kind: 'probe-request', request: 42, target: 'web1' })
    expect(harness.sent('probe-answer', 'proxy').at(-1)!.message.answered).toBe(false)
    harness.forget()
    for (const target of ['mail', 'nobody']) harness.message('proxy', { kind: 'probe-request', request: 43, target })
    expect(harness.sent('probe-answer')).toEqual([])
  })
})

describe('a lost target', () => {
  it('is an incident at P1 as soon as no ping is answered and the lease renews no more', () => {
    const harness = Harness.settled('login')
    harness.die('ftp')
    const died_ms = harness.now_ms
    expect(harness.runUntil(() => harness.stages().includes('detected'), 5_000)).toBe(true)
    expect(harness.now_ms - died_ms).toBeLessThan(harness.profile.stop_ms + 500)
    expect(harness.asked('incident')[0]!.entry).toMatchObject({ target: 'ftp', manager: 'login', stage: 'detected', after_ms: 0 })
    expect(harness.asked('incident')[0]!.entry.predicted).toBeDefined()
    expect(harness.said('__Wait_for_reboot_of_ftp')).toBe(true)
  })

  it('is seen by P2, which opens no incident of its own', () => {
    const harness = Harness.settled('proxy')
    harness.die('ftp')
    harness.run(2_500)
    expect(mode(harness)).toBe('backup server')
    expect(harness.stages()).toEqual([])
  })

  it('moves the watch on to the next host of the ring, which is then watched as P1', () => {
    const harness = Harness.settled('login')
    harness.die('ftp')
    harness.run(3_000)
    expect([...harness.state.watches].map(([target, watch]) => `P${watch.priority} of ${target}`).sort()).toEqual(['P1 of ftp', 'P1 of proxy', 'P2 of mail'])
    expect(harness.asked('watch').at(-1)!.targets).toEqual(['ftp', 'mail', 'proxy'])
  })

  it('is a false alarm when it renews again before anything was taken', () => {
    const harness = Harness.settled('login')
    harness.manual.add('prepare')
    harness.die('ftp')
    harness.runUntil(() => harness.stages().includes('detected'), 5_000)
    Object.assign(harness.host('ftp'), { renews: true, answers: true, service: 'OK' })
    harness.run(2_000)
    expect(harness.asked('incident').at(-1)!.entry).toMatchObject({ stage: 'closed', outcome: 'resumed' })
    expect(harness.state.rehoming.size).toBe(0)
    expect(mode(harness)).toBe('regular')
  })
})

describe('nobody is accused', () => {
  it('at a cold start before the ring is whole or three expiries have passed', () => {
    const harness = new Harness('login')
    Object.assign(harness.host('ftp'), { renews: false, answers: false, service: 'NG' })
    harness.run(9_200)
    expect(harness.stages()).toEqual([])
    expect(harness.said('nobody is accused before the cold start is over')).toBe(true)
    harness.run(1_000)
    expect(harness.stages()).toContain('detected')
  })

  it('who never joined', () => {
    const harness = new Harness('login')
    Object.assign(harness.host('ftp'), { generation: 0, renews: false, answers: false })
    harness.claims.set('ftp', [])
    harness.run(20_000)
    expect(harness.state.watches.has('ftp')).toBe(false)
    expect(harness.stages()).toEqual([])
  })

  it('who is unmanaged', () => {
    const harness = Harness.settled('login')
    harness.host('ftp').standing = 'unmanaged'
    harness.run(1_000)
    harness.die('ftp')
    harness.run(20_000)
    expect(harness.stages()).toEqual([])
    expect(harness.state.watches.has('ftp')).toBe(false)
  })
})

describe('the round', () => {
  it('is called by the first of the ring, who probes its targets at each interval', () => {
    const harness = Harness.settled('mail')
    harness.run(5_000)
    const rounds = harness.asked('publish').flatMap(({ message }) => (message.kind === 'S' ? [message.round] : []))
    expect(rounds.length).toBeGreaterThanOrEqual(4)
    expect(rounds).toEqual([...rounds].sort((a, b) => a - b))
    expect(new Set(harness.asked('probe').map(({ target }) => target))).toEqual(new Set(['login', 'web2']))
    expect(harness.asked('survey').length).toBeGreaterThanOrEqual(4)
  })

  it('is called by nobody else', () => {
    const harness = Harness.settled('login')
    harness.run(3_000)
    expect(harness.asked('publish').filter(({ message }) => message.kind === 'S')).toEqual([])
  })

  it('follows the caller by a tenth of the interval at most, and nobody else', () => {
    const harness = Harness.settled('login')
    const before_ms = harness.state.round.next_ms
    harness.message('web1', { kind: 'S', round: 1 })
    expect(harness.state.round.next_ms).toBe(before_ms)
    harness.run(300)
    const next_ms = harness.state.round.next_ms
    harness.message('mail', { kind: 'S', round: 1 })
    expect(Math.abs(harness.state.round.next_ms - next_ms)).toBeLessThanOrEqual(100)
    expect(harness.state.round.next_ms).not.toBe(next_ms)
  })
})
