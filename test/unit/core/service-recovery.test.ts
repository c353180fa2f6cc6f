import { describe, expect, it } from 'vitest'
import { claimOf, Harness, virtual, type HarnessOptions } from './harness.ts'

/** login is P1 of ftp, whose service goes bad; the remote hand is in the test's own hands. */
function badService(options: HarnessOptions = {}): Harness {
  const harness = Harness.settled('login', options)
  harness.manual.add('hand')
  harness.host('ftp').service = 'NG'
  harness.runUntil(() => harness.asked('hand').length > 0, 3_000)
  return harness
}

const mode = (harness: Harness, target = 'ftp') => harness.state.watches.get(target)?.mode
const hands = (harness: Harness): string[] => harness.asked('hand').map(command => [command.verb, ...command.args].join(' '))
const answer = (harness: Harness, verb: string, ok: boolean, detail = ''): void => void harness.event({ event: 'hand', target: 'ftp', verb, ok, detail })

/** Up to the point at which the VIP has to come off. */
function unhealed(): Harness {
  const harness = badService()
  answer(harness, 'restart-daemon', false, 'unit failed')
  return harness
}

/** ftp gives web1 as well; its own VIP has come off, and a reboot is what is left. */
function wantsReboot(): Harness {
  const harness = badService()
  harness.addClaim(claimOf('web1', 2, 'ftp', { kind: 'virtual' }))
  harness.host('ftp').giving.push(virtual('web1', 2))
  harness.observe()
  answer(harness, 'restart-daemon', false, 'unit failed')
  answer(harness, 'release', true)
  return harness
}

describe('St1: a restart heals', () => {
  it('is asked for once the network was checked again and the service is bad still', () => {
    const harness = badService()
    expect(hands(harness)).toEqual(['restart-daemon 0'])
    expect(harness.said('service_is_stop_condition')).toBe(true)
    expect(harness.said('Start_to_restart_service')).toBe(true)
    expect(mode(harness)).toBe('service recovery')
    expect(harness.stages()).toEqual(['detected'])
  })

  it('ends with R to P2, without a claim', () => {
    const harness = badService()
    harness.host('ftp').service = 'OK'
    answer(harness, 'restart-daemon', true)
    expect(mode(harness)).toBe('regular')
    expect(harness.sent('R', 'proxy').map(({ message }) => message)).toMatchObject([{ kind: 'R', target: 'ftp' }])
    expect(harness.asked('incident').at(-1)!.entry).toMatchObject({ stage: 'closed', trouble: 'St1', outcome: 'repaired' })
    expect(harness.state.incidents.size).toBe(0)
    expect(harness.asked('claim')).toEqual([])
  })

  it('is no incident at all when the second look is good', () => {
    const harness = Harness.settled('login')
    harness.manual.add('probe')
    harness.run(1_100)
    harness.forget()
    harness.event({ event: 'probed', where: 'own address', target: 'ftp', verdict: 'NG', daemon: 'service', detail: 'no answer' })
    harness.event({ event: 'probed', where: 'own address', target: 'ftp', verdict: 'OK', daemon: 'service', detail: '' })
    expect(mode(harness)).toBe('regular')
    expect(harness.asked('hand')).toEqual([])
    expect(harness.stages()).toEqual([])
  })

  it('gives a daemon that was just restarted three looks', () => {
    const harness = badService()
    harness.manual.add('probe')
    answer(harness, 'restart-daemon', true)
    for (let look = 0; look < 2; look += 1) {
      harness.event({ event: 'probed', where: 'own address', target: 'ftp', verdict: 'NG', daemon: 'service', detail: 'not yet' })
      harness.run(200)
      expect(hands(harness)).toEqual(['restart-daemon 0'])
    }
    harness.event({ event: 'probed', where: 'own address', target: 'ftp', verdict: 'OK', daemon: 'service', detail: '' })
    expect(mode(harness)).toBe('regular')
  })
})

