import { describe, expect, it } from 'vitest'
import { loadDocument } from '../../../src/report/load.ts'
import { stamp } from '../../../src/report/moments.ts'
import { ringDocument } from '../../../src/report/ring.ts'
import { statusDocument } from '../../../src/report/status.ts'
import { renderViews } from '../../../src/report/views.ts'
import { claimOf, Harness, virtual } from '../core/harness.ts'

const WALL = new Date('2026-11-20T12:00:00.000Z')
const moments = (harness: Harness) => ({ now_ms: harness.now_ms, wall: WALL })
const status = (harness: Harness) => statusDocument(harness.state, moments(harness), { state: 'ok', latency_ms: 3 })

/** proxy has lost its power; mail watches from afar while web1 gives its function. */
function takenOver(): Harness {
  const harness = Harness.settled('mail')
  harness.die('proxy')
  harness.run(2_500)
  harness.addClaim(claimOf('proxy', 2, 'web1'))
  harness.host('web1').giving.push(virtual('proxy', 2))
  harness.run(2_000)
  return harness
}

describe('ringward.status/1', () => {
  it('has the fields that checks read', () => {
    const document = status(Harness.settled('mail'))
    expect(document.schema).toBe('ringward.status/1')
    for (const field of ['verdict', 'reason', 'hosts', 'functions', 'virtual_servers', 'share', 'incidents_open', 'warnings']) expect(document).toHaveProperty(field)
    expect(document.hosts[1]).toMatchObject({ name: 'login', state: 'in ring', lease: { age_ms: expect.any(Number), deadline_ms: 2_000 } })
    expect(document.hosts[0]!.targets).toEqual([{ name: 'login', priority: 1, mode: 'regular', since: expect.any(String) }, { name: 'web2', priority: 2, mode: 'regular', since: expect.any(String) }])
    expect(document.functions[2]).toEqual({ name: 'ftp', vip: '10.77.0.113', giver: 'ftp', kind: 'native', epoch: 1, since: expect.any(String) })
    expect(document.virtual_servers[2]).toEqual({ name: 'ftp-vs', for: 'ftp', host: null, state: 'standby', standby: 'saved' })
    expect(document.share).toEqual({ state: 'ok', latency_ms: 3, age_ms: expect.any(Number) })
    expect(JSON.parse(JSON.stringify(document))).toEqual(document)
  })

  it('lists lost protection with code, reason, next step and since when', () => {
    const harness = Harness.settled('mail')
    harness.event({ event: 'standby', images: [{ function: 'ftp', state: 'missing', detail: 'vm/base has no kernel' }] })
    harness.run(2_000)
    expect(status(harness).alerts).toEqual([{
      code: 'STANDBY_MISSING', subject: 'ftp', reason: 'its virtual server cannot be started: vm/base has no kernel', next_step: expect.any(String), since: expect.stringMatching(/^2026-11-20T11:59:5/),
    }])
  })

  it('is ok when all is policy', () => {
    expect(status(Harness.settled('mail'))).toMatchObject({ verdict: 'ok', reason: '6 hosts in the ring, every function given by its own server', warnings: [], unprotected: [], incidents_open: [] })
  })

  it('is degraded while a virtual server stands in', () => {
    const document = status(takenOver())
    expect(document.verdict).toBe('degraded')
    expect(document.reason).toContain('proxy is separated')
    expect(document.functions.find(({ name }) => name === 'proxy')).toMatchObject({ giver: 'web1', kind: 'virtual', epoch: 2 })
    expect(document.virtual_servers.find(entry => entry.for === 'proxy')).toMatchObject({ host: 'web1', state: 'running' })
  })

  it('is critical while nobody gives a function', () => {
    const harness = Harness.settled('mail')
    harness.die('proxy')
    harness.run(2_500)
    expect(status(harness)).toMatchObject({ verdict: 'critical', reason: 'nobody gives proxy' })
    expect(status(harness).functions.find(({ name }) => name === 'proxy')).toMatchObject({ giver: null, kind: 'none', since: null })
    expect(status(harness).hosts.find(({ name }) => name === 'proxy')).toMatchObject({ state: 'unreachable', targets: [], lease: { good: false } })
  })

  it('names who says that it serves under a claim that was not read before the share fell silent', () => {
    const harness = Harness.settled('mail')
    harness.share_answers = false
    harness.host('proxy').giving = [{ function: 'proxy', kind: 'native', epoch: 2, stage: 'serving' }]
    harness.run(1_500)
    harness.event({ event: 'observe-failed', reason: 'no answer in time' })
    const document = status(harness)
    expect(document.functions.find(({ name }) => name === 'proxy')).toMatchObject({ giver: 'proxy', kind: 'native', epoch: 2, since: null })
    expect(document).toMatchObject({ verdict: 'degraded', reason: expect.stringContaining('the shared area does not answer') })
  })

  it('is degraded while the shared area has hardly any room, and tells how much', () => {
    const harness = Harness.settled('mail')
    harness.free_kb = 2_048
    harness.run(3_000)
    const document = status(harness)
    expect(document).toMatchObject({ verdict: 'degraded', reason: expect.stringContaining('only 2.0 MB are free on the shared area'), share: { free_kb: 2_048 }, alerts: [{ code: 'SHARE_FULL', subject: 'share' }] })
  })

  it('is degraded when the share does not answer, and says what follows', () => {
    const harness = Harness.settled('mail')
    harness.share_answers = false
    harness.run(1_500)
    harness.event({ event: 'observe-failed', reason: 'no answer in time' })
    const document = status(harness)
    expect(document).toMatchObject({ verdict: 'degraded', reason: expect.stringContaining('the shared area does not answer') })
    expect(document.warnings).toContain('the shared area does not answer: nothing can be taken over until it does')
  })

  it('is degraded when the own lease is not good', () => {
    const harness = Harness.settled('mail')
    harness.state.own.deadline_ms = harness.now_ms
    expect(status(harness)).toMatchObject({ verdict: 'degraded', reason: 'the lease of this host is not good' })
    expect(status(harness).hosts[0]!.lease.good).toBe(false)
  })

  it('is degraded in a ring of one, for nobody watches it', () => {
    const document = status(Harness.settled('mail', { hosts: 1 }))
    expect(document).toMatchObject({ verdict: 'degraded', reason: 'nobody watches mail: the ring has no other host' })
    expect(document.unprotected).toEqual([{ function: 'mail', reason: 'there is no other host' }])
  })

  it('is degraded when nobody could take a function over, with the reason for each host', () => {
    const harness = Harness.settled('mail', { servers: { ftp: { virtual_server: { ...new Harness('mail').inventory.servers[2]!.virtual_server, memory_mb: 100_000 } } } })
    const document = status(harness)
    expect(document).toMatchObject({ verdict: 'degraded', reason: '1 function(s) could not be given by another host' })
    expect(document.unprotected).toEqual([{ function: 'ftp', reason: expect.stringContaining('web1: no room') }])
  })

  it('warns of a host that is unmanaged, unreachable, or runs another version', () => {
    const harness = Harness.settled('mail')
    harness.host('web1').standing = 'unmanaged'
    harness.event({ event: 'reach', host: 'ftp', reachable: false, why: 'no heartbeat' })
    harness.run(1_100)
    harness.message('web2', { kind: 'condition', generation: 1, sequence: 9_999, version: 'newer', giving: [], watches: [] })
    const { warnings, hosts } = status(harness)
    expect(warnings.some(text => text.startsWith('web1 is unmanaged'))).toBe(true)
    expect(warnings).toContain('ftp renews its lease but is not reachable from here')
    expect(warnings.some(text => text.startsWith('web2 runs version newer'))).toBe(true)
    expect(hosts.find(({ name }) => name === 'web1')!.state).toBe('unmanaged')
  })

  it('says what a ride by majority may miss, and which function waits for consents with what ends that', () => {
    const harness = Harness.settled('mail', { inventory: { ride: 'majority' } })
    harness.event({ event: 'lease', generation: 1, sequence: 900, deadline_ms: harness.now_ms + 2_000, electorate: ['login', 'ftp', 'proxy', 'web1', 'web2'], may_miss: 2 })
    expect(status(harness).ride).toEqual({ policy: 'majority', asked: 5, may_miss: 2 })
    expect(status(harness).unprotected).toEqual([])
    harness.host('ftp').rides_by = { electorate: ['mail', 'login', 'proxy', 'web1', 'web2'], may_miss: 2 }
    harness.run(1_000)
    for (const name of ['ftp', 'login', 'web1', 'web2']) harness.die(name)
    harness.run(6_000)
    expect(status(harness).warnings).toContainEqual(expect.stringMatching(/^ftp waits for consents: .*present are mail, proxy; .*"ringward confirm-dead ftp"$/))
    expect(status(harness).unprotected).toContainEqual({ function: 'ftp', reason: expect.stringContaining('3 of mail, login, proxy, web1, web2') as string })
    expect(status(Harness.settled('mail'))).not.toHaveProperty('ride')
  })

  it('tells promises from both sides', () => {
    const harness = Harness.settled('mail')
    harness.message('ftp', { kind: 'promise-request', request: 1, epoch: 1 })
    expect(status(harness).promises).toEqual([{ from: 'mail', to: 'ftp', left_ms: expect.any(Number) }])
  })

  it('lists the incidents that are open', () => {
    const harness = Harness.settled('mail')
    harness.die('login')
    harness.run(2_800)
    const [incident] = status(harness).incidents_open
    expect(incident).toMatchObject({ target: 'login', manager: 'mail', stage: 'wait for reboot' })
    expect(Date.parse(incident!.detected)).toBeLessThanOrEqual(WALL.getTime())
  })

  it('can be made before anything is known', () => {
    const document = status(new Harness('mail'))
    expect(document.verdict).not.toBe('ok')
    expect(document.functions.every(({ kind, epoch }) => kind === 'none' && epoch === 0)).toBe(true)
  })
})

