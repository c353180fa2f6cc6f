import { describe, expect, it } from 'vitest'
import { claimOf, Harness, virtual } from './harness.ts'
import { lostFtp, nominees, progress, ROOMY, SMALL } from './lost-ftp.ts'

describe('the choice of a host', () => {
  it('falls on the lowest non-select value and is recorded with every candidate', () => {
    const harness = lostFtp()
    expect(nominees(harness)).toEqual(['web1'])
    expect(harness.sent('nominate')[0]!.message).toMatchObject({ function: 'ftp', epoch: 1, as: 'virtual' })
    const { entry } = harness.asked('incident').find(command => command.entry.stage === 'chosen')!
    expect(entry.chosen_host).toBe('web1')
    expect(entry.candidates!.map(({ host }) => host).sort()).toEqual(['ftp', 'login', 'mail', 'proxy', 'web1', 'web2'])
    expect(entry.candidates!.find(({ host }) => host === 'ftp')).toEqual({ host: 'ftp', value: null, reason: 'it is the failed host' })
    expect(harness.said('Backup_server_of_ftp_is_web1: web1=')).toBe(true)
  })

  it('is made while proof is still awaited', () => {
    const harness = lostFtp()
    expect(harness.state.hosts.get('ftp')!.lease_silent_ms).toBeLessThan(harness.profile.expire_ms)
  })

  it('may fall on the manager itself, which then prepares and claims', () => {
    const harness = Harness.settled('login')
    for (const name of ['mail', 'proxy', 'web1', 'web2']) harness.host(name).load = SMALL
    harness.run(1_100)
    harness.die('ftp')
    harness.run(6_000)
    expect(harness.newest('ftp')).toMatchObject({ epoch: 2, holder: 'login', kind: 'virtual', proof: 'silence', tombstone: { host: 'ftp', generation: 1 } })
    expect(harness.asked('incident').some(({ entry }) => entry.stage === 'function given')).toBe(true)
  })
})

describe('a nomination', () => {
  it('is repeated while it stands', () => {
    const harness = lostFtp()
    progress(harness, 'web1', 'preparing')
    harness.forget()
    harness.run(6_100)
    expect(harness.sent('nominate', 'web1').length).toBe(3)
  })

  it('is over when the nominee has won the claim', () => {
    const harness = lostFtp()
    progress(harness, 'web1', 'prepared')
    harness.addClaim(claimOf('ftp', 2, 'web1'))
    harness.run(600)
    expect(harness.state.rehoming.has('ftp')).toBe(false)
    expect(harness.sent('withdraw')).toEqual([])
  })

  it('is withdrawn when another has won', () => {
    const harness = lostFtp()
    progress(harness, 'web1', 'prepared')
    harness.addClaim(claimOf('ftp', 2, 'mail'))
    harness.run(600)
    expect(harness.sent('withdraw', 'web1')).toHaveLength(1)
    expect(harness.said('epoch 2 belongs to mail')).toBe(true)
  })

  it('ends the search when the function is served, told by its giver', () => {
    const harness = lostFtp()
    progress(harness, 'web1', 'prepared')
    harness.addClaim(claimOf('ftp', 2, 'web1'))
    harness.host('web1').giving.push(virtual('ftp', 2))
    harness.run(2_000)
    expect(harness.said('Function_of_ftp_is_given_again_by_web1_(epoch_2)')).toBe(true)
    expect(harness.asked('incident').find(({ entry }) => entry.stage === 'function given')!.entry.function_ms).toBeGreaterThan(0)
  })
})