describe('the target claims its function anew in the middle of a repair', () => {
  it('the answer of the restart is not waited for: a service that is bad still is found again when a boot may be over', () => {
    const harness = badService()
    harness.host('ftp').generation = 2
    harness.addClaim(claimOf('ftp', 2, 'ftp', { generation: 2 }))
    harness.host('ftp').giving = [{ function: 'ftp', epoch: 2, kind: 'native', stage: 'serving' }]
    harness.run(1_500)
    expect(harness.said('End_of_incident_(ftp): the target has started afresh and claimed its function anew')).toBe(true)
    harness.runUntil(() => hands(harness).length > 1, 12_000)
    expect(hands(harness)).toEqual(['restart-daemon 0', 'restart-daemon 0'])
    answer(harness, 'restart-daemon', false, 'unit failed')
    expect(hands(harness).at(-1)).toBe('release ftp 2')
  })

  it('a record that was left open by a repair that was broken off is closed before the next begins: its function is given again', () => {
    const harness = badService()
    const first = [...harness.state.incidents.keys()]
    harness.message('ftp', { kind: 'promise-request', request: 1, epoch: 1 })
    harness.host('ftp').renews = false
    harness.runUntil(() => mode(harness) === 'regular', 4_000)
    expect([...harness.state.incidents.keys()]).toEqual(first)
    Object.assign(harness.host('ftp'), { renews: true, generation: 2 })
    harness.addClaim(claimOf('ftp', 2, 'ftp', { generation: 2 }))
    harness.host('ftp').giving = [{ function: 'ftp', epoch: 2, kind: 'native', stage: 'serving' }]
    harness.runUntil(() => hands(harness).length > 1, 20_000)
    expect([...harness.state.incidents.keys()]).not.toEqual(first)
    answer(harness, 'restart-daemon', false, 'unit failed')
    harness.run(200)
    expect(hands(harness).at(-1)).toBe('release ftp 2')
    expect(mode(harness)).toBe('service recovery')
  })
})

describe('St2: a restart does not heal', () => {
  it.each(['unit failed', 'no answer'])('the service is looked at once more before the VIP comes off (%s): it may have come back by itself', detail => {
    const harness = badService()
    harness.manual.add('probe')
    harness.forget()
    answer(harness, 'restart-daemon', false, detail)
    expect(harness.asked('probe').map(({ target, where }) => [target, where])).toEqual([['ftp', 'own address']])
    harness.event({ event: 'probed', where: 'own address', target: 'ftp', verdict: 'OK', daemon: 'service', detail: '' })
    expect(mode(harness)).toBe('regular')
    expect(harness.asked('hand')).toEqual([])
    expect(harness.asked('incident').at(-1)!.entry).toMatchObject({ stage: 'closed', outcome: 'repaired' })
  })

  it('the VIP comes off by the remote hand, and the choice of a host runs beside it', () => {
    const harness = unhealed()
    expect(hands(harness)).toEqual(['restart-daemon 0', 'release ftp 1'])
    expect(harness.said('Cannot_recover_service')).toBe(true)
    expect(harness.said('Remove_virtual_IP_(10.77.0.13)')).toBe(true)
    expect(harness.state.rehoming.get('ftp')?.nominee).toBeDefined()
    expect(harness.asked('release')).toEqual([])
  })

  it('after two seconds of looks that are bad still, too, and not before', () => {
    const harness = badService()
    answer(harness, 'restart-daemon', true)
    harness.run(1_700)
    expect(hands(harness)).toEqual(['restart-daemon 0'])
    harness.run(1_000)
    expect(hands(harness).slice(0, 2)).toEqual(['restart-daemon 0', 'release ftp 1'])
  })

  it('after a restart that never answers, too', () => {
    const harness = badService()
    harness.run(10_900)
    expect(hands(harness)).toEqual(['restart-daemon 0'])
    harness.run(200)
    expect(hands(harness)).toEqual(['restart-daemon 0', 'release ftp 1'])
  })

  it('the confirmed removal is the proof, and the reboot follows in the background', () => {
    const harness = unhealed()
    answer(harness, 'release', true)
    expect(harness.releases.get('ftp 1')).toMatchObject({ how: 'remote-hand', by: 'login' })
    expect(hands(harness)).toContain('reboot')
    expect(mode(harness)).not.toBe('service recovery')
    expect(harness.stages()).toEqual(expect.arrayContaining(['restart failed', 'virtual IP removed', 'reboot ordered']))
  })

  it('without a confirmed removal there is no release record, whatever the network says', () => {
    const harness = unhealed()
    harness.run(30_000)
    expect(harness.asked('release')).toEqual([])
    expect(harness.asked('claim')).toEqual([])
  })

  it('a removal that fails: the target itself is asked to yield, and the hand tried again', () => {
    const harness = unhealed()
    answer(harness, 'release', false, 'connection refused')
    expect(harness.sent('yield', 'ftp').map(({ message }) => message)).toEqual([{ kind: 'yield', function: 'ftp', epoch: 1 }])
    expect(harness.said('could_not_be_removed: connection refused')).toBe(true)
    harness.run(2_100)
    expect(hands(harness)).toEqual(['restart-daemon 0', 'release ftp 1', 'release ftp 1'])
  })

  it('not from a host that does not read the shared area: its release would not be written, and others manage in its place', () => {
    const harness = badService()
    harness.share_answers = false
    harness.run(1_500)
    answer(harness, 'restart-daemon', false, 'unit failed')
    harness.run(10_000)
    expect(hands(harness)).toEqual(['restart-daemon 0'])
    expect(harness.said('this_host_is_in_no_good_standing_on_the_shared_area')).toBe(true)
    harness.share_answers = true
    harness.observe()
    harness.run(4_000)
    expect(hands(harness).slice(0, 2)).toEqual(['restart-daemon 0', 'release ftp 1'])
  })

  it('a removal that never answers is taken for one that failed', () => {
    const harness = unhealed()
    harness.run(4_100)
    expect(harness.sent('yield', 'ftp')).toHaveLength(1)
    expect(harness.said('the remote hand did not answer')).toBe(true)
  })

  it('a target that yields has released: another gives the function', () => {
    const harness = unhealed()
    answer(harness, 'release', false, 'connection refused')
    harness.addRelease('ftp', 1, 'not-started', 'ftp')
    const { nominee } = harness.state.rehoming.get('ftp')!
    harness.observe()
    expect(harness.state.rehoming.get('ftp')?.nominee).toBe(nominee)
    harness.run(100)
    if (nominee === 'login') expect(harness.newest('ftp')).toMatchObject({ epoch: 2, holder: 'login', proof: 'released' })
    else expect(harness.sent('nominate', nominee).length).toBeGreaterThan(0)
  })
})

