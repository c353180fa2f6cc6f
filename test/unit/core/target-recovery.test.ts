import { describe, expect, it } from 'vitest'
import { claimOf, Harness, native, virtual } from './harness.ts'

/** login is P1 of ftp, which has lost its power; web1 gives its function by now. */
function takenOver(options: { readonly manual?: boolean } = {}): Harness {
  const harness = Harness.settled('login', options.manual ? { servers: { ftp: { return: 'manual' } } } : {})
  harness.host('web1').load = { memory_kb: 7e6, cpu_idle_percent: 99, network_kb_per_s: 1 }
  harness.run(1_100)
  harness.die('ftp')
  harness.runUntil(() => harness.sent('nominate').length > 0, 5_000)
  harness.message('web1', { kind: 'progress', incident: 'i', function: 'ftp', epoch: 1, stage: 'prepared', detail: '' })
  harness.addClaim(claimOf('ftp', 2, 'web1'))
  harness.host('web1').giving.push(virtual('ftp', 2))
  harness.run(1_200)
  return harness
}

const wakes = (harness: Harness): number => harness.asked('wake').length
const closed = (harness: Harness) => harness.asked('incident').find(({ entry }) => entry.stage === 'closed')?.entry

describe('background job 1', () => {
  it('waits for the reboot limit, wakes, and waits twice the limit, three times; then D to P2', () => {
    const harness = takenOver()
    expect(wakes(harness)).toBe(0)
    expect(harness.runUntil(() => wakes(harness) === 1, 7_000)).toBe(true)
    expect(harness.asked('wake')[0]).toEqual({ command: 'wake', target: 'ftp' })
    expect(harness.said('__Wake_on_LAN_ftp_(52:54:00:77:00:0d,_attempt_1_of_3)')).toBe(true)
    expect(harness.runUntil(() => wakes(harness) === 3, 25_000)).toBe(true)
    expect(harness.sent('D')).toEqual([])
    expect(harness.runUntil(() => harness.sent('D', 'proxy').length > 0, 13_000)).toBe(true)
    expect(harness.said('__ftp_is_down')).toBe(true)
    harness.run(30_000)
    expect(wakes(harness)).toBe(3)
    expect(closed(harness)).toBeUndefined()
  })

  it('turns Nt1 into Nt2 when it has to wake', () => {
    const harness = takenOver()
    harness.runUntil(() => wakes(harness) === 1, 10_000)
    expect(harness.asked('incident').at(-1)!.entry).toMatchObject({ stage: 'wake ordered', trouble: 'Nt2' })
  })

  it('wakes nobody who comes back by itself', () => {
    const harness = takenOver()
    harness.comeBack('ftp')
    harness.run(20_000)
    expect(wakes(harness)).toBe(0)
    expect(harness.said('__10.77.0.13_is_normal_(ftp)')).toBe(true)
  })

  it('begins again for a target that goes away again before its function has returned', () => {
    const harness = takenOver()
    harness.comeBack('ftp')
    harness.runUntil(() => harness.said('is_normal_(ftp)'), 5_000)
    harness.die('ftp')
    expect(harness.runUntil(() => wakes(harness) > 0, 15_000)).toBe(true)
  })
})

describe('a target that is back before all that it gave is given again', () => {
  /** ftp gave web2's function as well, for web2 is down. It has booted, gives its own again and has released the other, which another host loads still. */
  function backAlone(): { harness: Harness; nominee: string } {
    const harness = Harness.settled('login')
    harness.manual.add('prepare')
    harness.die('web2')
    harness.addClaim(claimOf('web2', 2, 'ftp'))
    harness.host('ftp').giving.push(virtual('web2', 2))
    harness.run(5_000)
    harness.die('ftp')
    harness.runUntil(() => harness.state.rehoming.get('web2')?.nominee !== undefined, 5_000)
    const nominee = harness.state.rehoming.get('web2')!.nominee!
    harness.message(nominee, { kind: 'progress', incident: 'i', function: 'web2', epoch: 2, stage: 'preparing', detail: '' })
    harness.comeBack('ftp')
    harness.addClaim(claimOf('ftp', 2, 'ftp', { generation: 2, proof: 'own-past' }))
    harness.host('ftp').giving = [native('ftp', 2)]
    harness.addRelease('web2', 2, 'not-started', 'ftp')
    harness.forget()
    harness.run(3_000)
    return { harness, nominee }
  }

  it('has no incident any more, and who loads the other function goes on', () => {
    const { harness, nominee } = backAlone()
    expect(closed(harness)).toMatchObject({ outcome: 'returned' })
    expect([...harness.state.incidents.values()].map(({ target }) => target)).toEqual(['web2'])
    expect(harness.state.rehoming.get('web2')!.nominee).toBe(nominee)
    expect(harness.sent('withdraw', nominee)).toEqual([])
  })

  it('is repaired when its service goes bad meanwhile', () => {
    const { harness } = backAlone()
    harness.host('ftp').service = 'NG'
    harness.run(3_000)
    expect(harness.asked('hand').map(({ verb, target }) => `${verb} ${target}`)).toContain('restart-daemon ftp')
  })
})

