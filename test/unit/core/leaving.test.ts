import { describe, expect, it } from 'vitest'
import { claimOf, Harness, native, virtual } from './harness.ts'

const FOREVER_MS = 1e12

describe('a host that is told to leave', () => {
  it('says so at once and goes on giving until somebody stands ready', () => {
    const harness = Harness.settled('ftp')
    harness.event({ event: 'leave', why: 'reboot' })
    const condition = harness.asked('publish').map(({ message }) => message).find(message => message.kind === 'condition')
    expect(condition).toMatchObject({ leaving: 'reboot' })
    harness.run(2_000)
    expect(harness.asked('stop')).toEqual([])
  })

  it('stops and claims for the nominee when its manager says that it is ready', () => {
    const harness = Harness.settled('ftp')
    harness.event({ event: 'leave', why: 'shutdown' })
    harness.message('login', { kind: 'ready', incident: 'i', function: 'ftp', epoch: 1, to: 'web1', generation: 1 })
    expect(harness.asked('stop')).toHaveLength(1)
    expect(harness.newest('ftp')).toMatchObject({ epoch: 2, holder: 'web1', generation: 1, kind: 'virtual', proof: 'hand-over', by: 'ftp' })
    expect(harness.sent('look', 'web1')).toHaveLength(1)
    expect(harness.state.giving.size).toBe(0)
  })

  it('claims it as native for its own server, which is back before it was asked to return: what the claim says decides whether that server may ride', () => {
    const harness = Harness.settled('proxy')
    harness.claims.set('ftp', [claimOf('ftp', 1, 'ftp'), claimOf('ftp', 2, 'proxy')])
    harness.observe()
    harness.run(3_000)
    expect(harness.state.giving.get('ftp')).toMatchObject({ kind: 'virtual', stage: 'serving', epoch: 2 })
    harness.event({ event: 'leave', why: 'shutdown' })
    harness.message('login', { kind: 'ready', incident: 'i', function: 'ftp', epoch: 2, to: 'ftp', generation: 1 })
    expect(harness.newest('ftp')).toMatchObject({ epoch: 3, holder: 'ftp', kind: 'native', proof: 'hand-over', by: 'proxy' })
  })

  it('hands nothing to a host whose lease it does not see renewed', () => {
    const harness = Harness.settled('ftp')
    harness.event({ event: 'leave', why: 'shutdown' })
    harness.message('login', { kind: 'ready', incident: 'i', function: 'ftp', epoch: 1, to: 'web1', generation: 7 })
    expect(harness.asked('stop')).toEqual([])
  })

  it('stops and releases by itself when nobody took it within 8 s', () => {
    const harness = Harness.settled('ftp')
    harness.event({ event: 'leave', why: 'shutdown' })
    harness.run(7_900)
    expect(harness.asked('stop')).toEqual([])
    harness.run(200)
    expect(harness.releases.get('ftp 1')).toMatchObject({ how: 'goodbye', by: 'ftp' })
  })

  it('does not wait when nobody is left that could take it', () => {
    const harness = Harness.settled('ftp', { hosts: 3 })
    for (const name of [...harness.hosts.keys()]) harness.die(name)
    harness.run(2_500)
    harness.event({ event: 'leave', why: 'shutdown' })
    expect(harness.releases.get('ftp 1')).toMatchObject({ how: 'goodbye' })
  })

  it('takes nothing any more', () => {
    const harness = Harness.settled('ftp')
    harness.event({ event: 'leave', why: 'shutdown' })
    harness.addRelease('web1', 1)
    harness.observe()
    harness.message('mail', { kind: 'nominate', incident: 'i', function: 'web1', epoch: 1, as: 'virtual' })
    expect(harness.sent('progress', 'mail').at(-1)?.message).toMatchObject({ stage: 'declined', detail: 'it leaves (shutdown)' })
  })
})

