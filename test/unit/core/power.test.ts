import { describe, expect, it } from 'vitest'
import { claimOf, Harness, native, virtual } from './harness.ts'

const POWER = { wake_on_lan: true, command: ['/usr/local/bin/outlet', 'ftp'] }
const SERVERS = { ftp: { power: POWER } }

/** ftp is gone in the way that a power cut looks like; its controller says what the test wants. */
function cut(self: string, power: 'on' | 'off' | 'unknown', options: { readonly command?: boolean } = {}): Harness {
  const harness = Harness.settled(self, options.command === false ? {} : { servers: SERVERS })
  harness.host('web1').load = { memory_kb: 7e6, cpu_idle_percent: 99, network_kb_per_s: 1 }
  harness.run(1_100)
  harness.die('ftp')
  harness.host('ftp').power = power
  return harness
}

const asked = (harness: Harness, verb = 'status') => harness.asked('power').filter(order => order.verb === verb)
const releases = (harness: Harness) => harness.asked('release').map(({ order }) => `${order.function} ${order.epoch} ${order.how}`)
const takenOver = (harness: Harness): void => {
  harness.runUntil(() => releases(harness).length > 0)
  harness.addClaim(claimOf('ftp', 2, 'web1', { proof: 'released' }))
  harness.host('web1').giving.push(virtual('ftp', 2))
}

describe('a target that a manager has just come to watch', () => {
  it('is off by its controller before it was pinged once: it is lost, and not taken back and lost again without end', () => {
    const harness = Harness.settled('login', { servers: SERVERS })
    for (const name of ['mail', 'proxy', 'web1', 'web2']) harness.host(name).load = { memory_kb: 100_000, cpu_idle_percent: 5, network_kb_per_s: 1 }
    harness.run(1_100)
    harness.manual.add('power').add('hand').add('probe')
    const watch = harness.state.watches.get('ftp')!
    Object.assign(watch, { ping_seen: false, ping_missed: 0 })
    for (let count = 0; count < 2; count += 1) harness.event({ event: 'probed', where: 'own address', target: 'ftp', verdict: 'NG', daemon: 'service', detail: 'no connection' })
    expect(watch.mode).toBe('service recovery')
    expect(asked(harness)).toHaveLength(1)
    harness.event({ event: 'power', target: 'ftp', verb: 'status', request: asked(harness)[0]!.request, state: 'off', detail: '' })
    expect(watch.mode).toBe('backup server')
    expect(harness.state.incidents.size).toBe(1)
  })
})