describe('a target that gives a function of another', () => {
  it('is not rebooted before that is given elsewhere', () => {
    const harness = wantsReboot()
    harness.run(30_000)
    expect(hands(harness)).not.toContain('reboot')
    expect(harness.said('Reboot_of_ftp_is_put_off: it gives web1')).toBe(true)
    harness.addClaim(claimOf('web1', 3, 'web1'))
    harness.run(1_000)
    expect(hands(harness).filter(hand => hand === 'reboot')).toHaveLength(1)
  })

  it('is rebooted all the same after a minute', () => {
    const harness = wantsReboot()
    harness.run(59_000)
    expect(hands(harness)).not.toContain('reboot')
    harness.run(2_000)
    expect(hands(harness)).toContain('reboot')
  })
})

describe('a service that heals after its VIP has come off, by itself or by a person', () => {
  /** No hand reboots ftp, whose function web1 gives until the operator sends it home; then its service is good again. */
  function healsElsewhere(): Harness {
    const harness = badService({ servers: { ftp: { return: 'manual' } } })
    answer(harness, 'restart-daemon', false, 'unit failed')
    answer(harness, 'release', true)
    answer(harness, 'reboot', false, 'no answer')
    harness.addClaim(claimOf('ftp', 2, 'web1', { kind: 'virtual' }))
    harness.host('web1').giving.push(virtual('ftp', 2))
    harness.host('ftp').giving = []
    harness.host('ftp').service = 'OK'
    harness.run(2_000)
    harness.forget()
    return harness
  }

  it('is neither rebooted nor woken, nor called down, while it waits to go home', () => {
    const harness = healsElsewhere()
    harness.run(300_000)
    expect(hands(harness)).toEqual([])
    expect(harness.asked('wake')).toEqual([])
    expect(harness.said('is_down')).toBe(false)
  })

  it('is not rebooted when that was put off, for the functions of others that it gives', () => {
    const harness = wantsReboot()
    harness.run(10_000)
    harness.host('ftp').service = 'OK'
    harness.run(60_000)
    expect(hands(harness)).not.toContain('reboot')
  })

  it('is made ready like any other when it goes bad again before it is home', () => {
    const harness = healsElsewhere()
    harness.host('ftp').service = 'NG'
    harness.run(5_000)
    expect(harness.said('ftp_is_back_and_its_service_is_bad')).toBe(true)
    expect(hands(harness)).toContain('restart-daemon 0')
  })
})

describe('the service is not blamed', () => {
  it('by P2', () => {
    const harness = Harness.settled('proxy')
    harness.host('ftp').service = 'NG'
    harness.run(5_000)
    expect(harness.asked('hand')).toEqual([])
    expect(mode(harness)).toBe('regular')
  })

  it('when the network is bad too', () => {
    const harness = Harness.settled('login')
    Object.assign(harness.host('ftp'), { service: 'NG', answers: false })
    harness.run(3_000)
    expect(harness.asked('hand')).toEqual([])
    expect(mode(harness)).toBe('network examination')
  })

  it('for a takeover on a host whose function is given elsewhere', () => {
    const harness = Harness.settled('login')
    harness.addRelease('ftp', 1, 'goodbye', 'ftp')
    harness.host('ftp').service = 'NG'
    harness.run(3_000)
    expect(harness.asked('hand').filter(({ verb }) => verb === 'release')).toEqual([])
    expect(mode(harness)).not.toBe('service recovery')
  })
})
