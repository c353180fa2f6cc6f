import { describe, expect, it } from 'vitest'
import { raisedAlerts } from '../../../src/core/alerts.ts'
import { isSlow } from '../../../src/core/local-health.ts'
import { alertsOf, type AlertCode } from '../../../src/core/protection.ts'
import { claimOf, Harness } from './harness.ts'

const found = (harness: Harness, code: AlertCode) => alertsOf(harness.state, harness.now_ms).filter(alert => alert.code === code)
const told = (harness: Harness, code: AlertCode) => harness.asked('alert').filter(({ alert }) => alert.code === code).map(({ alert, state }) => `${state} ${alert.subject}`)
const standby = (harness: Harness, state: 'good' | 'missing' | 'stale') => harness.event({ event: 'standby', images: [{ function: 'ftp', state, detail: state === 'good' ? '' : 'vm/base has no kernel' }] })

describe('protection', () => {
  it('is complete in a ring at rest', () => {
    const harness = Harness.settled('mail')
    standby(harness, 'good')
    harness.run(20_000)
    expect(alertsOf(harness.state, harness.now_ms)).toEqual([])
    expect(harness.asked('alert')).toEqual([])
  })

  it('TOO_FEW_WATCHERS: raised when the gap stays, and over when it is closed', () => {
    const harness = Harness.settled('mail')
    harness.host('proxy').watches = []
    harness.run(3_000)
    expect(found(harness, 'TOO_FEW_WATCHERS')).toMatchObject([{ subject: 'ftp', reason: 'only login watches it, and 2 hosts should' }, { subject: 'web1', reason: 'only web2 watches it, and 2 hosts should' }])
    expect(told(harness, 'TOO_FEW_WATCHERS')).toEqual([])
    harness.run(5_000)
    expect(told(harness, 'TOO_FEW_WATCHERS')).toEqual(['raised ftp', 'raised web1'])
    delete harness.host('proxy').watches
    harness.run(5_000)
    expect(told(harness, 'TOO_FEW_WATCHERS')).toHaveLength(2)
    harness.run(10_000)
    expect(told(harness, 'TOO_FEW_WATCHERS').slice(2)).toEqual(['over ftp', 'over web1'])
    expect(harness.said('Protection_is_back_(TOO_FEW_WATCHERS_ftp)')).toBe(true)
  })

  it('TOO_FEW_WATCHERS: one watcher is enough in a ring of two, and none is too few in a ring of one', () => {
    expect(found(Harness.settled('mail', { hosts: 2 }), 'TOO_FEW_WATCHERS')).toEqual([])
    expect(found(Harness.settled('mail', { hosts: 1 }), 'TOO_FEW_WATCHERS')).toMatchObject([{ subject: 'mail', reason: 'nobody watches it' }])
  })

  it('is told by the first of the ring, and by its successor when it is gone', () => {
    const harness = Harness.settled('login')
    harness.host('proxy').watches = []
    harness.run(10_000)
    expect(told(harness, 'TOO_FEW_WATCHERS')).toEqual([])
    expect(raisedAlerts(harness.state).map(({ alert }) => alert.subject)).toEqual(['ftp', 'web1'])
    harness.die('mail')
    harness.run(5_000)
    expect(told(harness, 'TOO_FEW_WATCHERS')).toContain('raised ftp')
  })

  it('SHARE_UNREACHABLE: told by every host for itself', () => {
    const harness = Harness.settled('web1')
    harness.share_answers = false
    harness.run(1_500)
    harness.event({ event: 'observe-failed', reason: 'no answer in time' })
    harness.run(2_000)
    expect(told(harness, 'SHARE_UNREACHABLE')).toEqual(['raised web1'])
  })

  it('SHARE_SLOW: three writes within a minute that took longer than D_stop/3 − r', () => {
    const harness = Harness.settled('mail')
    const renew = (took_ms: number) => { harness.took_ms = took_ms; harness.run(500) }
    renew(166)
    renew(167)
    renew(300)
    expect(found(harness, 'SHARE_SLOW')).toEqual([])
    renew(200)
    expect(found(harness, 'SHARE_SLOW')).toMatchObject([{ subject: 'mail', reason: '3 writes of the lease took up to 300 ms within a minute, and profile "default" allows 166 ms' }])
    harness.took_ms = 5
    harness.run(60_000)
    expect(found(harness, 'SHARE_SLOW')).toEqual([])
  })

  it('SHARE_FULL: while there is little room on the shared area, told by the first of the ring', () => {
    const [first, second] = [Harness.settled('mail'), Harness.settled('login')]
    for (const harness of [first, second]) {
      harness.free_kb = 64 * 1_024
      harness.run(2_000)
      expect(found(harness, 'SHARE_FULL')).toEqual([])
      harness.free_kb = 9.5 * 1_024
      harness.run(2_000)
      expect(found(harness, 'SHARE_FULL')).toMatchObject([{ subject: 'share', reason: expect.stringContaining('only 9.5 MB are free') as string }])
      harness.free_kb = 0
      harness.run(2_000)
      expect(found(harness, 'SHARE_FULL')).toMatchObject([{ subject: 'share', reason: expect.stringContaining('the shared area is full') as string }])
      harness.free_kb = 1_024 * 1_024
      harness.run(20_000)
      expect(found(harness, 'SHARE_FULL')).toEqual([])
    }
    expect(told(first, 'SHARE_FULL')).toEqual(['raised share', 'over share'])
    expect(told(second, 'SHARE_FULL')).toEqual([])
  })

  it('LOG_UNWRITTEN: while the own disk does not take the log, told by every host for itself', () => {
    const harness = Harness.settled('web1')
    const health = (unwritten?: number) => { harness.event({ event: 'health', stalled_ms: 0, own_probes_missed: 0, ...unwritten === undefined ? {} : { unwritten } }) }
    health(12)
    harness.run(2_000)
    expect(found(harness, 'LOG_UNWRITTEN')).toMatchObject([{ subject: 'web1', reason: 'its disk does not take its log: 12 lines wait in memory, and are lost if the agent ends' }])
    expect(isSlow(harness.state)).toBe(false)
    health()
    harness.run(15_000)
    expect(told(harness, 'LOG_UNWRITTEN')).toEqual(['raised web1', 'over web1'])
  })

  it('LEASE_LATE: a renewal was passed over, or the lease has run out', () => {
    const harness = Harness.settled('mail')
    harness.renews = false
    // Three renewals of 500 ms are passed over, and the fourth comes in time for the lease's last moment.
    harness.run(1_200)
    harness.renews = true
    harness.run(500)
    expect(found(harness, 'LEASE_LATE')).toMatchObject([{ subject: 'mail', reason: '2000 ms lay between two renewals of its lease, which lives 2000 ms' }])
    harness.run(61_000)
    expect(found(harness, 'LEASE_LATE')).toEqual([])
    harness.renews = false
    harness.run(2_500)
    expect(found(harness, 'LEASE_LATE')).toMatchObject([{ reason: 'its lease has run out' }])
  })

  it('NO_ROOM: for the largest virtual server, with each host and its reason', () => {
    const large = { ...Harness.settled('mail').inventory.servers[2]!.virtual_server, memory_mb: 64_000 }
    const harness = Harness.settled('mail', { servers: { ftp: { virtual_server: large } } })
    expect(found(harness, 'NO_ROOM')).toMatchObject([{ subject: 'ftp', reason: expect.stringContaining('no host could take over the largest virtual server (64000 MB): ') }])
    expect(found(harness, 'NO_ROOM')[0]!.reason).toContain('ftp: it gives the function')
    harness.run(20_000)
    expect(told(harness, 'NO_ROOM')).toEqual(['raised ftp'])
  })

  it('STANDBY_MISSING and STANDBY_STALE: as this host last saw the images', () => {
    const harness = Harness.settled('mail')
    standby(harness, 'missing')
    expect(found(harness, 'STANDBY_MISSING')).toMatchObject([{ subject: 'ftp', reason: 'its virtual server cannot be started: vm/base has no kernel' }])
    standby(harness, 'stale')
    expect(found(harness, 'STANDBY_MISSING')).toEqual([])
    expect(found(harness, 'STANDBY_STALE')).toMatchObject([{ subject: 'ftp' }])
    standby(harness, 'good')
    expect(found(harness, 'STANDBY_STALE')).toEqual([])
  })

  it('VERSION_SKEW: only when it stays longer than a publication takes', () => {
    const harness = Harness.settled('mail')
    harness.host('web1').version = 'older'
    harness.run(50_000)
    expect(found(harness, 'VERSION_SKEW')).toMatchObject([{ subject: 'web1', reason: 'it runs version older, and mail runs sample' }])
    expect(told(harness, 'VERSION_SKEW')).toEqual([])
    harness.run(15_000)
    expect(told(harness, 'VERSION_SKEW')).toEqual(['raised web1'])
  })

  it('VERSION_SKEW: a host that has taken up the configuration of a publication, and not its program', () => {
    const harness = Harness.settled('mail')
    harness.state.program = { version: '8-b', digest: 'bb' }
    harness.host('ftp').program = { version: '7-a', digest: 'bb' }
    harness.host('web1').program = { version: '7-a', digest: 'aa' }
    harness.run(1_500)
    expect(found(harness, 'VERSION_SKEW')).toMatchObject([{ subject: 'web1', reason: 'it runs the program of version 7-a, and mail runs that of 8-b', next_step: expect.stringContaining('ringward flag off --wait && ringward flag on --wait') }])
    const condition = harness.asked('publish').map(({ message }) => message).findLast(message => message.kind === 'condition')
    expect(condition).toMatchObject({ program: { version: '8-b', digest: 'bb' } })
  })

  it('CLOCK_OFF: who differs from the middle of all, the own clock included', () => {
    const harness = Harness.settled('mail')
    harness.event({ event: 'health', stalled_ms: 0, own_probes_missed: 0, wall_offset_ms: 1_000_000 })
    for (const name of harness.hosts.keys()) harness.host(name).wall_offset_ms = 1_000_000
    harness.host('ftp').wall_offset_ms = 1_000_000 - 3_000
    harness.run(1_500)
    expect(found(harness, 'CLOCK_OFF')).toMatchObject([{ subject: 'ftp', reason: expect.stringContaining('its clock is 3.0 s behind the others') }])
    harness.host('ftp').wall_offset_ms = 1_000_000 - 1_500
    harness.event({ event: 'health', stalled_ms: 0, own_probes_missed: 0, wall_offset_ms: 1_005_000 })
    harness.run(1_500)
    expect(found(harness, 'CLOCK_OFF')).toMatchObject([{ subject: 'mail', reason: expect.stringContaining('5.0 s ahead of') }])
  })

  it('CLOCK_OFF: a host of an older version does not tell its clock, and none is assumed', () => {
    const harness = Harness.settled('mail')
    harness.event({ event: 'health', stalled_ms: 0, own_probes_missed: 0, wall_offset_ms: 1_000_000 })
    harness.run(1_500)
    expect(found(harness, 'CLOCK_OFF')).toEqual([])
  })

  it('tells its own clock to others', () => {
    const harness = Harness.settled('mail')
    harness.event({ event: 'health', stalled_ms: 0, own_probes_missed: 0, wall_offset_ms: 1_000_000 })
    harness.run(1_000)
    const condition = harness.asked('publish').map(({ message }) => message).findLast(message => message.kind === 'condition')
    expect(condition).toMatchObject({ wall_ms: expect.any(Number) })
  })

  it('FLAPPING: from the second homecoming within the hour', () => {
    const harness = Harness.settled('mail')
    for (const [epoch, holder] of [[2, 'web1'], [3, 'ftp'], [4, 'web1'], [5, 'ftp']] as const) {
      harness.addClaim(claimOf('ftp', epoch, holder, { proof: holder === 'ftp' ? 'hand-over' : 'silence' }))
      harness.run(1_000)
      expect(found(harness, 'FLAPPING')).toHaveLength(epoch === 5 ? 1 : 0)
    }
    expect(found(harness, 'FLAPPING')).toMatchObject([{ subject: 'ftp', reason: expect.stringContaining('it came home 2 times within the hour') }])
  })

  it('HOST_SLOW: not for a moment', () => {
    const harness = Harness.settled('web1')
    for (let second = 0; second < 12; second += 1) {
      expect(told(harness, 'HOST_SLOW')).toEqual([])
      harness.event({ event: 'health', stalled_ms: 700, own_probes_missed: 0 })
      harness.run(1_000)
      if (second < 9) expect(told(harness, 'HOST_SLOW')).toEqual([])
      else if (told(harness, 'HOST_SLOW').length > 0) break
    }
    expect(told(harness, 'HOST_SLOW')).toEqual(['raised web1'])
  })
})