describe('ringward.ring/1', () => {
  it('numbers the members in the order of Group and gives each its targets', () => {
    const document = ringDocument(Harness.settled('ftp').state, { now_ms: 0, wall: WALL })
    expect(document).toMatchObject({ schema: 'ringward.ring/1', synchroniser: 'mail', separated: [] })
    expect(document.members.map(({ number, name, p1_target, p2_target }) => [number, name, p1_target, p2_target])).toEqual([
      [1, 'mail', 'login', 'web2'], [2, 'login', 'ftp', 'mail'], [3, 'ftp', 'proxy', 'login'],
      [4, 'proxy', 'web1', 'ftp'], [5, 'web1', 'web2', 'proxy'], [6, 'web2', 'mail', 'web1'],
    ])
  })

  it('closes over a host that is separated, and says who gives its function', () => {
    const harness = takenOver()
    const document = ringDocument(harness.state, moments(harness))
    expect(document.members.map(({ name }) => name)).toEqual(['mail', 'login', 'ftp', 'web1', 'web2'])
    expect(document.members.find(({ name }) => name === 'ftp')!.p1_target).toBe('web1')
    expect(document.separated).toEqual([{ name: 'proxy', state: 'separated', since: expect.any(String), giver: 'web1' }])
  })
})

describe('ringward.load/1', () => {
  it('has average, forecast and normalised load, and the value per type of server', () => {
    const harness = Harness.settled('mail')
    const document = loadDocument(harness.state, moments(harness))
    expect(document.schema).toBe('ringward.load/1')
    expect(document.hosts[1]).toMatchObject({
      name: 'login', virtual_servers: 0, memory: { average: 4e6, forecast: 4e6, normalised: 100 }, cpu: { average: 90, forecast: 90, normalised: 100 },
      network: { average: 100, forecast: 100, normalised: 100 }, non_select: { CPU: 100, NETWORK: 100, CPU_NET: 100 }, age_ms: expect.any(Number),
    })
  })

  it('has nulls, not zeros, where nothing is known', () => {
    const harness = Harness.settled('mail')
    harness.host('login').load = undefined
    harness.run(1_100)
    expect(loadDocument(harness.state, moments(harness)).hosts[1]).toMatchObject({ memory: { average: null, forecast: null, normalised: null }, non_select: { CPU: null }, age_ms: null })
  })
})