describe('target server recovery', () => {
  it('asks the holder to hand over after three good rounds, not before', () => {
    const harness = takenOver()
    harness.comeBack('ftp')
    harness.run(1_500)
    expect(harness.sent('return')).toEqual([])
    expect(harness.runUntil(() => harness.sent('return').length > 0, 4_000)).toBe(true)
    expect(harness.sent('return', 'web1')[0]!.message).toMatchObject({ function: 'ftp', epoch: 2, to: 'ftp', generation: 2 })
    expect(harness.state.watches.get('ftp')!.service.good_rounds).toBeGreaterThanOrEqual(3)
  })

  it('starts counting anew after a bad round', () => {
    const harness = takenOver()
    harness.comeBack('ftp')
    harness.run(2_500)
    harness.host('ftp').service = 'ERROR'
    harness.run(1_000)
    harness.host('ftp').service = 'OK'
    harness.run(2_100)
    expect(harness.sent('return')).toEqual([])
  })

  it('asks again when nothing happens', () => {
    const harness = takenOver()
    harness.comeBack('ftp')
    harness.run(16_000)
    expect(harness.sent('return', 'web1').length).toBe(2)
  })

  it('asks as P2 only when it does not reach P1, whose lease alone tells that it is there', () => {
    const asked = (reachesP1: boolean): number => {
      const harness = Harness.settled('proxy')
      harness.die('ftp')
      harness.run(4_000)
      harness.addClaim(claimOf('ftp', 2, 'web1'))
      harness.host('web1').giving.push(virtual('ftp', 2))
      if (!reachesP1) {
        harness.host('login').reachable = false
        harness.event({ event: 'reach', host: 'login', reachable: false, why: 'no heartbeat' })
      }
      harness.comeBack('ftp')
      harness.run(8_000)
      return harness.sent('return', 'web1').length
    }
    expect([asked(true), asked(false)]).toEqual([0, 1])
  })

  it('is over when the target gives its function: U to P2, and the incident is closed as returned', () => {
    const harness = takenOver()
    harness.comeBack('ftp')
    harness.runUntil(() => harness.sent('return').length > 0, 6_000)
    harness.addClaim(claimOf('ftp', 3, 'ftp', { generation: 2, proof: 'hand-over', by: 'web1' }))
    harness.host('web1').giving.pop()
    harness.host('ftp').giving.push({ function: 'ftp', epoch: 3, kind: 'native', stage: 'serving' })
    harness.run(2_000)
    expect(harness.sent('U', 'proxy')).toHaveLength(1)
    expect(closed(harness)).toMatchObject({ outcome: 'returned', target: 'ftp' })
    expect(closed(harness)!.function_ms).toBeLessThan(closed(harness)!.target_ms!)
    expect(harness.state.incidents.size).toBe(0)
    expect(harness.state.watches.get('ftp')!.mode).toBe('regular')
  })

  it('returns it all the same when the operator wants it', () => {
    const harness = takenOver({ manual: true })
    harness.comeBack('ftp')
    harness.run(6_000)
    expect(harness.sent('return')).toEqual([])
    harness.event({ event: 'return-wanted', function: 'ftp' })
    expect(harness.sent('return-wanted').length).toBe(5)
    harness.run(1_500)
    expect(harness.sent('return', 'web1').length).toBe(1)
  })

  it('leaves the function where it runs when the return is manual', () => {
    const harness = takenOver({ manual: true })
    harness.comeBack('ftp')
    harness.run(20_000)
    expect(harness.sent('return')).toEqual([])
  })

  it('asks nothing of a host whose holder does not say that it serves', () => {
    const harness = takenOver()
    harness.host('web1').giving.pop()
    harness.comeBack('ftp')
    harness.run(10_000)
    expect(harness.sent('return')).toEqual([])
  })
})

describe('what was never taken over', () => {
  it('goes home natively when its host is back before anybody else could give it', () => {
    const harness = Harness.settled('login', { servers: { ftp: { virtual_server: { ...new Harness('mail').inventory.servers[2]!.virtual_server, memory_mb: 100_000 } } } })
    harness.die('ftp')
    harness.run(6_000)
    harness.addRelease('ftp', 1, 'not-started', 'ftp')
    harness.comeBack('ftp')
    expect(harness.runUntil(() => harness.sent('nominate', 'ftp').length > 0, 6_000)).toBe(true)
    expect(harness.sent('nominate', 'ftp')[0]!.message).toMatchObject({ function: 'ftp', epoch: 1, as: 'native' })
  })
})