describe('no room anywhere', () => {
  function crowded(): Harness {
    const harness = Harness.settled('login', { servers: { ftp: { virtual_server: { ...Harness.settled('login').inventory.servers[2]!.virtual_server, memory_mb: 100_000 } } } })
    harness.die('ftp')
    harness.run(4_000)
    return harness
  }

  it('is an alarm, and asked again for ever', () => {
    const harness = crowded()
    expect(nominees(harness)).toEqual([])
    const alarms = (): number => harness.reasons.filter(({ text, level }) => text.startsWith('No_host_for_ftp') && level === 'alarm').length
    const before = alarms()
    expect(before).toBeGreaterThan(0)
    harness.run(20_000)
    expect(alarms()).toBeGreaterThanOrEqual(before + 9)
    expect(harness.state.rehoming.has('ftp')).toBe(true)
  })

  it('all have been tried: they are all asked again after a while', () => {
    const harness = lostFtp()
    for (let count = 0; count < 5; count += 1) {
      const nominee = harness.state.rehoming.get('ftp')!.nominee
      if (nominee === 'login') harness.run(100)
      else if (nominee !== undefined) progress(harness, nominee, 'declined', 'no room')
    }
    harness.run(10_000)
    expect(harness.sent('nominate', 'web1').length).toBeGreaterThanOrEqual(1)
  })
})

describe('the holder of a virtual server that was released', () => {
  /** login is P1 of ftp and of web1, to which ftp was given; everybody else is small. */
  function givenByWeb1(): Harness {
    const harness = Harness.settled('login')
    harness.die('ftp')
    harness.manual.add('claim')
    for (const name of ['mail', 'proxy', 'web2']) harness.host(name).load = SMALL
    harness.addClaim(claimOf('ftp', 2, 'web1'))
    harness.host('web1').giving.push(virtual('ftp', 2))
    harness.run(5_000)
    harness.forget()
    return harness
  }
  const reason = (harness: Harness, host: string): string => harness.asked('incident').find(({ entry }) => entry.candidates)!.entry.candidates!.find(candidate => candidate.host === host)!.reason

  it('is asked after the others', () => {
    const harness = givenByWeb1()
    harness.host('web1').giving.pop()
    harness.addRelease('ftp', 2, 'not-started', 'web1')
    harness.runUntil(() => harness.sent('nominate').length + harness.asked('prepare').length > 0, 5_000)
    expect(reason(harness, 'web1')).toBe('tried already')
  })

  it('is tried again when it is the last host: without that nobody would ever give the function', () => {
    const harness = Harness.settled('login', { hosts: 2 })
    harness.manual.add('serve')
    harness.die('mail')
    const starts = (): number => harness.asked('serve').length
    harness.runUntil(() => starts() === 1, 10_000)
    harness.event({ event: 'serving', function: 'mail', epoch: 2, ok: false, detail: 'the guest does not go on' })
    harness.run(1_900)
    expect(harness.said('No_host_for_mail: ')).toBe(true)
    expect(starts()).toBe(1)
    harness.run(1_000)
    expect(starts()).toBe(2)
    expect(harness.newest('mail')).toMatchObject({ epoch: 3, holder: 'login', proof: 'released' })
  })
})