describe('the moments of an alert', () => {
  it('what comes and goes is one alert', () => {
    const harness = Harness.settled('mail')
    for (let turn = 0; turn < 5; turn += 1) {
      standby(harness, 'missing')
      harness.run(3_000)
      standby(harness, 'good')
      harness.run(3_000)
    }
    expect(told(harness, 'STANDBY_MISSING')).toEqual(['raised ftp'])
    harness.run(12_000)
    expect(told(harness, 'STANDBY_MISSING')).toEqual(['raised ftp', 'over ftp'])
    const lines = harness.reasons.filter(({ text }) => text.includes('STANDBY_MISSING')).map(({ level, text }) => `${level} ${text.split(':')[0]}`)
    expect(lines).toEqual(['alarm Protection_is_lost_(STANDBY_MISSING_ftp)', 'info Protection_is_back_(STANDBY_MISSING_ftp)'])
  })

  it('none before the ring was whole or the cold start is over', () => {
    const harness = new Harness('mail')
    standby(harness, 'missing')
    harness.host('web1').renews = false
    harness.host('web1').generation = 0
    harness.run(9_000)
    expect(harness.asked('alert')).toEqual([])
    harness.run(3_000)
    expect(told(harness, 'STANDBY_MISSING')).toEqual(['raised ftp'])
  })
})