describe('proof by power', () => {
  it('releases what the target holds long before its lease has run out', () => {
    const harness = cut('login', 'off')
    const died_ms = harness.now_ms
    expect(harness.runUntil(() => releases(harness).length > 0, 5_000)).toBe(true)
    expect(releases(harness)).toEqual(['ftp 1 power'])
    expect(harness.now_ms - died_ms).toBeLessThan(harness.profile.expire_ms - 1_000)
    expect(harness.said('Release_ftp_epoch_1: the power of ftp is off')).toBe(true)
    expect(harness.asked('incident')[0]!.entry).toMatchObject({ stage: 'detected', trouble: 'Nt2', target: 'ftp' })
  })

  it('nominates at once, before the second renewal is missed, and tells the nominee of the release', () => {
    const harness = cut('login', 'off')
    harness.runUntil(() => harness.said('Power_of_ftp_is_off'), 5_000)
    harness.run(20)
    expect(harness.sent('nominate', 'web1')).toHaveLength(1)
    expect(releases(harness)).toEqual([])
    harness.message('web1', { kind: 'progress', incident: 'i', function: 'ftp', epoch: 1, stage: 'prepared', detail: '' })
    harness.runUntil(() => releases(harness).length > 0, 5_000)
    expect(harness.sent('look', 'web1')).toHaveLength(1)
  })

  it('is asked for in the middle of a repair too, when pings are lost', () => {
    const harness = Harness.settled('login', { servers: SERVERS })
    harness.run(10_000)
    harness.manual.add('hand')
    harness.host('ftp').service = 'NG'
    expect(harness.runUntil(() => harness.asked('hand').length > 0, 3_000)).toBe(true)
    harness.die('ftp')
    harness.host('ftp').power = 'off'
    expect(harness.runUntil(() => releases(harness).length > 0, 2_600)).toBe(true)
    expect([...harness.state.incidents.values()].map(({ trouble }) => trouble)).toEqual(['Nt2'])
    expect(harness.sent('nominate').length).toBeGreaterThan(0)
  })

  it('releases everything the target gives, its virtual servers too', () => {
    const harness = cut('login', 'off')
    harness.addClaim(claimOf('mail', 2, 'ftp'))
    harness.runUntil(() => releases(harness).length > 1, 5_000)
    expect(releases(harness).sort()).toEqual(['ftp 1 power', 'mail 2 power'])
  })

  it('asks again about every 300 ms while the answer is on or none, then every 2 s', () => {
    for (const power of ['on', 'unknown'] as const) {
      const harness = cut('login', power)
      harness.manual.add('claim')
      harness.runUntil(() => asked(harness).length > 0, 5_000)
      harness.run(3_000)
      expect(asked(harness).length).toBeGreaterThan(8)
      expect(asked(harness).length).toBeLessThan(12)
      harness.run(3_000)
      const later = asked(harness).length
      harness.run(10_000)
      expect(asked(harness).length - later).toBeLessThan(7)
      expect(asked(harness).length - later).toBeGreaterThan(3)
      expect(releases(harness)).toEqual([])
      expect(harness.reasons.filter(({ text }) => text.includes('Power_of_ftp')).length).toBe(1)
    }
  })

  it('has one question under way, and another when the answer was lost', () => {
    const harness = cut('login', 'off')
    harness.manual.add('power').add('claim')
    harness.runUntil(() => asked(harness).length > 0, 5_000)
    harness.run(4_900)
    expect(asked(harness)).toHaveLength(1)
    harness.run(200)
    expect(asked(harness)).toHaveLength(2)
    // The first answer at last: what the second question knows is newer than the controller's look.
    harness.event({ event: 'power', target: 'ftp', verb: 'status', request: asked(harness)[0]!.request, state: 'off', detail: '' })
    expect(harness.said('Power_of_ftp')).toBe(false)
  })

  it('is not asked for without a controller, and not for a target that holds nothing', () => {
    const without = cut('login', 'off', { command: false })
    const empty = Harness.settled('login', { servers: SERVERS })
    empty.addClaim(claimOf('ftp', 2, 'web1'))
    empty.host('web1').giving.push(virtual('ftp', 2))
    empty.run(1_100)
    empty.die('ftp')
    for (const harness of [without, empty]) {
      harness.run(10_000)
      expect(asked(harness)).toEqual([])
    }
  })

  it('is P2\'s to ask for when P1 has had its slot', () => {
    const harness = cut('proxy', 'off')
    harness.runUntil(() => harness.said('ftp: regular => network examination'), 5_000)
    harness.run(900)
    expect(asked(harness)).toEqual([])
    expect(harness.runUntil(() => releases(harness).length > 0, 2_000)).toBe(true)
  })
})

describe('"off" is not believed', () => {
  it('of a host that renews its lease, whatever the network says (S6)', () => {
    const harness = Harness.settled('login', { servers: SERVERS })
    Object.assign(harness.host('ftp'), { answers: false, power: 'off' })
    harness.run(20_000)
    expect(asked(harness).length).toBeGreaterThan(3)
    expect(releases(harness)).toEqual([])
  })

  it('of a host that answers pings and has lost only the shared area', () => {
    const harness = Harness.settled('login', { servers: SERVERS })
    Object.assign(harness.host('ftp'), { renews: false, power: 'off' })
    harness.run(2_900)
    expect([asked(harness), releases(harness)]).toEqual([[], []])
  })

  it('of a host that rides on a promise, until the promise is over', () => {
    const harness = Harness.settled('login', { servers: SERVERS })
    // Long enough for the cold start to be over.
    harness.run(10_000)
    harness.die('ftp')
    harness.host('ftp').power = 'off'
    harness.state.hosts.get('ftp')!.promised_until_ms = harness.now_ms + 2_500
    harness.run(2_400)
    expect(asked(harness).length).toBeGreaterThan(0)
    expect(releases(harness)).toEqual([])
    expect(harness.runUntil(() => releases(harness).length > 0, 500)).toBe(true)
  })

  it('when the lease was seen to grow after the question', () => {
    const harness = cut('login', 'off')
    harness.manual.add('power')
    harness.runUntil(() => asked(harness).length > 0, 5_000)
    harness.host('ftp').sequence += 1
    harness.run(600)
    harness.event({ event: 'power', target: 'ftp', verb: 'status', request: asked(harness)[0]!.request, state: 'off', detail: '' })
    expect(harness.said('its_lease_is_renewed: not believed')).toBe(true)
    expect(releases(harness)).toEqual([])
  })

  it('about a claim that was made after the question: only what was known then is released', () => {
    const harness = cut('login', 'off')
    harness.manual.add('power')
    harness.runUntil(() => asked(harness).length > 0, 5_000)
    // Booted again and claimed; the claim is read, and the lease of the new generation is not read yet.
    harness.addClaim(claimOf('ftp', 2, 'ftp', { generation: 2, proof: 'own-past', kind: 'native' }))
    harness.event({ event: 'claimed', function: 'ftp', epoch: 2, outcome: 'lost', standing: harness.newest('ftp'), detail: '' })
    harness.event({ event: 'power', target: 'ftp', verb: 'status', request: asked(harness)[0]!.request, state: 'off', detail: '' })
    harness.run(1_500)
    expect(releases(harness)).toEqual([])
  })
})