it('a host that stays does not obey "ready"', () => {
  const harness = Harness.settled('ftp')
  harness.message('login', { kind: 'ready', incident: 'i', function: 'ftp', epoch: 1, to: 'web1', generation: 1 })
  expect(harness.asked('stop')).toEqual([])
})

describe('the manager of a host that leaves', () => {
  const announce = (harness: Harness, leaving: 'shutdown' | 'reboot' = 'reboot') =>
    harness.message('ftp', { kind: 'condition', generation: 1, sequence: 1_000, version: 'sample', giving: harness.host('ftp').giving, watches: [], leaving })

  it('nominates a host, and tells the holder when it is prepared, without any proof', () => {
    const harness = Harness.settled('login')
    announce(harness)
    expect(harness.stages()).toEqual(expect.arrayContaining(['detected', 'chosen']))
    const nominee = harness.state.rehoming.get('ftp')!.nominee!
    expect(nominee).not.toBe('ftp')
    expect(harness.sent('ready')).toEqual([])
    if (nominee !== 'login') harness.message(nominee, { kind: 'progress', incident: '', function: 'ftp', epoch: 1, stage: 'prepared', detail: '' })
    harness.run(600)
    // It has just been resumed, and nothing is cut yet.
    expect(harness.sent('ready')).toEqual([])
    harness.run(150)
    expect(harness.sent('ready', 'ftp')[0]?.message).toMatchObject({ function: 'ftp', epoch: 1, to: nominee, generation: 1 })
    expect(harness.releases.size).toBe(0)
  })

  it('asks for nothing after it has stood still, before it holds a lease and has read the share again', () => {
    const harness = Harness.settled('login')
    announce(harness)
    const nominee = harness.state.rehoming.get('ftp')!.nominee!
    if (nominee !== 'login') harness.message(nominee, { kind: 'progress', incident: '', function: 'ftp', epoch: 1, stage: 'prepared', detail: '' })
    harness.now_ms += 30_000
    harness.event({ event: 'timer' })
    expect(harness.sent('ready')).toEqual([])
    harness.run(3_000)
    expect(harness.sent('ready', 'ftp')).not.toEqual([])
  })

  it('does not restart its daemons, which may be going down already', () => {
    const harness = Harness.settled('login')
    announce(harness)
    harness.host('ftp').service = 'NG'
    // Before the harness's own rounds bring a condition without the word.
    harness.run(1_500)
    expect(harness.asked('hand')).toEqual([])
  })

  it('does not wake one that shut down, and wakes one that wanted to reboot and does not come back', () => {
    for (const [why, woken] of [['shutdown', false], ['reboot', true]] as const) {
      const harness = Harness.settled('login')
      announce(harness, why)
      harness.addClaim(claimOf('ftp', 2, 'web1', { proof: 'hand-over', by: 'ftp' }))
      harness.host('web1').giving.push(virtual('ftp', 2))
      harness.host('ftp').standing = 'goodbye'
      harness.host('ftp').sequence += 1
      harness.observe()
      harness.die('ftp')
      harness.run(120_000)
      expect(harness.asked('wake').length > 0, why).toBe(woken)
    }
  })
})