describe('the management files for people (thesis 5.2.6, fig. 5.6)', () => {
  const lines = (harness: Harness, file: string): string[] => renderViews(harness.state).get(file)!.trimEnd().split('\n').map(line => line.replaceAll(/ +/g, ' '))

  it('Group and Operation of a whole ring', () => {
    const harness = Harness.settled('mail')
    expect(lines(harness, 'Group').slice(0, 3)).toEqual(['number server data', '1 mail servers/mail.toml', '2 login servers/login.toml'])
    expect(lines(harness, 'Operation')).toHaveLength(1 + 12)
    expect(lines(harness, 'Operation')[1]).toBe('1 mail login servers/login.toml')
    expect(lines(harness, 'Separation')).toEqual(['server data'])
    expect(lines(harness, 'Trouble')).toEqual(['virtual server failed server host state'])
    expect(lines(harness, 'Condition')[1]).toBe('mail 0 100 100 100')
  })

  it('move a failed server\'s row from Group to Separation, and its virtual server into Trouble', () => {
    const harness = takenOver()
    expect(lines(harness, 'Group').some(line => line.includes('proxy'))).toBe(false)
    expect(lines(harness, 'Separation')).toEqual(['server data', 'proxy servers/proxy.toml'])
    expect(lines(harness, 'Trouble')).toEqual(['virtual server failed server host state', 'proxy-vs proxy web1 serving'])
    expect(lines(harness, 'Operation')).toHaveLength(1 + 10)
    expect(lines(harness, 'Condition').find(line => line.startsWith('web1'))).toBe('web1 1 100 100 100')
  })
})

describe('stamps', () => {
  it('are wall-clock times of boot-clock moments, and null for what has not happened', () => {
    expect(stamp({ now_ms: 5_000, wall: WALL }, 3_000)).toBe('2026-11-20T11:59:58.000Z')
    expect(stamp({ now_ms: 5_000, wall: WALL }, -Infinity)).toBeNull()
  })
})