describe('a target that is off', () => {
  it('is switched on when its function is given again, and woken beside', () => {
    const harness = cut('login', 'off')
    takenOver(harness)
    expect(harness.runUntil(() => asked(harness, 'on').length > 0, 1_500)).toBe(true)
    expect(harness.asked('wake')).toHaveLength(1)
    expect(harness.said('__Wake_on_LAN_and_Power_on_ftp_(52:54:00:77:00:0d,_attempt_1_of_3)')).toBe(true)
    harness.run(5_000)
    expect(asked(harness, 'on')).toHaveLength(1)
  })

  it('gets no magic packet when it has no ear for it', () => {
    const harness = Harness.settled('login', { servers: { ftp: { power: { ...POWER, wake_on_lan: false } } } })
    harness.die('ftp')
    harness.host('ftp').power = 'off'
    takenOver(harness)
    harness.runUntil(() => asked(harness, 'on').length > 0, 2_000)
    expect(harness.asked('wake')).toEqual([])
  })

  it('is not switched on when it announced that it goes', () => {
    const harness = cut('login', 'off')
    harness.runUntil(() => harness.state.incidents.size > 0, 5_000)
    for (const incident of harness.state.incidents.values()) incident.trouble = 'leave'
    takenOver(harness)
    harness.run(3_000)
    expect(asked(harness, 'on')).toEqual([])
    expect([...harness.state.incidents.values()].map(({ trouble }) => trouble)).toEqual(['leave'])
  })

  it('does not get its function back before it is there', () => {
    const harness = cut('login', 'off')
    takenOver(harness)
    harness.run(10_000)
    expect(harness.sent('return')).toEqual([])
    harness.comeBack('ftp')
    harness.host('ftp').giving = [native('ftp', 3)]
    expect(harness.runUntil(() => harness.sent('return').length > 0, 8_000)).toBe(true)
  })
})

describe('the operator\'s word', () => {
  it('releases what a dead host holds, an unmanaged function too', () => {
    const harness = Harness.settled('login')
    harness.host('ftp').standing = 'unmanaged'
    harness.run(600)
    harness.die('ftp')
    harness.run(10_000)
    expect(releases(harness)).toEqual([])
    harness.event({ event: 'confirmed-dead', target: 'ftp' })
    expect(releases(harness)).toEqual(['ftp 1 operator'])
    harness.run(100)
    expect(harness.sent('nominate').length).toBeGreaterThan(0)
    // A person may be working inside it.
    harness.run(20_000)
    expect(harness.asked('wake')).toEqual([])
  })

  it('is not taken for a host that renews, that rides, or that it was said to', () => {
    const harness = Harness.settled('login')
    harness.event({ event: 'confirmed-dead', target: 'ftp' })
    harness.event({ event: 'confirmed-dead', target: 'login' })
    harness.event({ event: 'confirmed-dead', target: 'nobody' })
    harness.die('proxy')
    harness.run(2_500)
    harness.state.hosts.get('proxy')!.promised_until_ms = harness.now_ms + 500
    harness.event({ event: 'confirmed-dead', target: 'proxy' })
    expect(releases(harness)).toEqual([])
  })
})