describe('maintenance', () => {
  it('empties a host by its manager, and nothing returns before it ends', () => {
    const harness = Harness.settled('login')
    harness.orders = [{ order: 'maintenance', host: 'ftp', remaining_ms: FOREVER_MS }]
    harness.run(1_000)
    expect(harness.state.rehoming.get('ftp')?.nominee).toBeDefined()
    harness.addClaim(claimOf('ftp', 2, 'web1', { proof: 'hand-over', by: 'ftp' }))
    harness.host('web1').giving.push(virtual('ftp', 2))
    harness.host('ftp').giving = []
    harness.run(20_000)
    expect(harness.sent('return')).toEqual([])
    harness.orders = []
    harness.run(6_000)
    expect(harness.sent('return', 'web1')).not.toEqual([])
  })

  it('accuses nobody who is empty', () => {
    const harness = Harness.settled('login')
    harness.orders = [{ order: 'maintenance', host: 'ftp', remaining_ms: FOREVER_MS }]
    harness.addClaim(claimOf('ftp', 2, 'web1', { proof: 'hand-over', by: 'ftp' }))
    harness.host('web1').giving.push(virtual('ftp', 2))
    harness.host('ftp').giving = []
    harness.run(1_000)
    harness.forget()
    harness.die('ftp')
    harness.run(30_000)
    expect(harness.asked('wake')).toEqual([])
    expect(harness.stages()).toEqual([])
  })

  it('ends what it began, also for a host whose new claim was read before the lease it was made under', () => {
    const harness = Harness.settled('login')
    harness.addClaim(claimOf('ftp', 2, 'ftp', { generation: 2 }))
    harness.orders = [{ order: 'maintenance', host: 'ftp', remaining_ms: FOREVER_MS }]
    harness.observe()
    expect(harness.state.incidents.size).toBe(1)
    Object.assign(harness.host('ftp'), { generation: 2, sequence: 0, giving: [native('ftp', 2)] })
    harness.run(1_000)
    harness.orders = []
    harness.run(2_000)
    expect(harness.said('End_of_incident_(ftp)')).toBe(true)
    expect(harness.state.incidents.size).toBe(0)
  })

  it('ends by itself, also while the share cannot be read', () => {
    const harness = Harness.settled('login')
    harness.orders = [{ order: 'maintenance', host: 'ftp', remaining_ms: 5_000 }]
    harness.run(1_000)
    harness.share_answers = false
    harness.run(6_000)
    expect(harness.said('Maintenance_of_ftp_ends')).toBe(true)
  })
})

describe('hold', () => {
  it('keeps the ring from taking over, healing and moving, and lets it act when it ends', () => {
    const harness = Harness.settled('login')
    harness.orders = [{ order: 'hold', remaining_ms: FOREVER_MS }]
    harness.run(1_000)
    harness.die('ftp')
    harness.run(20_000)
    expect(harness.stages()).toEqual([])
    expect(harness.sent('nominate')).toEqual([])
    harness.orders = []
    harness.run(1_000)
    expect(harness.stages()).toEqual(expect.arrayContaining(['detected', 'chosen']))
  })

  it('calls off a search that is under way', () => {
    const harness = Harness.settled('login')
    harness.die('ftp')
    harness.runUntil(() => harness.state.rehoming.has('ftp'))
    harness.orders = [{ order: 'hold', remaining_ms: FOREVER_MS }]
    harness.run(600)
    expect(harness.state.rehoming.size).toBe(0)
  })
})

it('a server that flaps goes home later each time, and says so', () => {
  const harness = Harness.settled('login')
  const rounds: number[] = []
  for (let epoch = 2; epoch <= 6; epoch += 2) {
    harness.addClaim(claimOf('ftp', epoch, 'web1'))
    harness.host('web1').giving = [virtual('ftp', epoch)]
    harness.host('ftp').giving = []
    harness.observe()
    harness.state.watches.get('ftp')!.service.good_rounds = 0
    harness.forget()
    harness.runUntil(() => harness.sent('return').length > 0)
    rounds.push(Number(/(\d+) good rounds/.exec(harness.reasons.map(({ text }) => text).find(text => text.startsWith('Virtual_IP_ftp_(web1->ftp)')) ?? '')?.[1]))
    harness.addClaim(claimOf('ftp', epoch + 1, 'ftp', { proof: 'hand-over', by: 'web1' }))
    harness.host('web1').giving = []
    harness.observe()
  }
  expect(rounds[0], String(rounds)).toBeGreaterThanOrEqual(3)
  expect(rounds[1]).toBeGreaterThanOrEqual(6)
  expect(rounds[2]).toBeGreaterThanOrEqual(12)
  expect(harness.state.functions.get('ftp')!.flapping_told).toBe(2)
})