describe('a host that starts as many as it may', () => {
  const busy = (harness: Harness, name: string): void =>
    void (harness.host(name).giving = [virtual('mail', 2, 'preparing'), virtual('proxy', 2, 'starting')])

  it('is not asked while another is free', () => {
    const harness = Harness.settled('login')
    harness.host('web1').load = ROOMY
    busy(harness, 'web1')
    harness.run(1_100)
    harness.die('ftp')
    harness.runUntil(() => harness.sent('nominate').length > 0, 5_000)
    expect(nominees(harness)).not.toContain('web1')
  })

  it('is waited for when it is the only one, without an alarm, and asked as soon as a start has ended', () => {
    const harness = Harness.settled('login')
    for (const name of ['mail', 'proxy', 'web2']) harness.host(name).load = SMALL
    harness.manual.add('survey')
    harness.state.load!.forecast = SMALL
    harness.host('web1').load = ROOMY
    busy(harness, 'web1')
    harness.run(1_100)
    harness.die('ftp')
    harness.runUntil(() => harness.said('ftp_waits_for_a_start_to_end'), 5_000)
    expect(harness.sent('nominate')).toEqual([])
    expect(harness.said('No_host_for_ftp')).toBe(false)
    harness.host('web1').giving = [virtual('mail', 2, 'serving'), virtual('proxy', 2, 'starting')]
    harness.runUntil(() => harness.sent('nominate').length > 0, 1_300)
    expect(nominees(harness)).toEqual(['web1'])
  })

  it('is not waited for without an end: who failed may try again when its starts take long', () => {
    const harness = Harness.settled('login')
    for (const name of ['mail', 'web2']) harness.host(name).load = SMALL
    harness.manual.add('survey')
    harness.state.load!.forecast = SMALL
    for (const name of ['proxy', 'web1']) harness.host(name).load = ROOMY
    busy(harness, 'web1')
    harness.run(1_100)
    harness.die('ftp')
    harness.runUntil(() => harness.sent('nominate').length > 0, 5_000)
    progress(harness, 'proxy', 'failed')
    harness.run(1_900)
    expect(harness.said('ftp_waits_for_a_start_to_end')).toBe(true)
    expect(harness.sent('nominate', 'proxy')).toHaveLength(1)
    harness.run(500)
    expect(harness.sent('nominate', 'proxy')).toHaveLength(2)
  })

  it('was asked by another manager first: it is asked again after a short pause, not passed over', () => {
    const harness = lostFtp()
    progress(harness, 'web1', 'busy')
    harness.run(400)
    expect(nominees(harness)).toEqual(['web1'])
    expect(harness.sent('nominate').length).toBe(2)
  })
})

describe('a function lost with the host of its virtual server', () => {
  it('goes to its own server when that is healthy again', () => {
    // P1 of web1, P2 of ftp.
    const harness = Harness.settled('proxy')
    harness.addClaim({ ...claimOf('ftp', 2, 'web1'), kind: 'virtual' })
    harness.comeBack('ftp')
    harness.run(1_500)
    harness.die('web1')
    harness.runUntil(() => harness.sent('nominate').some(({ message }) => message.function === 'ftp'), 8_000)
    expect(harness.sent('nominate').filter(({ message }) => message.function === 'ftp').map(({ to, message }) => [to, message.as])).toEqual([['ftp', 'native']])
  })
})

describe('who is responsible', () => {
  it('P2 leaves it to P1 while P1 is at work', () => {
    const harness = Harness.settled('proxy')
    harness.die('ftp')
    for (let count = 0; count < 100; count += 1) {
      harness.host('web1').giving = [virtual('ftp', 1, 'preparing')]
      harness.run(100)
    }
    expect(harness.sent('nominate')).toEqual([])
    expect(harness.asked('claim')).toEqual([])
  })

  it('P2 acts when proof has stood for its slot and P1 has done nothing', () => {
    const harness = Harness.settled('proxy')
    harness.die('ftp')
    const died_ms = harness.now_ms
    expect(harness.runUntil(() => harness.said('Backup_server_of_ftp_is_'), 10_000)).toBe(true)
    expect(harness.now_ms - died_ms).toBeGreaterThanOrEqual(harness.profile.expire_ms + 1_000 - 500)
    expect(harness.now_ms - died_ms).toBeLessThanOrEqual(harness.profile.expire_ms + 2_000)
  })

  it('a released function is taken up by P1 of its last holder', () => {
    const harness = Harness.settled('login')
    harness.addRelease('ftp', 1, 'goodbye', 'ftp')
    harness.run(1_000)
    expect(harness.said('Backup_server_of_ftp_is_')).toBe(true)
  })

  it('(d) a lost host\'s own function and the virtual server it ran are both given again', () => {
    const harness = new Harness('mail')
    harness.addClaim(claimOf('ftp', 2, 'login'))
    harness.host('login').giving.push(virtual('ftp', 2))
    for (const name of harness.hosts.keys()) harness.event({ event: 'reach', host: name, reachable: true, why: 'stream open' })
    harness.run(5_000)
    harness.forget()
    harness.die('login')
    harness.run(3_000)
    expect([...harness.state.rehoming.keys()].sort()).toEqual(['ftp', 'login'])
  })
})
